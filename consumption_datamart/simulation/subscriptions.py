"""A subscription: a customer's entitlement to a product, term after term, and its use of it."""

from datetime import date, timedelta

import numpy as np

from .arrays import Array, add_months, day_number
from .products import Products

FAR = np.datetime64("9999-01-01", "D")
NEVER = np.datetime64("NaT", "D")

SUBSCRIPTION = np.dtype(
    [
        ("customer", "i8"),
        ("product", "i8"),
        ("quantity", "f8"),  # bought for the first term
        ("begin", "M8[D]"),
        ("months", "i8"),  # of one term
        ("terms", "i8"),  # none: used without an entitlement
        ("lead", "i8"),  # days from a term's invoice to its first day
        ("invoiced", "?"),  # a trial is not
        ("legacy", "?"),  # metered otherwise than the product is today
        ("ratio", "f8"),  # use over entitlement, in the beginning
        ("trend", "f8"),  # growth in a year
        ("upgraded_on", "M8[D]"),
        ("factor", "f8"),  # of the upgrade
        ("cancelled_on", "M8[D]"),
        ("used_from", "M8[D]"),
        ("used_to", "M8[D]"),
        ("deployments", "i8"),
        ("unlimited", "?"),  # then the quantity is no more than what was expected
        ("period", "i8"),  # months after which a consumable is granted anew; 0: once for a term
        ("turned_on", "M8[D]"),  # when use became another
        ("turn", "f8"),  # use since then over use before
        ("odd_from", "M8[D]"),  # from when and until when use is reported in another unit
        ("odd_to", "M8[D]"),
    ]
)


def blank(count: int) -> Array:
    """Subscriptions with nothing remarkable about them."""
    rows = np.zeros(count, SUBSCRIPTION)
    rows["months"], rows["terms"], rows["invoiced"] = 12, 1_000, True
    for column in ("upgraded_on", "cancelled_on", "turned_on", "odd_from", "odd_to"):
        rows[column] = NEVER
    rows["factor"], rows["turn"], rows["deployments"] = 1.0, 1.0, 2
    return rows


def used_while_entitled(rows: Array, linger: Array | int) -> None:
    """Let use begin with the first term and end some days after the last, or the cancellation."""
    rows["used_from"] = rows["begin"]
    last = add_months(rows["begin"], rows["months"] * rows["terms"])
    rows["used_to"] = np.fmin(last, rows["cancelled_on"]) + np.asarray(linger, "m8[D]")


def daily_use(rows: Array, products: Products) -> Array:
    """What is used on an average day in the beginning: a level, or an amount."""
    days = np.maximum(1, np.rint(rows["months"] * 365 / 12))
    wanted = rows["ratio"] * rows["quantity"] * rows["factor"]
    return np.where(products.is_capacity[rows["product"]], wanted, wanted / days)


def growth(rows: Array, day: date) -> Array:
    """How use of that day compares to that of the beginning."""
    years = (day_number(day) - rows["begin"]).astype(float) / 365.25
    turn = np.where(rows["turned_on"] <= day_number(day), rows["turn"], 1.0)
    return np.maximum(0.3, 1 + rows["trend"] * years) * turn


def is_granted_anew(rows: Array, products: Products) -> Array:
    """Whether the quantity is there each day or period anew, rather than once for a term."""
    return products.is_capacity[rows["product"]] | (rows["period"] > 0)


def day_within(start: date, end: date, share: float) -> np.datetime64:
    """The day that lies so far between the first and the last day."""
    return day_number(start + timedelta(int((end - start).days * share)))
