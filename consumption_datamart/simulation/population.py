"""All other customers: a mixture of those who use what they bought, and those who do not."""

from datetime import date

import numpy as np

from .arrays import Array, add_months, day_number
from .products import Products
from .subscriptions import FAR, NEVER, blank, used_while_entitled

_SOON = 0.4  # share of customers whose term ends within 90 days after the last day
_NEW = 0.1  # share of customers whose first term begins in the time shown
_UPGRADED, _CANCELLED, _TRIED, _NEVER_BOUGHT = 0.06, 0.02, 0.04, 0.06  # shares of subscriptions

# over, healthy, low, at_risk, unused: how many are so, and their use over their entitlement
_SHARES = [0.14, 0.42, 0.22, 0.13, 0.09]
_RATIOS = np.array([(1.06, 1.45), (0.74, 0.95), (0.35, 0.65), (0.05, 0.24), (0.0, 0.0)])
_LEAVES = np.array([0.04, 0.06, 0.15, 0.40, 0.55])  # of those whose term ends
_ORDERS = np.array([1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12])  # times the product's usual size


def population(
    random: np.random.Generator, customers: range, products: Products, start: date, end: date
) -> Array:
    """The subscriptions of these customers: one to four products each, bought together."""
    bought = random.choice([1, 2, 3, 4], len(customers), p=[0.3, 0.35, 0.25, 0.1])
    bought = np.minimum(bought, products.sold)
    begin = _contract_days(random, len(customers), start, end)
    lead = random.integers(0, 22, len(customers))
    favourite = random.integers(0, products.sold, len(customers))

    owner = np.repeat(np.arange(len(customers)), bought)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(bought) - bought, bought)
    rows = blank(len(owner))
    rows["customer"] = customers.start + owner
    rows["product"] = (favourite[owner] + place) % products.sold
    rows["quantity"] = products.size[rows["product"]] * random.choice(_ORDERS, len(rows))
    rows["begin"], rows["lead"] = begin[owner], lead[owner]
    rows["trend"] = random.uniform(-0.06, 0.10, len(rows))
    rows["deployments"] = random.integers(1, 5, len(rows))

    profile = random.choice(len(_SHARES), len(rows), p=_SHARES)
    least, most = _RATIOS[profile].T
    rows["ratio"] = least + (most - least) * random.random(len(rows))
    elapsed = (day_number(start) - rows["begin"]).astype(int) // 366
    rows["terms"] = np.maximum(0, elapsed) + random.geometric(_LEAVES[profile])
    _amend(random, rows, start, end)
    used_while_entitled(rows, linger=random.integers(0, 10, len(rows)))
    _unentitled(random, rows, place > 0, start, end)
    return rows


def _contract_days(random: np.random.Generator, count: int, start: date, end: date) -> Array:
    """First days of the first terms: most long ago, many to end within 90 days after the end."""
    soon = random.random(count) < _SOON
    ahead = np.where(soon, random.integers(1, 91, count), random.integers(1, 366, count))
    anniversary = day_number(end) + ahead.astype("m8[D]")
    years = (anniversary - day_number(start)).astype(int) // 365 + 1 + random.integers(0, 2, count)
    new = random.random(count) < _NEW
    fresh = day_number(start) + random.integers(0, (end - start).days + 1, count).astype("m8[D]")
    return np.where(new, fresh, add_months(anniversary, -12 * years))


def _amend(random: np.random.Generator, rows: Array, start: date, end: date) -> None:
    """Let a few buy more, and a few cancel."""
    luck = random.random(len(rows))
    days = random.integers(0, (end - start).days + 1, len(rows)).astype("m8[D]")
    day = day_number(start) + days
    settled = rows["begin"] < day
    upgraded = settled & (luck < _UPGRADED)
    rows["upgraded_on"] = np.where(upgraded, day, NEVER)
    rows["factor"] = np.where(upgraded, random.choice([1.25, 1.5, 2.0], len(rows)), 1.0)
    cancelled = settled & ~upgraded & (luck < _UPGRADED + _CANCELLED)
    rows["cancelled_on"] = np.where(cancelled, day, NEVER)


def _unentitled(
    random: np.random.Generator, rows: Array, chosen: Array, start: date, end: date
) -> None:
    """Let some products beside a customer's first be tried out, or used though never bought."""
    luck = random.random(len(rows))
    days = random.integers(-30, (end - start).days + 1, len(rows)).astype("m8[D]")
    plain = chosen & np.isnat(rows["upgraded_on"]) & np.isnat(rows["cancelled_on"])
    tried, used = plain & (luck < _TRIED), plain & (luck > 1 - _NEVER_BOUGHT)
    either = tried | used
    rows["begin"] = np.where(either, day_number(start) + days, rows["begin"])
    rows["months"] = np.where(tried, 2, rows["months"])
    rows["terms"] = np.where(tried, 1, np.where(used, 0, rows["terms"]))
    rows["invoiced"] &= ~tried
    rows["lead"] = np.where(tried, 0, rows["lead"])
    rows["quantity"] = np.where(tried, np.ceil(rows["quantity"] / 8), rows["quantity"])
    rows["ratio"] = np.where(used, 0.15, rows["ratio"])
    rows["used_from"] = np.where(either, rows["begin"], rows["used_from"])
    trial_end = add_months(rows["begin"], 2)
    rows["used_to"] = np.where(used, FAR, np.where(tried, trial_end, rows["used_to"]))
