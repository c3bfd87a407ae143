"""A range of days, as partitions and reports are asked for."""

from datetime import date, timedelta
from typing import NamedTuple


class Days(NamedTuple):
    """Consecutive calendar days (UTC), both ends included."""

    first: date
    last: date

    def __contains__(self, day: object) -> bool:
        """Whether a day is one of these."""
        return isinstance(day, date) and self.first <= day <= self.last

    def __str__(self) -> str:
        """`2026-01-01` or `2026-01-01 … 2026-01-31`."""
        return f"{self.first}" if self.first == self.last else f"{self.first} … {self.last}"

    def until(self, last: date) -> "Days":
        """The same first day with another last one."""
        return Days(self.first, last)

    def extended(self, days: int) -> "Days":
        """As many further days at the end."""
        return self.until(self.last + timedelta(days=days))

    def spanning(self, other: "Days") -> "Days":
        """From the earlier first day to the later last day of the two."""
        return Days(min(self.first, other.first), max(self.last, other.last))
