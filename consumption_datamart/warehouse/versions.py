"""The versions of tables' columns, in `monitoring.table_version`.

They are written in the transaction that changes the columns: by an upgrade, or a publication.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

from consumption_datamart.schema.monitoring import TableVersion
from consumption_datamart.schema.table import Table
from consumption_datamart.schema.versions import (
    Change,
    ColumnState,
    Version,
    breaches,
    changes,
    version_of,
)
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.sql import rows_of
from consumption_datamart.warehouse.transaction import Transaction


class Recorded(NamedTuple):
    """A version of a table.

    Attributes:
        table: its full name.
        number: counted from 1.
        at: when it was first there, in UTC; of the first version when it was first looked at.
        version: its columns.
        changes: since the version before; none of the first.
    """

    table: str
    number: int
    at: datetime
    version: Version
    changes: tuple[Change, ...]

    @property
    def is_breaking(self) -> bool:
        """Whether any of the changes is."""
        return any(each.is_breaking for each in self.changes)


def note_versions(transaction: Transaction, models: Iterable[type[Table]]) -> None:
    """Writes down the columns of tables, where they are others than were last written down."""
    transaction.require(TableVersion)
    wanted = {model.full_name(): model for model in models}
    rows = transaction.slice(TableVersion)
    if len(wanted) == 1:
        rows = rows.filter(rows.versioned_table == next(iter(wanted)))
    last = {each[-1].table: each[-1] for each in _recorded(transaction.rows(rows)).values()}
    now = datetime.now(UTC).replace(tzinfo=None)
    for name, model in wanted.items():
        before, version = last.get(name), version_of(model)
        if before is None or changes(before.version, version):
            number = before.number + 1 if before else 1
            transaction.append(TableVersion, _rows(name, number, now, version))


def refused(transaction: Transaction, model: type[Table]) -> list[Change]:
    """The breaking changes by which a frozen table is not to be changed."""
    if model.frozen() is None or transaction.lacks(TableVersion):
        return []
    rows = transaction.slice(TableVersion)
    own = transaction.rows(rows.filter(rows.versioned_table == model.full_name()))
    return breaches(last_version(own), version_of(model))


def last_version(rows: Iterable[tuple[Any, ...]]) -> Version | None:
    """The last version of one table, of its rows of `monitoring.table_version`."""
    found = list(_recorded(rows).values())
    return found[0][-1].version if found else None


def read_versions(warehouse: Warehouse, table: str | None = None) -> dict[str, list[Recorded]]:
    """The versions of all tables, or of one, by full name, the earliest first.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse.is_there():
        return {}
    with warehouse.reader() as backend:
        if TableVersion.full_name() not in warehouse.tables(backend):
            return {}
        rows = warehouse.table(TableVersion)
        if table is not None:
            rows = rows.filter(rows.versioned_table == table)
        return _recorded(rows_of(backend, rows))


def _rows(table: str, number: int, now: datetime, version: Version) -> Iterable[tuple[object, ...]]:
    for each in version.columns:
        about = (each.name, each.type, each.is_nullable, each.unit, each.is_key)
        yield (table, number, now, version.grain, version.frozen, *about)


def _recorded(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Recorded]]:
    """Engines give flags as numbers, and moments as text."""
    columns: dict[tuple[str, int], list[ColumnState]] = defaultdict(list)
    heads = {}
    for table, number, at, grain, frozen, name, dtype, is_nullable, unit, is_key in rows:
        columns[table, number].append(
            ColumnState(name, dtype, bool(is_nullable), unit, bool(is_key))
        )
        heads[table, number] = (pd.Timestamp(at).to_pydatetime(), grain, frozen)
    found: dict[str, list[Recorded]] = defaultdict(list)
    for (table, number), (at, grain, frozen) in sorted(heads.items()):
        version = Version(tuple(columns[table, number]), grain, frozen)
        before = found[table][-1].version if found[table] else version
        found[table].append(Recorded(table, number, at, version, tuple(changes(before, version))))
    return dict(found)
