"""More variety in the mixture of customers: periods, no limits, bundles, appliances."""

from datetime import date

import numpy as np

from .arrays import Array, day_number
from .products import Products
from .subscriptions import NEVER, blank, used_while_entitled
from .suites import with_components

_PERIODS = np.array([0, 1, 3])  # months
_WITH_PERIOD = [0.4, 0.4, 0.2]  # shares of subscriptions to what is consumed
_UNLIMITED, _TURNED = 0.03, 0.08  # shares of subscriptions
_WITH_BUNDLE, _WITH_APPLIANCE, _TELLS = 0.06, 0.08, 0.4  # shares of customers, and of appliances
_TURNS = [0.2, 0.5, 1.5, 2.2]


def varied(
    random: np.random.Generator, rows: Array, products: Products, start: date, end: date
) -> Array:
    """These subscriptions, varied, and after them more of the same customers."""
    rows, luck = rows.copy(), random.random(len(rows))
    is_yearly = (rows["months"] == 12) & (rows["terms"] > 0)
    period = random.choice(_PERIODS, len(rows), p=_WITH_PERIOD)
    rows["period"] = np.where(is_yearly & ~products.is_capacity[rows["product"]], period, 0)
    rows["unlimited"] = is_yearly & (rows["ratio"] > 0) & (luck < _UNLIMITED)
    days = random.integers(0, (end - start).days + 1, len(rows)).astype("m8[D]")
    turned = luck > 1 - _TURNED
    rows["turned_on"] = np.where(turned, day_number(start) + days, NEVER)
    rows["turn"] = np.where(turned, random.choice(_TURNS, len(rows)), 1.0)

    _, first = np.unique(rows["customer"], return_index=True)
    more = [_more(random, rows[first], share) for share in (_WITH_BUNDLE, _WITH_APPLIANCE)]
    more[0]["product"] = random.choice(products.bundles[::2], len(more[0]))
    more[1]["product"] = products.appliance
    more[1]["ratio"] *= random.random(len(more[1])) < _TELLS
    added = np.concatenate(more)
    added["quantity"] = products.size[added["product"]] * random.integers(1, 6, len(added))
    used_while_entitled(added, linger=0)
    return np.concatenate([rows, with_components(added, products)])


def _more(random: np.random.Generator, first: Array, share: float) -> Array:
    """Something else that a share of the customers buys, together with the first."""
    chosen = first[random.random(len(first)) < share]
    rows = blank(len(chosen))
    for column in ("customer", "begin", "lead"):
        rows[column] = chosen[column]
    rows["ratio"] = random.uniform(0.3, 1.2, len(rows))
    rows["trend"] = random.uniform(-0.06, 0.10, len(rows))
    rows["deployments"] = random.integers(1, 4, len(rows))
    return rows
