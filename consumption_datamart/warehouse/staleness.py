"""Which days of which tables await their refresh, because what they are made of is newer.

Daily tables that read a daily table are stale on the days that their windows share with what was
published. Daily tables that read one without days, a dimension, are stale where the change of it
shows: on the days that one more or one fewer of its rows is about, of those columns that are read.
What was built, and what of that is stale, is written down in the transaction that makes it so; so
it outlives runs that are killed, and schedulers that forget.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import Built
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.changes import changed_days, changes, days_seen
from consumption_datamart.warehouse.code import code_version
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.transaction import Transaction

BEFORE = "rows_before"

BuiltDays = dict[str, dict[date | None, bool]]
"""Full name → the days of a table that were built, None of one without days, and whether each
awaits its refresh."""


@dataclass(frozen=True)
class Dependent:
    """A table that is made of the one that is published.

    Attributes:
        model: the dependent table.
        window: of a daily table that it reads: over how many days, ending on the day.
        columns: of a table without days that it reads: those that it reads; empty: all.
        daily: daily tables that it reads besides, with their windows.
    """

    model: type[Table]
    window: int = 1
    columns: Sequence[str] = ()
    daily: Mapping[type[Table], int] = field(default_factory=dict)


class Staleness:
    """What one publication makes stale, and what it refreshes.

    Create it before the table is cleared, for the rows as they were.
    """

    def __init__(
        self, transaction: Transaction, model: type[Table], dependents: Sequence[Dependent]
    ) -> None:
        """Keeps the rows of a table without days that daily tables read."""
        self.transaction, self.model, self.dependents = transaction, model, dependents
        transaction.renew(Built)
        transaction.require(ReportingDay)
        if model.day_column() is None and any(each.model.day_column() for each in dependents):
            transaction.require(model)
            transaction.copy(model, BEFORE)

    def published(self, days: Days | None) -> dict[str, list[Days]]:
        """Writes down that the table, or the days of it, are built, and what that makes stale.

        Args:
            days: that were published, of a daily table.

        Returns:
            Full name → the days of each daily dependent that are to be built, or built again.
        """
        self._write_down(days)
        awaiting = self._awaiting()
        touched: dict[str, list[Days]] = {}
        for dependent in self.dependents:
            name = dependent.model.full_name()
            if dependent.model.day_column() is None:
                self._mark(name, None)
                continue
            found = self._touched(dependent, days)
            for range_ in Days.ranges(found):
                self._mark(name, range_)
            touched[name] = Days.ranges(found | awaiting[name])
        return touched

    def _awaiting(self) -> dict[str, set[date]]:
        """By the tables' names: the days of daily tables that await their refresh already."""
        built = self.transaction.warehouse.qualified(Built)
        stale = f"SELECT built_table, built_day FROM {built} WHERE is_stale"
        days: dict[str, set[date]] = defaultdict(set)
        for name, day in self.transaction.backend.raw_sql(stale).fetchall():
            if day is not None:
                days[name].add(day_of(day))
        return days

    def _touched(self, dependent: Dependent, days: Days | None) -> set[date]:
        """The days of a daily dependent that what was published is about."""
        if days is not None:
            # days after the last one are touched when they come to be reported
            last = max(self._reporting, default=days.last)
            until = min(days.last + timedelta(days=dependent.window - 1), last)
            return set(Days(days.first, max(until, days.last)).each())
        now = self.transaction.slice(self.model)
        if self.model is ReportingDay:
            return self._days(self._before) ^ self._days(now)
        if not self._reporting or self._is_first:
            return self._reporting
        spans = changes(self._before, now, dependent.columns)
        seen = days_seen(self.transaction, spans, dependent.daily)
        within = Days(min(self._reporting), max(self._reporting))
        return changed_days(self.transaction, spans, seen, within) & self._reporting

    @cached_property
    def _reporting(self) -> set[date]:
        """The days of the mart."""
        return self._days(self.transaction.slice(ReportingDay))

    @property
    def _before(self) -> ir.Table:
        """The rows as they were."""
        return ibis.table(self.transaction.warehouse.table(self.model).schema(), name=BEFORE)

    @cached_property
    def _is_first(self) -> bool:
        """Whether there were no rows."""
        return not self.transaction.rows(self._before.limit(1))

    def _write_down(self, days: Days | None) -> None:
        built, name = self.transaction.warehouse.qualified(Built), self.model.full_name()
        self.transaction.backend.raw_sql(f"DELETE FROM {built} WHERE {_which(name, days)}")
        frame = pd.DataFrame({"built_day": pd.date_range(*days) if days else [pd.NaT]})
        frame = frame.assign(built_table=name, is_stale=False, code_version=code_version())
        self.transaction.append(Built, frame)

    def _mark(self, name: str, days: Days | None) -> None:
        built = self.transaction.warehouse.qualified(Built)
        self.transaction.backend.raw_sql(
            f"UPDATE {built} SET is_stale = TRUE WHERE {_which(name, days)}"
        )

    def _days(self, rows: ir.Table) -> set[date]:
        found = self.transaction.rows(rows.select("day"))
        return {day_of(day) for (day,) in found}


def built_days(warehouse: Warehouse, *, any_code: bool = True) -> BuiltDays:
    """What was built.

    Args:
        warehouse: in which table `monitoring.built` is.
        any_code: whether what other code has built is as good.
    """
    rows = warehouse.table(Built)
    if not any_code:
        rows = rows.mutate(is_stale=rows.is_stale | (rows.code_version != code_version()))
    found = warehouse.find(Built, rows.drop("code_version"))
    return {} if found is None else _built(found)


def _built(frame: pd.DataFrame) -> BuiltDays:
    days = pd.to_datetime(frame.built_day).dt.date
    frame = frame.assign(day=days.where(days.notna(), None), is_stale=frame.is_stale.astype(bool))
    return {
        str(name): dict(zip(of_table.day, of_table.is_stale, strict=True))
        for name, of_table in frame.groupby("built_table")
    }


def _which(name: str, days: Days | None) -> str:
    within = f" AND built_day BETWEEN '{days.first}' AND '{days.last}'" if days else ""
    return f"built_table = '{name}'{within}"
