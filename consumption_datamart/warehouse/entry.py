"""What a publication writes into the ledger: that it was made, and on which days its change shows.

Daily tables that read a daily table follow it day by day, by the versions of its days. Daily tables
that read one without days, a dimension, are concerned where the change of it shows: on the days
that one more or one fewer of its rows is about, of those columns that are read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.changes import changed_days, changes, days_seen
from consumption_datamart.warehouse.ledger import (
    Change,
    require_ledger,
    write_awaited,
    write_publication,
)
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.transaction import Transaction

BEFORE = "rows_before"


@dataclass(frozen=True)
class Dependent:
    """A daily table that is made of a table without days.

    Attributes:
        model: the dependent table.
        columns: the only columns that it reads; empty: all.
        daily: daily tables that it reads besides, with their windows.
    """

    model: type[Table]
    columns: Sequence[str] = ()
    daily: Mapping[type[Table], int] = field(default_factory=dict)


class LedgerEntry:
    """What one publication writes into the ledger.

    Create it before the table is cleared, for the rows as they were.
    """

    def __init__(
        self,
        transaction: Transaction,
        model: type[Table],
        dependents: Sequence[Dependent],
        *,
        is_compared: bool = False,
    ) -> None:
        """Keeps the rows of a table without days that daily tables read.

        Args:
            transaction: that publishes.
            model: the table.
            dependents: the tables that are made of it.
            is_compared: whether to find out if all rows are as they were.
        """
        self.transaction, self.model = transaction, model
        self.dependents = [each for each in dependents if each.model.day_column()]
        require_ledger(transaction)
        needs_rows = bool(self.dependents) or (is_compared and bool(dependents))
        self._has_before = False
        if model.day_column() is None and needs_rows and not transaction.lacks(model):
            transaction.upgrade(model)  # its readers may ask for a column that is new
            transaction.copy(model, BEFORE)
            self._has_before = True

    def write(self, days: Days | None) -> dict[str, list[Days]]:
        """Writes down that the table, or days of it, are published, and what that touches.

        Args:
            days: that were published, of a daily table.

        Returns:
            Of a table without days: full name → the days of each daily dependent on which its
            change shows.
        """
        if self.model.day_column() is not None:
            write_publication(self.transaction, self.model, days)
            return {}
        if self._is_as_before():
            write_publication(self.transaction, self.model, days, is_changed=False)
            return {each.model.full_name(): [] for each in self.dependents}
        touched = {
            each.model: set(map(each.model.grain().first, self._touched(each)))
            for each in self.dependents
        }
        # last, as others wait for the ledger from then on
        version = write_publication(self.transaction, self.model, days)
        write_awaited(self.transaction, touched, Change(self.model.full_name(), version))
        return {m.full_name(): m.grain().ranges(periods) for m, periods in touched.items()}

    def _is_as_before(self) -> bool:
        """Whether the table has the rows that it had; each is there once, by the table's key."""
        now = self.transaction.slice(self.model)
        return self._has_before and not any(
            self.transaction.rows(ibis.difference(some, others).limit(1))
            for some, others in ((now, self._before), (self._before, now))
        )

    def _touched(self, dependent: Dependent) -> set[date]:
        """The days of a daily dependent on which the change shows."""
        now = self.transaction.slice(self.model)
        if self.model is ReportingDay:
            return self._days(now) ^ (self._days(self._before) if self._has_before else set())
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
        return not self._has_before or not self.transaction.rows(self._before.limit(1))

    def _days(self, rows: ir.Table) -> set[date]:
        return {day_of(day) for (day,) in self.transaction.rows(rows.select("day"))}
