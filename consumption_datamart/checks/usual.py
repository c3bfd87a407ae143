"""What is usual of a day, by the days before it: pure, and the only place that says so."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

WEEKS = 4
"""Weeks whose same weekday a day is compared with."""
ENOUGH_WEEKS = 3
"""Of these days so many have to be known: on the first days nothing is unusual."""
MONTHS = 3
"""Months whose same place a month's end is compared with, too."""
LAST_PLACES = 2
"""Days at the end of a month that are its end; its first day is, too."""
BACK = 31 * (MONTHS + 1)
"""Days before a day that have to be read."""


class Usual(NamedTuple):
    """What is usual of a day.

    Attributes:
        low: of that and more.
        high: of that and less.
        told: of which days, in words.
    """

    low: float
    high: float
    told: str

    def distance(self, number: float) -> float:
        """How far a number is from what is usual."""
        return max(self.low - number, number - self.high, 0.0)

    def share(self, number: float) -> float:
        """The same, as a share of what is usual."""
        near = self.low if number < self.low else self.high
        return self.distance(number) / near if near else 0.0


def usual(series: Mapping[date, float], day: date) -> Usual | None:
    """What is usual of a day: the median of its weekday, which a single odd day does not move.

    A month's end may also be as the ends of the months before it were.

    Args:
        series: a number of each day.
        day: whose own number is not looked at.

    Returns:
        None: too little is known.
    """
    weeks = (day - timedelta(weeks=week) for week in range(1, WEEKS + 1))
    known = [series[each] for each in weeks if each in series]
    if len(known) < ENOUGH_WEEKS:
        return None
    middle = median(known)
    ends = [series[each] for each in _same_place(day) if each in series]
    weekday = f"{day:%A}s, the median of {len(known)} weeks"
    told = f"{weekday}, and at the ends of {len(ends)} months" if ends else weekday
    return (
        Usual(min(middle, *ends), max(middle, *ends), told) if ends else Usual(middle, middle, told)
    )


def _same_place(day: date) -> Iterator[date]:
    """The same place at the ends of the months before, counted from where months meet."""
    length = monthrange(day.year, day.month)[1]
    left = length - day.day
    if day.day > 1 and left >= LAST_PLACES:
        return
    first = day.replace(day=1)
    for _ in range(MONTHS):
        last_before = first - timedelta(days=1)
        first = last_before.replace(day=1)
        yield first if day.day == 1 else last_before - timedelta(days=left)


def amount(number: float) -> str:
    """A number in a sentence."""
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.1f}"


def between(found: Usual, unit: str) -> str:
    """`20 rows are usual on Thursdays, the median of 4 weeks`."""
    low, high = amount(found.low), amount(found.high)
    span = low if low == high else f"{low} to {high}"
    return f"{span} {unit} are usual on {found.told}"
