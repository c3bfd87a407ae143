"""The market: who buys what from the first day to the last, and for how long."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import Array
from .customers import Customers, customers
from .population import population
from .products import Products, products_of
from .stories import STORIES, stories


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


def market(random: np.random.Generator, buyers: int, products: int, days: int, end: date) -> Market:
    """So many customers: the first have a story to tell, the others are a mixture."""
    start = end - timedelta(days - 1)
    who = customers(random, buyers, start, end)
    what = products_of(products)
    others = range(min(STORIES, buyers), buyers)
    subscriptions = np.concatenate(
        [stories(buyers, what, start, end), population(random, others, what, start, end)]
    )
    return Market(who, what, subscriptions, start, end)


def text(values: list[str], positions: Array) -> Any:
    """The text at each of these positions."""
    return pa.array(values, pa.string()).take(pa.array(positions))
