"""The ledger: what was published, on which days a change shows, and what has failed.

It is written in the transaction that publishes, so that it is true whatever is killed. Every
publication has a number, its version. A table is stale where something that it is made of has a
later one; what is to be refreshed is decided from that alone (see `planning`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
from ibis.backends.sql import SQLBackend

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.memo import memoized
from consumption_datamart.schema.monitoring import (
    AwaitedDay,
    FailedDay,
    PrunedDay,
    Publication,
    TableVersion,
)
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.code import code_version
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.transaction import Transaction, rows_of
from consumption_datamart.warehouse.versions import note_versions

Day = date | None
"""A partition, by the first day of its period; None stands for a table without partitions."""


class Published(NamedTuple):
    """A table, or a day of a daily one, as it was last published.

    Attributes:
        version: number of the publication.
        changed: of the publication by which its rows became what they are; what was made before it
            of the table is stale.
        is_current: whether the code that builds it is still the same.
    """

    version: int
    changed: int
    is_current: bool


class Change(NamedTuple):
    """A change of a table without days that shows on a day."""

    table: str
    version: int


class Failure(NamedTuple):
    """A refresh that failed.

    Attributes:
        version: of the last publication before it; a later one of an input is a new reason to try.
        dump_version: of the dump that could not be loaded, '' where none was.
    """

    version: int
    dump_version: str


@dataclass(frozen=True)
class Ledger:
    """What was published, and what has happened since.

    Attributes:
        published: full name → day → what was last published.
        awaited: full name of a daily table → day → the last change that shows on it.
        failed: full name → day → the refresh that failed.
        reporting: first to last day of the mart; None: there are none yet.
        pruned: full name of a raw table → the days whose rows were pruned.
    """

    published: Mapping[str, Mapping[Day, Published]] = field(default_factory=dict)
    awaited: Mapping[str, Mapping[date, Change]] = field(default_factory=dict)
    failed: Mapping[str, Mapping[Day, Failure]] = field(default_factory=dict)
    reporting: Days | None = None
    pruned: Mapping[str, Set[date]] = field(default_factory=dict)

    def of(self, table: str) -> Mapping[Day, Published]:
        """What was published of a table, by its full name."""
        return self.published.get(table, {})


def read_ledger(warehouse: Warehouse) -> Ledger:
    """The ledger as it is; empty where nothing is built.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse.is_there():
        return Ledger()
    with warehouse.reader() as backend:
        return ledger_in(warehouse, backend)


def ledger_in(warehouse: Warehouse, backend: SQLBackend) -> Ledger:
    """The ledger as a connection to the warehouse sees it."""
    there = warehouse.tables(backend)

    def rows(model: type[Table]) -> Iterator[tuple[Any, ...]]:
        if model.full_name() in there:
            yield from rows_of(backend, warehouse.table(model))

    published: dict[str, dict[Day, Published]] = defaultdict(dict)
    code = code_version()
    for table, day, version, built_by, *changed in rows(Publication):
        # a warehouse of an earlier version does not say by which publication rows changed
        entry = Published(version, changed[0] if changed else version, built_by == code)
        published[table][day and day_of(day)] = entry
    awaited: dict[str, dict[date, Change]] = defaultdict(dict)
    for table, day, changed, version in sorted(rows(AwaitedDay), key=lambda row: row[3]):
        awaited[table][day_of(day)] = Change(changed, version)
    failed: dict[str, dict[Day, Failure]] = defaultdict(dict)
    for table, day, version, dump in rows(FailedDay):
        failed[table][day and day_of(day)] = Failure(version, dump)
    days = sorted(day_of(day) for (day,) in rows(ReportingDay))
    pruned: dict[str, set[date]] = defaultdict(set)
    for table, day in rows(PrunedDay):
        pruned[table].add(day_of(day))
    return Ledger(published, awaited, failed, Days(days[0], days[-1]) if days else None, pruned)


def next_version(transaction: Transaction) -> int:
    """The number of the publication that is being made: publications are committed in order."""
    transaction.await_ledger()
    rows = transaction.slice(Publication)
    ((last,),) = transaction.rows(rows.aggregate(last=rows.version.max()))
    return int(last or 0) + 1


def is_current(transaction: Transaction, model: type[Table]) -> bool:
    """Whether a table without partitions was last published by this code."""
    return _said(transaction, model, "code_version") == [(code_version(),)]


def write_publication(
    transaction: Transaction, model: type[Table], days: Days | None, *, is_changed: bool = True
) -> int:
    """Writes down that a table, or days of it, are published; they await nothing any more.

    Args:
        transaction: that publishes.
        model: the table.
        days: of a daily table.
        is_changed: False: a table without days has the very rows that it had, so that what is
            made of it need not be made anew.

    Returns:
        The version of the publication.
    """
    version, name = next_version(transaction), model.full_name()
    note_versions(transaction, [model])
    changed = (None if is_changed else _changed(transaction, model)) or version
    forget(transaction, model, days and model.grain().whole(days))
    rows = [(name, day, version, code_version(), changed) for day in model.periods(days)]
    transaction.append(Publication, rows)
    return version


def _changed(transaction: Transaction, model: type[Table]) -> int | None:
    """Since when a table without days has the rows that it has; None: it is to be built anew."""
    return next((int(each) for (each,) in _said(transaction, model, "changed_version")), None)


def _said(transaction: Transaction, model: type[Table], column: str) -> list[tuple[Any, ...]]:
    """A column of what is said of the last publication of a table without partitions."""
    rows = transaction.slice(Publication)
    found = rows.filter(rows.published_table == ibis.literal(model.full_name()))
    return transaction.rows(found.select(column))


def write_awaited(
    transaction: Transaction, awaited: Mapping[type[Table], set[date]], change: Change
) -> None:
    """Writes down on which days of which daily tables a change shows."""
    rows = [
        (model.full_name(), day, change.table, change.version)
        for model, days in awaited.items()
        for day in sorted(days)
    ]
    transaction.append(AwaitedDay, rows)


def write_failures(
    warehouse: Warehouse,
    model: type[Table],
    days: Days | Iterable[date] | None,
    dumps: Mapping[date, str] | None = None,
) -> None:
    """Writes down, in a transaction of its own, that a refresh has failed.

    Args:
        warehouse: where the table is.
        model: the table.
        days: that failed, of a daily table; None for a table without days.
        dumps: of a table that is loaded: day → version of the dump that is to be loaded.

    Raises:
        WarehouseError: the warehouse cannot be written to.
    """

    def write(transaction: Transaction) -> None:
        require_ledger(transaction)
        version, name = next_version(transaction) - 1, model.full_name()
        failed: dict[Day, str] = {}
        if days is None:
            failed[None] = "".join(dumps[day] for day in sorted(dumps)) if dumps else ""
        else:
            each = model.periods(days) if isinstance(days, Days) else days
            failed |= {day: (dumps or {}).get(day, "") for day in each if day}
        for day in failed:
            only = None if day is None else Days(day, day)
            _forget(transaction, FailedDay, "failed", name, only)
        rows = [(name, day, version, dump) for day, dump in failed.items()]
        transaction.append(FailedDay, rows)

    warehouse.in_transaction(write, [model])


def forget(transaction: Transaction, model: type[Table], days: Days | None = None) -> None:
    """Strikes out all that is said of a table, or of days of it."""
    for ledger, prefix in _BY_DAY.items():
        if not transaction.lacks(ledger):
            _forget(transaction, ledger, prefix, model.full_name(), days)


def require_ledger(transaction: Transaction) -> None:
    """Creates the ledger's tables, and that of versions, where they are not there."""
    transaction.require(*_BY_DAY, ReportingDay, TableVersion, PrunedDay)


_BY_DAY: dict[type[Table], str] = {
    Publication: "published",
    AwaitedDay: "awaiting",
    FailedDay: "failed",
}


def _forget(
    transaction: Transaction, ledger: type[Table], prefix: str, table: str, days: Days | None
) -> None:
    transaction.delete(ledger, _said_of(transaction.slice(ledger), prefix, table, days))


@memoized
def _said_of(rows: ir.Table, prefix: str, table: str, days: Days | None) -> ir.BooleanValue:
    said = rows[f"{prefix}_table"] == ibis.literal(table)
    return said if days is None else said & rows[f"{prefix}_day"].between(*days)
