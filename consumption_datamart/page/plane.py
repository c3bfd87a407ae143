"""The canvas of a chart, which fits a phone: planes, round numbers, days, and paths on it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 18, 20
SPARK_WIDTH, SPARK_HEIGHT = 96, 24
LABELS = 6
"""Dates below a chart, at most."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """What the template draws.

    Attributes:
        title: what it shows, for whoever does not see it, too.
        unit: of the numbers at its side.
        marks: classes and paths, in the order in which they are drawn.
        rows: heights and labels of the numbers at the side.
        columns: places and labels of the days below.
        legend: classes and words.
    """

    title: str
    unit: str
    marks: Sequence[tuple[str, str]] = ()
    rows: Sequence[tuple[float, str]] = ()
    columns: Sequence[tuple[float, str]] = ()
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Frame:
    """The plane of a chart: days from left to right, numbers from below.

    Attributes:
        first: day at the left edge.
        last: day at the right edge.
        top: number at the upper edge.
    """

    first: date
    last: date
    top: float
    ticks: Sequence[float] = field(default_factory=tuple)

    @classmethod
    def of(cls, first: date, last: date, greatest: float) -> "Frame":
        """With round numbers at the side, the last of which is not below the greatest."""
        ticks = round_numbers(greatest)
        return cls(first, max(last, first + timedelta(days=1)), ticks[-1], ticks)

    def x(self, day: date) -> float:
        """Where a day begins."""
        share = (day - self.first).days / (self.last - self.first).days
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        """Where a number is; what is above the plane is at its edge."""
        share = min(max(value / self.top, 0.0), 1.0)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def rows(self, percent: bool = False) -> list[tuple[float, str]]:
        """Heights and labels of the round numbers."""
        return [
            (self.y(tick), f"{tick * 100:,.0f} %" if percent else short(tick))
            for tick in self.ticks
        ]

    def columns(self) -> list[tuple[float, str]]:
        """Places and labels of some days."""
        return [(self.x(day), label) for day, label in _days(self.first, self.last)]


def short(value: float) -> str:
    """A round number in few signs: `150k`, `2.5M`."""
    for least, unit in ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if value >= least:
            return f"{value / {'k': 1e3}.get(unit, least):,.6g}{unit}"
    return f"{value:,.6g}"


def round_numbers(greatest: float) -> list[float]:
    """0 and up to five steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not greatest > 0 or not math.isfinite(greatest):
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(greatest / 4))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power * 4 >= greatest * 0.999)
    return [step * n for n in range(math.ceil(greatest / step - 1e-9) + 1)]


def _days(first: date, last: date) -> list[tuple[date, str]]:
    """First days of months, so many that they can be read; of a short time some days."""
    days = (last - first).days
    if days < 62:
        every = max(1, -(-days // (LABELS - 1)))
        found = [first + timedelta(days=n) for n in range(0, days + 1, every)]
        return [(day, f"{day.day} {day:%b}") for day in found if _fits(day, first, last)]
    months = [
        date(year, month, 1)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13)
        if first <= date(year, month, 1) <= last
    ]
    apart = next(n for n in (1, 2, 3, 6, 12, 24, 60, 1200) if len(months) / n <= LABELS)
    shown = [day for day in months if (day.year * 12 + day.month - 1) % apart == 0]
    is_years = apart >= 12
    return [
        (day, f"{day:%Y}" if is_years or day.month == 1 else f"{day:%b}")
        for day in shown
        if _fits(day, first, last)
    ]


def _fits(day: date, first: date, last: date) -> bool:
    """Whether a label in the middle of its day does not leave the canvas."""
    return (last - day).days / max((last - first).days, 1) >= 0.03


def line(points: Iterable[Point]) -> str:
    """A path through points, each told by its distance from the one before: that is shorter."""
    told, before = "", (0, 0)
    for x, y in points:
        at = round(x * 10), round(y * 10)  # tenths, so that no error grows along the line
        command = "l" if told else "M"
        told += f"{command}{(at[0] - before[0]) / 10:g} {(at[1] - before[1]) / 10:g}"
        before = at
    return told


def area(upper: Sequence[Point], lower: Sequence[Point]) -> str:
    """The area between two lines over the same places."""
    return f"{line([*upper, *reversed(lower)])}Z" if upper else ""


def box(left: float, right: float, upper: float, lower: float) -> str:
    """A rectangle."""
    return f"M{left:.1f} {upper:.1f}H{right:.1f}V{lower:.1f}H{left:.1f}Z"


def spark(values: Sequence[float], greatest: float | None = None) -> str:
    """A small line of values from 0 on, without any axis; '' of fewer than two."""
    top = greatest or max(values, default=0.0) or 1.0
    if len(values) < 2:
        return ""
    wide, high = SPARK_WIDTH - 4, SPARK_HEIGHT - 4
    return line(
        (2 + wide * n / (len(values) - 1), 2 + high * (1 - min(each / top, 1.0)))
        for n, each in enumerate(values)
    )
