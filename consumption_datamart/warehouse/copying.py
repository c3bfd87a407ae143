"""Copying a mart from one warehouse into another, of any engine: whole, or not at all."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
from duckdb import DuckDBPyConnection
from ibis.backends.sql import SQLBackend

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.alerts import ALERTS
from consumption_datamart.schema.monitoring import (
    AwaitedDay,
    FailedDay,
    LoadedFile,
    Publication,
    Release,
    TableVersion,
)
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.rows import conform
from consumption_datamart.warehouse.sql import rows_of, sql_of, table_of
from consumption_datamart.warehouse.transaction import Transaction
from consumption_datamart.warehouse.upgrade import stored_version

COPIED, READ_BACK = "rows_copied", "rows_read_back"
TOLD_OF: dict[type[Table], str] = {
    Publication: "published_table",
    AwaitedDay: "awaiting_table",
    FailedDay: "failed_table",
    TableVersion: "versioned_table",
}
"""Column in which the ledger names a table."""


@dataclass(frozen=True)
class CopiedTable:
    """A table that was copied.

    Attributes:
        table: its full name.
        rows: how many.
        checksum: of all values as the target stores them, in 16 hexadecimal digits. It does not
            depend on the order of rows; other versions of DuckDB may have another.
    """

    table: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class Copied:
    """A mart that was copied.

    Attributes:
        tables: all that were.
        left: full names of tables that the source's ledger knows and that were not: nobody has a
            model of them, or they are not there. The target's ledger does not know them.
    """

    tables: Sequence[CopiedTable]
    left: Sequence[str]


class _Part(NamedTuple):
    """A table that is to be copied, and the connection that it is read by."""

    source: Warehouse
    backend: SQLBackend
    model: type[Table]


def copy_mart(
    source: Warehouse,
    target: Warehouse,
    models: Collection[type[Table]],
    *,
    replaces: bool = False,
) -> Copied:
    """Copies tables as writers see them, the ledger and the alerts too, in one transaction.

    Each table is read back before that is committed, and compared by its rows and a checksum. Only
    where the target keeps its alerts in a file apart these are copied after.

    Args:
        source: is read in one state, as far as its engine can.
        target: another warehouse.
        models: of all tables that may be there, but for alerts; the release of a DuckDB is not
            copied.
        replaces: whether the target may hold a mart, which is then gone.

    Raises:
        WarehouseError: one of the two cannot be opened; the source has no mart, or one of another
            version; the target has one; or what is read back differs. The target is as it was.
    """
    if not source.is_there():
        raise WarehouseError(f"warehouse {source.url}: there is none; build it first")
    with ExitStack() as stack:
        backend = stack.enter_context(source.reader())
        mart = _parts(source, backend, models)
        alerts = mart and _parts(*_operations(source, backend, stack), ALERTS)
        names = {each.model.full_name() for each in mart} | {Release.full_name()}
        told = _published(source, backend) if Publication.full_name() in names else set()
        if not told:
            raise WarehouseError(f"warehouse {source.url}: nothing was built yet; build it first")
        keeps = target.operations()
        parts, known = list(mart), list(models)
        if keeps is target:
            parts, known = [*mart, *alerts], [*models, *ALERTS]

        def work(transaction: Transaction) -> list[CopiedTable]:
            _prepare(transaction, known, parts, replaces=replaces)
            return [_copy(each, transaction, names) for each in parts]

        def work_apart(transaction: Transaction) -> list[CopiedTable]:
            _prepare(transaction, ALERTS, alerts, replaces=True)
            return [_copy(each, transaction, ()) for each in alerts]

        copied = target.in_transaction(work)
        if keeps is not target:
            copied += keeps.in_transaction(work_apart)
        return Copied(copied, sorted(told - names))


def _operations(
    source: Warehouse, backend: SQLBackend, stack: ExitStack
) -> tuple[Warehouse, SQLBackend | None]:
    """Where the source keeps its alerts, and a connection to it; none, where it has kept none."""
    kept = source.operations()
    if kept is source:
        return source, backend
    return kept, stack.enter_context(kept.reader()) if kept.is_there() else None


def _parts(
    source: Warehouse, backend: SQLBackend | None, models: Iterable[type[Table]]
) -> list[_Part]:
    """The tables of these that are there.

    Raises:
        WarehouseError: they are of another version.
    """
    if backend is None:
        return []
    there = source.tables(backend)
    found = [each for each in models if each.full_name() in there and each is not Release]
    _require_this_version(source, backend, found)
    return [_Part(source, backend, model) for model in found]


def _require_this_version(
    source: Warehouse, backend: SQLBackend, models: Iterable[type[Table]]
) -> None:
    stored_version(source, backend)
    for model in models:
        if change := source.difference(backend, model):
            columns = ", ".join([*change.added, *change.dropped, *change.retyped])
            raise WarehouseError(
                f"warehouse {source.url}: {model.full_name()} has other columns than this version"
                f" ({columns}); run consumption-datamart upgrade on it first"
            )


def _published(source: Warehouse, backend: SQLBackend) -> set[str]:
    """Full names of the tables that the ledger knows."""
    rows = source.table(Publication).select("published_table").distinct()
    return {name for (name,) in rows_of(backend, rows)}


def _prepare(
    transaction: Transaction,
    models: Collection[type[Table]],
    parts: Iterable[_Part],
    *,
    replaces: bool,
) -> None:
    """Makes the tables, and requires that they are empty, or empties them.

    All of them are made before the first row is written: an engine may end a transaction there.
    """
    target = transaction.warehouse
    for model in models:
        if transaction.lacks(model):
            continue
        rows = transaction.slice(model)
        ((count,),) = transaction.rows(rows.aggregate(rows=rows.count()))
        if count and not replaces:
            raise WarehouseError(
                f"warehouse {target.url}: it holds a mart already ({model.full_name()} has"
                f" {count:,} rows); name another, or replace it by --replace"
            )
    # what readers of a DuckDB see is compared by its version, and another mart may have the same
    transaction.drop(Release.schema_name(), Release.table_name())
    copied = {each.model for each in parts}
    there = [each for each in models if each in copied or not transaction.lacks(each)]
    for model in there:
        transaction.upgrade(model)
    for model in there:
        transaction.clear(model)


def _copy(part: _Part, transaction: Transaction, names: Collection[str]) -> CopiedTable:
    source, backend, model = part
    target, staging = transaction.warehouse, transaction.staging
    rows = _known(model, source.table(model), names)
    source.copy_out(backend, rows, staging.con, COPIED)
    staged = table_of(staging, COPIED)
    as_stored = conform(model, staged).cast(target.table(model).schema())
    before = _checksum(staging.con, sql_of(staging, as_stored), as_stored)
    transaction.load(model, staged)
    staging.con.execute(f"DROP TABLE {COPIED}")
    with target.in_memory() as apart:
        target.copy_out(transaction.backend, target.table(model), apart, READ_BACK)
        after = _checksum(apart, f"FROM {READ_BACK}", as_stored)
    if before != after:
        raise WarehouseError(
            f"warehouse {target.url}: {model.full_name()} has {after[0]:,} rows with checksum"
            f" {after[1]} after {before[0]:,} rows with checksum {before[1]} were copied; nothing"
            " was copied"
        )
    return CopiedTable(model.full_name(), *after)


def _known(model: type[Table], rows: ir.Table, names: Collection[str]) -> ir.Table:
    """The rows of the ledger that are about tables which are copied; all of any other table."""
    if not names:
        return rows
    if column := TOLD_OF.get(model):
        return rows.filter(rows[column].isin(sorted(names)))
    if model is LoadedFile:
        loaded = ibis.literal("lake.raw_") + rows.lake_table
        return rows.filter(loaded.isin(sorted(names)))
    return rows


def _checksum(connection: DuckDBPyConnection, query: str, columns: ir.Table) -> tuple[int, str]:
    """The number of rows, and a sum of their hashes; a NUL counts as what stands for it.

    PostgreSQL has no NUL in texts.
    """
    hashed = [
        f'replace("{name}", chr(0), chr(65533))' if dtype.is_string() else f'"{name}"'
        for name, dtype in columns.schema().items()
    ]
    found = connection.execute(
        f"SELECT count(*), coalesce(sum(hash({', '.join(hashed)})::HUGEINT), 0) FROM ({query})"
    )
    ((rows, total),) = found.fetchall()
    return rows, f"{total % (1 << 64):016x}"
