"""The market: who buys what from the first day to the last, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from .agreements import AGREEMENTS, agreements
from .arrays import Array
from .currencies import with_rare
from .customers import Customers, customers
from .population import population
from .products import Products, products_of
from .stories import STORIES, stories
from .variety import varied


@dataclass(frozen=True)
class Market:
    """All subscriptions of customers (who) to products (what)."""

    who: Customers
    what: Products
    subscriptions: Array
    start: date
    end: date

    def of(self, rows: Array) -> Array:
        """The subscription of each of these terms or deployments."""
        return self.subscriptions[rows["subscription"]]

    def is_capacity(self, rows: Array) -> Array:
        """Whether each of these is of a product metered by capacity."""
        return self.what.is_capacity[self.of(rows)["product"]]


def market(
    random: np.random.Generator,
    buyers: int,
    products: int,
    days: int,
    end: date,
    extras: np.random.Generator | None = None,
) -> Market:
    """So many customers: the first have a story to tell, the others are a mixture.

    With extras, random numbers of their own, there are agreements of all kinds among them.
    """
    start = end - timedelta(days - 1)
    who = customers(random, buyers, start, end)
    what = products_of(products, extras is not None)
    told = STORIES + (AGREEMENTS if extras else 0)
    others = range(min(told, buyers), buyers)
    mixture = population(random, others, what, start, end)
    subscriptions = [stories(buyers, what, start, end)]
    if extras:
        who = replace(who, currency=with_rare(extras, who.currency))
        subscriptions.append(agreements(buyers, what, end))
        mixture = varied(extras, mixture, what, start, end)
    return Market(who, what, np.concatenate([*subscriptions, mixture]), start, end)


def text(values: Sequence[str | None], positions: Array) -> Any:
    """The text at each of these positions."""
    return pa.array(values, pa.string()).take(pa.array(positions))
