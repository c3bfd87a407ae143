"""The grain of a table in time: none, or one period a partition: a day, a week, a month.

A period is called by its first day. What is asked of a table are `Days`; they stand for all periods
that have any of them.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum

from consumption_datamart.schema.days import Days

ONE = timedelta(days=1)


class Grain(StrEnum):
    """How much time a partition of a table is about."""

    NONE = "none"
    DAY = "day"
    WEEK = "week"
    """From Monday to Sunday, as ISO 8601 has it."""
    MONTH = "month"

    def first(self, day: date) -> date:
        """First day of the period that has a day."""
        if self is Grain.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is Grain.MONTH else day

    def shift(self, first: date, periods: int) -> date:
        """First day of the period so many periods later; earlier where that is negative."""
        if self is Grain.MONTH:
            years, month = divmod(first.month - 1 + periods, 12)
            return date(first.year + years, month + 1, 1)
        return first + timedelta(days=periods * (7 if self is Grain.WEEK else 1))

    def period(self, first: date, window: int = 1) -> Days:
        """The days of a period, or of so many periods of which it is the last."""
        return Days(self.shift(first, 1 - window), self.shift(first, 1) - ONE)

    def whole(self, days: Days) -> Days:
        """All days of the periods that have any of the days."""
        if self in (Grain.NONE, Grain.DAY):
            return days
        return Days(self.first(days.first), self.shift(self.first(days.last), 1) - ONE)

    def each(self, days: Days) -> Iterator[date]:
        """The periods that have any of the days, in order."""
        if self is Grain.DAY:
            yield from days.each()
            return
        first = self.first(days.first)
        while first <= days.last:
            yield first
            first = self.shift(first, 1)

    def ranges(self, periods: Iterable[date]) -> list[Days]:
        """Any periods as the fewest ranges of their days, in order."""
        found: list[Days] = []
        for first in sorted(set(periods)):
            days = self.period(first)
            if found and first == found[-1].last + ONE:
                found[-1] = Days(found[-1].first, days.last)
            else:
                found.append(days)
        return found
