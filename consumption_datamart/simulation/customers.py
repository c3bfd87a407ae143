"""Who buys: identifiers, names before and after a change of name, and currencies."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from .arrays import Array, day_number
from .names import company_names, renamed
from .stories import RENAMED, STORIES, renamed_on
from .subscriptions import FAR

_RENAMED = 0.05  # share of customers
_CURRENCIES = ["USD", "EUR", "GBP"]


@dataclass(frozen=True)
class Customers:
    """Columns of customers; a customer is its position in them."""

    customer_id: list[str]
    name: list[str]
    later_name: list[str]
    renamed_on: Array
    currency: list[str]


def customers(random: np.random.Generator, count: int, start: date, end: date) -> Customers:
    """So many customers, of whom a few change their name once."""
    names = company_names(count)
    days = random.integers(-30, (end - start).days + 1, count).astype("m8[D]")
    chosen = (random.random(count) < _RENAMED) & (np.arange(count) >= STORIES)
    change = np.where(chosen, day_number(start) + days, FAR)
    change[RENAMED] = renamed_on(start, end)
    currencies = random.choice(len(_CURRENCIES), count, p=[0.6, 0.25, 0.15])
    return Customers(
        customer_id=[f"CUST-{100_001 + number}" for number in range(count)],
        name=names,
        later_name=[renamed(name) for name in names],
        renamed_on=change,
        currency=[_CURRENCIES[currency] for currency in currencies.tolist()],
    )
