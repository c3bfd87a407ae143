"""A range of days, as partitions and reports are asked for."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple, Self


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

    @classmethod
    def ranges(cls, days: Iterable[date]) -> list[Self]:
        """Any days as the fewest ranges, in order."""
        found: list[Self] = []
        for day in sorted(set(days)):
            if found and day == found[-1].last + timedelta(days=1):
                found[-1] = cls(found[-1].first, day)
            else:
                found.append(cls(day, day))
        return found

    def each(self) -> Iterator[date]:
        """The days, one by one."""
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))

    def without(self, day: date) -> list["Days"]:
        """What is left around one of the days."""
        around = Days(self.first, day - timedelta(days=1)), Days(day + timedelta(days=1), self.last)
        return [days for days in around if days.first <= days.last]

    def spanning(self, other: "Days") -> "Days":
        """From the earlier first day to the later last day of the two."""
        return Days(min(self.first, other.first), max(self.last, other.last))
