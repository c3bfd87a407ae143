"""SQLite: a warehouse of one file that every computer can read.

SQLite has no schemas: the schema is part of the table's name, `"mart.dim_day"`. Neither can it read
files: a DuckDB in memory does, and hands the rows over.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from duckdb import DuckDBPyConnection
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql import SQLBackend
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.file import FileWarehouse
from consumption_datamart.warehouse.readable import BATCH_ROWS, Place
from consumption_datamart.warehouse.rows import conform
from consumption_datamart.warehouse.sql import sql_of
from consumption_datamart.warehouse.transaction import Transaction

BATCH = 10_000
_HELD = {
    dt.Date: pa.string(),
    dt.Timestamp: pa.string(),
    dt.Boolean: pa.int64(),
}
"""What a file holds of types that SQLite has not."""
LOCK_SECONDS = 60.0


class _Connection(sqlite3.Connection):
    """Leaves the end of a transaction to its beginner: Ibis commits after each statement."""

    def commit(self) -> None:
        """Not yet."""

    def rollback(self) -> None:
        """Not here."""


class SQLiteTransaction(Transaction):
    """Files are read by a DuckDB in memory."""

    constraint_error = sqlite3.IntegrityError

    def create(self, model: type[Table]) -> None:
        """The schema is in the name."""
        self.backend.create_table(
            self.warehouse.location(model)[0], schema=self.warehouse.stored_schema(model)
        )

    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Hands the rows over in batches: dates and times as ISO text, decimals as floats."""
        rows = conform(model, staged)
        storable = {}
        for name, dtype in rows.schema().items():
            if dtype.is_temporal():
                storable[name] = rows[name].cast("string")
            elif dtype.is_decimal():
                storable[name] = rows[name].cast("float64")
            else:
                storable[name] = rows[name]
        columns = ", ".join(f'"{name}"' for name in storable)
        marks = ", ".join("?" * len(storable))
        into = f"INSERT INTO {self.warehouse.qualified(model)} ({columns}) VALUES ({marks})"
        cursor = self.staging.raw_sql(sql_of(self.staging, rows.select(**storable)))
        with self.constraints(model):
            while batch := cursor.fetchmany(BATCH):
                self.backend.con.executemany(into, batch)


class SQLiteWarehouse(FileWarehouse):
    """A SQLite file."""

    scheme = "sqlite"
    lock_seconds = LOCK_SECONDS

    def release(self, *_: object, **__: object) -> None:
        """Readers see each publication as soon as it is committed, and lock nobody out."""

    def released(self) -> Warehouse:
        """The same file."""
        return self

    def location(self, model: type[Table]) -> tuple[str, Place]:
        """A table whose name has the schema in it."""
        return model.full_name(), None

    def qualified_name(self, schema: str, table: str) -> str:
        """`"mart.dim_day"`."""
        return f'"{schema}.{table}"'

    def tables(self, backend: SQLBackend) -> set[str]:
        """Tables are called by their full names."""
        return set(backend.list_tables())

    def stored_schema(self, model: type[Table]) -> ibis.Schema:
        """Decimals are floats here."""
        return _stored(model.stored_schema())

    def table(self, model: type[Table]) -> ir.Table:
        """Decimals are floats here."""
        return ibis.table(_stored(model.ibis_schema()), name=self.location(model)[0])

    @contextmanager
    def transaction(self, *_: object) -> Iterator[Transaction]:
        """A transaction that holds the write lock from its beginning."""
        transaction = SQLiteTransaction(self)
        with self._connection() as connection, self.in_memory() as staging:
            transaction.backend = ibis.sqlite.from_connection(connection)
            transaction.staging = ibis.duckdb.from_connection(staging)
            try:
                self._keep_log(connection)
                connection.execute("BEGIN IMMEDIATE")
                yield transaction
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise self.unreachable(error) from error
                raise

    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """A connection that sees one state of all tables: the last commit when it first reads."""
        if not self.path.exists():
            raise self.unreachable(FileNotFoundError("no such file; build the mart first"))
        with self._connection(reads=True) as connection:
            connection.execute("BEGIN")  # what is read first is what all is read of
            yield ibis.sqlite.from_connection(connection)

    def copy_out(
        self, backend: SQLBackend, rows: ir.Table, target: DuckDBPyConnection, name: str
    ) -> None:
        """In batches: Ibis would make one frame of all rows. DuckDB reads days and moments."""
        schema = rows.schema()
        types = [DuckDBBackend.compiler.type_mapper.to_string(dtype) for dtype in schema.types]
        columns = ", ".join(f'"{c}" {t}' for c, t in zip(schema.names, types, strict=True))
        target.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
        held = pa.schema([(c, _HELD.get(type(t), t.to_pyarrow())) for c, t in schema.items()])
        cast = ", ".join(f'"{c}"::{t}' for c, t in zip(schema.names, types, strict=True))
        cursor = backend.raw_sql(sql_of(backend, rows))
        while batch := cursor.fetchmany(BATCH_ROWS):
            arrow = pa.table(list(map(list, zip(*batch, strict=True))), schema=held)
            target.register("copied", arrow)
            target.execute(f"INSERT INTO {name} SELECT {cast} FROM copied")
            target.unregister("copied")

    def copy_to(self, folder: Path) -> Warehouse:
        """A copy by SQLite itself, of the last commit."""
        copied = SQLiteWarehouse(str(folder / self.path.name), self.memory_limit)
        with self._connection() as connection, closing(sqlite3.connect(copied.path)) as target:
            connection.backup(target)
        return copied

    def _keep_log(self, connection: sqlite3.Connection) -> None:
        """Lets readers read while it is written to; SQLite does not wait to begin that."""
        patiently = Retrying(
            retry=retry_if_exception_type(sqlite3.OperationalError),
            wait=wait_random(0.05, 0.3),
            stop=stop_after_delay(self.lock_seconds),
            reraise=True,
        )
        patiently(connection.execute, "PRAGMA journal_mode = WAL")

    @contextmanager
    def _connection(self, *, reads: bool = False) -> Iterator[sqlite3.Connection]:
        # SQLite makes files beside to read with, unless it is told that nobody writes
        is_closed = not self.path.with_name(f"{self.path.name}-wal").exists()
        is_still = reads and is_closed and not os.access(self.path.parent, os.W_OK)
        with ExitStack() as stack:
            try:
                opened = sqlite3.connect(
                    f"{self.path.absolute().as_uri()}{'?immutable=1' if is_still else ''}",
                    uri=True,
                    factory=_Connection,
                    isolation_level=None,
                    timeout=self.lock_seconds,
                )
                connection = stack.enter_context(closing(opened))
                connection.execute("PRAGMA schema_version")
            except sqlite3.Error as error:
                raise self.unreachable(error) from error
            yield connection


def _stored(schema: ibis.Schema) -> ibis.Schema:
    """SQLite has no decimals: what cannot be exact does not claim to be."""
    real = {
        name: dt.Float64(nullable=t.nullable) if t.is_decimal() else t for name, t in schema.items()
    }
    return ibis.schema(real)
