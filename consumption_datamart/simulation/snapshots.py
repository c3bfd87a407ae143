"""A table that is dumped whole: on the lake's first day, and on the first of each month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import Array, day_number
from .subscriptions import FAR

ALWAYS = np.datetime64("1900-01-01", "D")


@dataclass(frozen=True)
class Snapshots:
    """Rows, and the days on which each of them is so: since <= day < until."""

    rows: Any
    since: Array
    until: Array

    def on(self, day: date) -> Any:
        """The rows of that day's dump."""
        today = day_number(day)
        return self.rows.filter(pa.array((self.since <= today) & (today < self.until)))


def unchanging(rows: Any) -> Snapshots:
    """Rows that are so on all days."""
    return Snapshots(rows, np.full(len(rows), ALWAYS), np.full(len(rows), FAR))


def snapshot_days(start: date, end: date) -> list[date]:
    """The days on which tables are dumped whole."""
    days = [start + timedelta(number) for number in range((end - start).days + 1)]
    return [day for day in days if day == start or day.day == 1]
