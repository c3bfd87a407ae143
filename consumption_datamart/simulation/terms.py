"""The terms of subscriptions: every renewal of each, its upgrade and its cancellation."""

from datetime import date

import numpy as np

from .arrays import Array, add_months, day_number
from .products import Products
from .subscriptions import is_granted_anew

TERM = np.dtype(
    [
        ("subscription", "i8"),
        ("number", "i8"),  # 0 is the first term
        ("entitlement", "i8"),
        ("amendment", "i8"),
        ("posted", "M8[D]"),  # and invoiced
        ("starts_on", "M8[D]"),
        ("ends_on", "M8[D]"),
        ("quantity", "f8"),
    ]
)
_MOST = 900_000  # beyond a million a quantity is unusual


def terms(subscriptions: Array, end: date) -> Array:
    """All terms that are sold by that day, in the order of their sale."""
    parts, number = [], 0
    chosen = np.flatnonzero(subscriptions["terms"] > 0)
    while True:
        rows = subscriptions[chosen]
        starts_on = add_months(rows["begin"], rows["months"] * number)
        part = np.zeros(len(chosen), TERM)
        part["subscription"], part["number"] = chosen, number
        part["starts_on"], part["posted"] = starts_on, starts_on - rows["lead"].astype("m8[D]")
        part["ends_on"] = add_months(rows["begin"], rows["months"] * (number + 1))
        grown = rows["quantity"] * np.maximum(0.3, 1 + rows["trend"] * number)
        factor = np.where(starts_on > rows["upgraded_on"], rows["factor"], 1.0)
        part["quantity"] = np.clip(np.rint(grown * factor), 1, _MOST)

        sold = (rows["terms"] > number) & (part["posted"] <= day_number(end))
        sold &= ~(part["posted"] >= rows["cancelled_on"])
        if not sold.any():
            break
        parts.append(part[sold])
        chosen, number = chosen[sold], number + 1
    every = np.concatenate([np.zeros(0, TERM), *parts])
    every = every[np.lexsort((every["subscription"], every["posted"]))]
    every["entitlement"] = np.arange(1, len(every) + 1)
    return every


def upgrades(every: Array, subscriptions: Array, products: Products, end: date) -> Array:
    """The amendments that entitle to more for the rest of a term."""
    day = subscriptions["upgraded_on"][every["subscription"]]
    chosen = (every["starts_on"] <= day) & (day < every["ends_on"]) & (day <= day_number(end))
    before, day = every[chosen], day[chosen]
    rows = before.copy()
    rows["amendment"], rows["posted"], rows["starts_on"] = 1, day, day
    # what is consumed is bought for the days that are left, what is granted anew for each of them
    left = (before["ends_on"] - day) / (before["ends_on"] - before["starts_on"])
    share = np.where(is_granted_anew(subscriptions[rows["subscription"]], products), 1.0, left)
    factor = subscriptions["factor"][rows["subscription"]]
    rows["quantity"] = np.clip(np.rint(before["quantity"] * factor * share), 1, _MOST)
    return rows


def cancellations(every: Array, subscriptions: Array, end: date) -> Array:
    """The amendments that end a term early, or before it has begun: they end as they start."""
    day = subscriptions["cancelled_on"][every["subscription"]]
    chosen = (every["posted"] <= day) & (day < every["ends_on"]) & (day <= day_number(end))
    rows, day = every[chosen].copy(), day[chosen]
    rows["amendment"], rows["posted"], rows["quantity"] = 1, day, 0
    rows["starts_on"] = rows["ends_on"] = np.maximum(day, rows["starts_on"])
    return rows
