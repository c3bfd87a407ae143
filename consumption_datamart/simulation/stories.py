"""The first customers: each shows one thing that happens between a seller and its customers."""

from datetime import date
from typing import Any

import numpy as np

from .arrays import Array, add_months, day_number
from .products import Products
from .subscriptions import FAR, blank, day_within, used_while_entitled

STORIES = 10
RENAMED = 0
CORRECTED = 3  # whose invoice is sent again, with a lower price
MOVES_FROM, MOVES_TO, MOVED_PRODUCT = 8, 9, 3  # whose deployment moves to whom


def renamed_on(start: date, end: date) -> np.datetime64:
    """When the first customer changes its name, which its next invoice shows."""
    return day_within(start, end, 0.6)


def moved_on(start: date, end: date) -> np.datetime64:
    """When a deployment goes from one customer to another."""
    return day_within(start, end, 0.7)


def stories(customers: int, products: Products, start: date, end: date) -> Array:
    """The subscriptions of the first customers, as many of them as there are customers."""
    first, trial = day_number(start), products.listed - 1

    def at(share: float) -> np.datetime64:
        return day_within(start, end, share)

    def later(days: int) -> np.datetime64:
        return day_number(end) + np.timedelta64(days, "D")

    told = [
        # renamed, and renews under its new name; years ago it bought what is now sold otherwise
        story(0, 0, 0.86, renews=at(0.66), trend=0.05, size=8, deployments=4),
        story(0, 1, 0.90, renews=at(0.66), trend=0.03, size=6),
        story(0, 1, 0.0, begin=add_months(first, -36), terms=1, legacy=True),
        # uses more than it has bought
        story(1, 0, 1.25, renews=later(40), size=6, deployments=3),
        story(1, 1, 1.15, renews=later(40), size=10),
        # did so, too, until it bought more
        story(2, 2, 0.82, renews=later(130), size=5, upgraded_on=at(0.5), factor=1.6),
        # uses half of it
        story(3, 1, 0.50, renews=later(210), size=4, trend=-0.04),
        story(3, 3, 0.42, renews=later(210), size=12),
        # hardly any, and has to renew soon
        story(4, 0, 0.13, renews=later(25), size=10, trend=-0.08),
        story(4, 3, 0.20, renews=later(25), size=5, deployments=1),
        # none
        story(5, 2, 0.0, renews=later(60), size=12),
        story(5, 4, 0.0, renews=later(60), size=4),
        # cancels one of two products
        story(6, 0, 0.55, renews=later(170), size=3, cancelled_on=at(0.6)),
        story(6, 4, 0.80, renews=later(170), size=7),
        # tries out, without an invoice, what nobody has bought yet
        story(7, trial, 0.76, begin=later(-35), months=2, terms=1, invoiced=False),
        # uses a product it never bought, then a deployment of it moves to a customer that did
        story(8, 1, 0.79, renews=later(75), size=6),
        story(8, MOVED_PRODUCT, 0.12, terms=0, begin=at(0.3), size=6),
        story(9, MOVED_PRODUCT, 0.88, renews=later(150), size=9, deployments=3),
    ]
    rows = np.concatenate(told)
    rows["product"] = np.where(
        rows["product"] == trial, trial, rows["product"] % max(1, products.sold)
    )
    rows["quantity"] *= products.size[rows["product"]]
    used_while_entitled(rows, linger=6)
    rows["used_to"] = np.where(rows["terms"] == 0, FAR, rows["used_to"])
    return rows[rows["customer"] < customers]


def story(
    customer: int, product: int, ratio: float, *, size: float = 3, **remarkable: Any
) -> Array:
    """One subscription of a first customer; renews is the day of one of its renewals."""
    row = blank(1)
    row["customer"], row["product"], row["ratio"], row["quantity"] = customer, product, ratio, size
    row["lead"] = 0 if customer == RENAMED else 12
    if renews := remarkable.pop("renews", None):
        row["begin"] = add_months(renews, -24)
    for name, value in remarkable.items():
        row[name] = value
    return row
