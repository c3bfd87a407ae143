"""Reading the ledger, whole or what is new in it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from ibis.backends.sql import SQLBackend

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.monitoring import AwaitedDay, FailedDay, PrunedDay, Publication
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.code import code_version
from consumption_datamart.warehouse.ledger import Change, Day, Failure, Ledger, Published
from consumption_datamart.warehouse.pruning import by_table
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.sql import rows_of


def read_ledger(warehouse: Warehouse, known: Ledger | None = None) -> Ledger:
    """The ledger as it is; empty where nothing is built.

    Args:
        warehouse: whose ledger it is.
        known: as it was before; of publications only later ones are read. A table that was struck
            out since is not noticed: nobody does that while it is built.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse.is_there():
        return Ledger()
    with warehouse.reader() as backend:
        return ledger_in(warehouse, backend, known)


def ledger_in(warehouse: Warehouse, backend: SQLBackend, known: Ledger | None = None) -> Ledger:
    """The ledger as a connection to the warehouse sees it; see `read_ledger`."""
    there = warehouse.tables(backend)

    def rows(model: type[Table], later_than: int = 0) -> Iterator[tuple[Any, ...]]:
        if model.full_name() in there:
            table = warehouse.table(model)
            kept = table.filter(table.version > later_than) if later_than else table
            yield from rows_of(backend, kept)

    known = known or Ledger()
    published: dict[str, dict[Day, Published]] = defaultdict(dict)
    published |= {table: dict(days) for table, days in known.published.items()}
    code, last = code_version(), known.version
    for table, day, version, built_by, *changed in rows(Publication, last):
        # a warehouse of an earlier version does not say by which publication rows changed
        entry = Published(version, changed[0] if changed else version, built_by == code)
        published[table][day and day_of(day)] = entry
        last = max(last, version)
    awaited: dict[str, dict[date, Change]] = defaultdict(dict)
    for table, day, changed, version in sorted(rows(AwaitedDay), key=lambda row: row[3]):
        awaited[table][day_of(day)] = Change(changed, version)
    failed: dict[str, dict[Day, Failure]] = defaultdict(dict)
    for table, day, version, dump in rows(FailedDay):
        failed[table][day and day_of(day)] = Failure(version, dump)
    days = sorted(day_of(day) for (day,) in rows(ReportingDay))
    reporting = Days(days[0], days[-1]) if days else None
    return Ledger(published, awaited, failed, reporting, by_table(rows(PrunedDay)), last)
