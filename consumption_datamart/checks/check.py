"""What a check is: a pure function from tables to a measure, and the most that it may be."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.memo import memoized
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.rows import on_days

MODEL = "model"
"""Name of the check that a table satisfies its model."""
TODAY, DAYS = "today", "days"
"""Arguments by which a function asks for the date (UTC), and for the days that are looked at."""

EPOCH = date(2000, 1, 1)


Fetch = Callable[[type[Table]], list[tuple[Any, ...]]]
"""All rows of a table."""


class Compared(NamedTuple):
    """What a day, or a table, is, compared with others.

    Attributes:
        measured: None: there is too little to compare it with.
        rows: that it has too many or too few.
        told: what it is and what is usual, in a sentence.
    """

    measured: float | None
    rows: int = 0
    told: str = ""


@dataclass(frozen=True)
class Check:
    """What must be true of a table.

    Attributes:
        name: unique among the checks of the table.
        model: the table whose asset it is a check of.
        description: what it requires, in a sentence.
        measure: a pure function to the columns `measured` (null: too little to measure) and `rows`
            (that it finds fault with); of a partitioned table also `day`, the first of a period.
            Its arguments are those of `reads`, and `today` and `days` if it asks for them.
        reads: argument → table; of daily tables it gets the days that are looked at.
        limit: it passes where no more than that is measured, or nothing.
        kind: what it is about, one of `KINDS`.
        is_blocking: whether what fails it must not be published.
        windows: argument → over how many days, ending on the day, it reads a daily table.
        compare: what is measured of a day by the numbers of all days, which are then what `measure`
            gives; of a table without days that of the last counts.
        judge: what is measured of the table as a whole, where that is said of it and not of its
            rows; `measure` and `reads` are not asked then.
    """

    name: str
    model: type[Table]
    description: str
    measure: Callable[..., ir.Table]
    reads: Mapping[str, type[Table]]
    limit: float = 0.0
    kind: str = "correctness"
    is_blocking: bool = False
    windows: Mapping[str, int] = field(default_factory=dict)
    compare: Callable[[Mapping[date, float], date], Compared] | None = None
    judge: Callable[[Fetch], Compared] | None = None

    @property
    def severity(self) -> str:
        """`error` where a wrong figure would reach a reader, else `warn`."""
        return "error" if self.is_blocking else "warn"

    def days_of(self, days: Days | None) -> Iterable[date | None]:
        """The periods that it has a result for, of the days looked at; None: the whole table."""
        return self.model.periods(days)

    def expression(
        self, table: Callable[[type[Table]], ir.Table], days: Days | None, today: date
    ) -> ir.Table:
        """The measure: day (null for a table without days), measured, rows.

        Args:
            table: a table as an expression.
            days: that are looked at, of a daily table.
            today: the date, UTC.
        """
        given: dict[str, ir.Table | date | Days | None] = {}
        for name, model in self.reads.items():
            read = days
            if days is not None:
                back = timedelta(days=self.windows.get(name, 1) - 1)
                read = Days(days.first - back, days.last)
            given[name] = on_days(model, table(model), read)
        asked = inspect.signature(self.measure).parameters
        given |= {TODAY: today} if TODAY in asked else {}
        given |= {DAYS: days} if DAYS in asked else {}
        is_dated = self.model.day_column() is not None or self.compare is not None
        return _measured(self.measure, is_dated, tuple(given), *given.values())

    def result(
        self, day: date | None, measured: float | None, rows: int, told: str = ""
    ) -> "Result":
        """What it is of a day, or of the table, that so much was measured."""
        # what is no number is not within the limit either
        passed = measured is None or measured <= self.limit
        return Result(self, day, passed, measured, rows, told)


@dataclass(frozen=True)
class Result:
    """An evaluation of a check.

    Attributes:
        check: that was evaluated.
        day: that was looked at; None: the whole table.
        passed: whether it holds.
        measured: what was measured; None: too little to measure.
        rows: that the check finds fault with.
        told: what was found, in a sentence, where the check has one.
    """

    check: Check
    day: date | None
    passed: bool
    measured: float | None = None
    rows: int = 0
    told: str = ""

    def __str__(self) -> str:
        """What is wrong, in a line."""
        on = f" on {self.day}" if self.day else ""
        if self.told:
            return f"{self.check.name}{on}: {self.told}"
        measured = "nothing" if self.measured is None else f"{self.measured:g}"
        return f"{self.check.name}{on}: {measured} where at most {self.check.limit:g} may be"


@memoized
def _measured(
    measure: Callable[..., ir.Table], is_dated: bool, names: Sequence[str], *given: object
) -> ir.Table:
    found = measure(**dict(zip(names, given, strict=True)))
    day = found.day if is_dated else ibis.null("date")
    return found.select(
        day=day,
        measured=found.measured.cast("float64"),
        rows=found["rows"].fill_null(0).cast("int64"),
    )


def number(day: ir.DateColumn) -> ir.IntegerColumn:
    """Days counted from one day on: numbers, as not every engine adds days to dates."""
    return day.delta(ibis.literal(EPOCH), unit="day")


def grouped(rows: ir.Table, day: str | None) -> ir.Table:
    """Rows by day, ready to aggregate; all together where the table has no days."""
    return rows if day is None else rows.group_by(day=rows[day])
