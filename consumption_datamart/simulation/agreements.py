"""More first customers: agreements of all kinds, each of them with another end in sight."""

from datetime import date
from typing import Any

import numpy as np

from .arrays import Array, add_months, day_number
from .products import Products
from .stories import STORIES, story
from .subscriptions import used_while_entitled
from .suites import with_components

AGREEMENTS = 13
UNQUOTED = STORIES + 10  # who pays in a currency that has no rate
SUBSIDIARIES = {STORIES + 3: STORIES + 2, STORIES + 2: STORIES + 1}  # and whose they are
OF_A_HOLDING = (STORIES + 4, STORIES + 5)  # which buys nothing itself
CIRCLE = (STORIES + 8, STORIES + 9)  # each is said to be the other's


def agreements(customers: int, products: Products, end: date) -> Array:
    """The subscriptions of these customers, as many of them as there are customers."""
    number = iter(range(STORIES, STORIES + AGREEMENTS))
    bundle, nesting, _ = products.bundles

    def listed(place: int) -> int:
        return place % products.sold

    def later(days: int, months: int = 0) -> Any:
        return add_months(np.array([day_number(end) + np.timedelta64(days, "D")]), months)[0]

    # takes all it can use, with a smaller agreement still in force
    customer = next(number)
    told = [
        story(customer, listed(0), 0.0, renews=later(120), size=4),
        story(customer, listed(0), 0.70, begin=later(-100), size=30, unlimited=True, deployments=4),
        story(customer, listed(4), 0.74, renews=later(120), size=5),
    ]
    # has used a month's quantity before the month is over
    customer = next(number)
    told += [
        story(customer, listed(1), 1.45, renews=later(5, 6), size=4, period=1, deployments=3),
        story(customer, listed(2), 0.88, renews=later(5, 6), size=3),
    ]
    # a quarter's quantity, and on track
    customer = next(number)
    told += [story(customer, listed(3), 0.84, renews=later(34, 3), size=8, period=3)]
    # has only just begun
    customer = next(number)
    told += [story(customer, listed(2), 0.55, begin=later(-12), size=2)]
    # has renewed long before the end
    customer = next(number)
    told += [story(customer, listed(0), 0.91, renews=later(35), size=7, lead=55)]
    # has done so, too, for much less
    customer = next(number)
    smaller = {"upgraded_on": later(20), "factor": 0.4, "lead": 60}
    told += [story(customer, listed(2), 0.45, renews=later(30), size=10, **smaller)]
    # buys bundles, the first of them a suite and the other a suite of suites
    customer = next(number)
    told += [story(customer, bundle, 0.86, renews=later(70), size=5)]
    customer = next(number)
    told += [story(customer, nesting, 0.62, renews=later(140), size=3)]
    # keeps to itself what its appliances do, and the next tells
    customer = next(number)
    told += [story(customer, products.appliance, 0.0, renews=later(80), size=2)]
    customer = next(number)
    told += [
        story(customer, products.appliance, 0.78, renews=later(190), size=3),
        # and for some days reports in another unit
        story(customer, listed(1), 0.81, renews=later(190), odd_from=later(-16), odd_to=later(-11)),
    ]
    # pays in a currency of its own
    customer = next(number)
    told += [story(customer, listed(4), 0.66, renews=later(45), size=6)]
    # moves its work: from one product to another
    customer = next(number)
    moves = {"turned_on": later(-20), "renews": later(230)}
    told += [
        story(customer, listed(0), 0.88, size=5, turn=0.2, **moves),
        story(customer, listed(2), 0.40, size=5, turn=2.3, **moves),
    ]
    # buys more than it has used so far, and by now uses more than it has bought
    customer = next(number)
    told += [story(customer, listed(3), 0.60, renews=later(100), turned_on=later(-60), turn=2.4)]

    rows = np.concatenate(told)
    rows["quantity"] *= products.size[rows["product"]]
    used_while_entitled(rows, linger=0)
    return with_components(rows[rows["customer"] < customers], products)
