"""The currencies that customers pay in, and what the reporting currency is worth."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from .agreements import UNQUOTED
from .arrays import Array, day_number, decimals
from .snapshots import Snapshots

REPORTING = "EUR"
_QUOTED = {"AUD": 0.605, "CAD": 0.672, "CHF": 1.064, "GBP": 1.153, "USD": 0.861}
_RARE, _RARELY = ["AUD", "CAD", "CHF"], 0.06  # and the share of customers who pay in one of these
_WITHOUT_RATE = "NZD"
_MONTHS, _STEP = 13, 0.014  # of rates in a dump; and how much they change from month to month


def with_rare(random: np.random.Generator, currency: list[str]) -> list[str]:
    """The customers' currencies; a few pay in another, and one in one that has no rate."""
    is_rare = random.random(len(currency)) < _RARELY
    other = random.choice(_RARE, len(currency))
    found: list[str] = np.where(is_rare, other, np.array(currency)).tolist()
    found[UNQUOTED : UNQUOTED + 1] = [_WITHOUT_RATE] * len(found[UNQUOTED : UNQUOTED + 1])
    return found


def exchange_rates(random: np.random.Generator, start: date, end: date) -> Snapshots:
    """The rates of each month; a dump has those of the last months."""
    months = np.arange(_month(start) - _MONTHS, _month(end) + 1)
    count = len(_QUOTED)
    steps = random.normal(0, _STEP, (len(months), count))
    rates = np.array([*_QUOTED.values()]) * np.exp(np.cumsum(steps, axis=0))
    valid_from = np.repeat(months.astype("M8[D]"), count)
    table: Any = pa.table(
        {
            "currency": pa.array([*_QUOTED] * len(months), pa.string()),
            "valid_from": pa.array(valid_from),
            "rate": decimals(rates.ravel(), places=8),
        }
    )
    until = np.repeat((months + _MONTHS).astype("M8[D]"), count)
    return Snapshots(table, valid_from, until)


def _month(day: date) -> Array:
    return day_number(day).astype("M8[M]")
