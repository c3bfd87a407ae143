"""DuckDB: the default warehouse, for one writing process and any number of readers.

A process that has a DuckDB file open for writing keeps all others out, and each reader keeps the
writer out. So there are two files: the one that the URL names is what readers see, a copy that is
never written to; writers work in another beside it, and replace the copy when a run is done.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from threading import RLock

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.sql import SQLBackend

from consumption_datamart.schema.monitoring import Release
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.attaching import attach, session, session_of
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.duckdb_transaction import DuckDBTransaction, undone_or_committed
from consumption_datamart.warehouse.file import FileWarehouse
from consumption_datamart.warehouse.files import copy_file, remove_file
from consumption_datamart.warehouse.readable import BATCH_ROWS, Place
from consumption_datamart.warehouse.release import (
    Attached,
    bring_up_to_date,
    forget_missing,
    latest,
    sign,
    signed_version,
)
from consumption_datamart.warehouse.releases import Releases
from consumption_datamart.warehouse.sql import sql_of
from consumption_datamart.warehouse.sqlite import SQLiteWarehouse
from consumption_datamart.warehouse.transaction import Transaction

LOCK_SECONDS = 600.0
"""How long to wait for the process that has the file open: DuckDB lets in one writer at a time."""
STORAGE = "v1.4.0"
"""Oldest DuckDB that can read a new file: later formats compress text in two thirds of the time."""
MODE = f"TYPE duckdb, STORAGE_VERSION '{STORAGE}'"
CATALOG = "warehouse"
"""The name by which the file is attached."""

_TURN = RLock()
"""Threads take turns at a file that is written to: on POSIX, closing any descriptor of a file gives
up all locks that the process has on it."""


class DuckDBWarehouse(FileWarehouse):
    """A DuckDB file."""

    scheme = "duckdb"
    lock_seconds = LOCK_SECONDS

    def __init__(self, path: str, memory_limit: str) -> None:
        """See `open_warehouse`."""
        super().__init__(path, memory_limit)
        stem, dot, suffix = self.path.name.partition(".")
        self.working = self.path.with_name(f"{stem}.working{dot}{suffix}")

    @property
    def file(self) -> Path:
        """What writers work in; the readers' copy where there is nothing else yet."""
        return self.working if self.working.exists() else self.path

    @property
    def releases(self) -> Releases:
        """The readers' copy, and the one before."""
        return Releases(self.path)

    def release(
        self,
        is_wanted: Callable[[SQLBackend], bool] = lambda _: True,
        models: Collection[type[Table]] = (),
        left_out: Collection[type[Table]] = (),
        *,
        keeps_previous: bool = True,
    ) -> None:
        """Replaces the readers' copy, if anything was published since it was made."""
        if not self.working.exists() or self.releases.are_held:
            return
        # closing this descriptor gives up DuckDB's lock, too: so it is closed after DuckDB's own
        with self.working.open("rb") as source, self._alone(self.working) as connection:
            working, fresh = Attached(connection, CATALOG), Path(f"{self.path}.new")
            version = latest(working.versions())
            seen = signed_version(working) if self.path.exists() else None
            if seen == version:
                return
            if seen is not None and not is_wanted(ibis.duckdb.from_connection(connection)):
                return
            try:
                remove_file(fresh)
                if left_out and seen is not None:
                    with self.path.open("rb") as before:
                        copy_file(before, fresh)
                elif not left_out:
                    connection.execute(f"CHECKPOINT {CATALOG}")
                    copy_file(source, fresh)
                attach(connection, fresh, f"AS release ({MODE})")
                released = Attached(connection, "release")
                with undone_or_committed(connection):
                    if left_out:
                        bring_up_to_date(working, released, models, left_out)
                    sign(released, version)
                connection.execute("DETACH release")
                self.releases.replace(fresh, keeps_previous=keeps_previous)
                sign(working, version)
            except (OSError, duckdb.Error) as error:
                remove_file(fresh)
                raise self.unreachable(error) from error

    def copy_to(self, folder: Path) -> Warehouse:
        """A copy of the file that writers work in, with what is only in its log."""
        copied = DuckDBWarehouse(str(folder / self.path.name), self.memory_limit)
        source = self.file
        target = copied.working if source == self.working else copied.path
        try:
            with source.open("rb") as opened, self._alone(source) as connection:
                connection.execute(f"CHECKPOINT {CATALOG}")
                copy_file(opened, target)
        except OSError as error:
            raise self.unreachable(error) from error
        return copied

    def released(self) -> Warehouse:
        """The readers' copy."""
        return DuckDBRelease(str(self.path), self.memory_limit)

    def operations(self) -> Warehouse:
        """A SQLite file beside: who writes to it waits for no build, and nothing is copied."""
        file = self.path.with_name(f"{self.path.stem}.alerts.sqlite")
        return SQLiteWarehouse(str(file), self.memory_limit)

    def location(self, model: type[Table]) -> tuple[str, Place]:
        """A table in its schema, with the catalog: a file may be named as a schema is."""
        return model.table_name(), (CATALOG, model.schema_name())

    def qualified_name(self, schema: str, table: str) -> str:
        """`"warehouse"."mart"."dim_day"`."""
        return f'"{CATALOG}"."{schema}"."{table}"'

    def tables(self, backend: SQLBackend) -> set[str]:
        """From DuckDB's own list: Ibis looks at the columns of all tables to list a schema."""
        listed = "SELECT schema_name || '.' || table_name FROM duckdb_tables()"
        found = backend.raw_sql(f"{listed} WHERE database_name = '{CATALOG}'").fetchall()
        return {name for (name,) in found}

    def copy_out(
        self, backend: SQLBackend, rows: ir.Table, target: duckdb.DuckDBPyConnection, name: str
    ) -> None:
        """Ibis 12 calls what DuckDB 2 has no more."""
        found = backend.con.sql(sql_of(backend, rows)).arrow(BATCH_ROWS)
        target.register("copied", found)
        target.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM copied")
        target.unregister("copied")

    @contextmanager
    def session(self) -> Iterator[None]:
        """The file is attached once for many, and kept from others for some seconds.

        To attach a file and to give it up takes longer than to write a small table.
        """
        with _TURN, session(self.working, lambda: self._attached(self.working)):
            yield

    @contextmanager
    def transaction(self, *_: object) -> Iterator[Transaction]:
        """A transaction on a connection of its own."""
        transaction = DuckDBTransaction(self)
        self._adopt()
        with self._connection(self.working) as connection:
            transaction.backend = transaction.staging = ibis.duckdb.from_connection(connection)
            with undone_or_committed(connection):
                yield transaction

    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """A read-only connection: others may read at the same time."""
        with self._connection(self.file, read_only=True) as connection:
            yield ibis.duckdb.from_connection(connection)

    def _adopt(self) -> None:
        """Goes on from the readers' copy where there is no file to work in."""
        if self.working.exists() or not self.path.exists():
            return
        with self._connection(self.path, read_only=True), self.path.open("rb") as source:
            fresh = self.working.with_name(f"{self.working.name}.{os.getpid()}")
            remove_file(fresh)
            copy_file(source, fresh)
        with duckdb.connect() as connection:
            attach(connection, fresh, f"AS {CATALOG} ({MODE})")
            forget_missing(Attached(connection, CATALOG))
        with suppress(FileExistsError):  # another process was quicker
            os.link(fresh, self.working)
        fresh.unlink()

    @contextmanager
    def _connection(
        self, file: Path, *, read_only: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to which the file is attached: that of the session, if there is one."""
        turn = _TURN if file == self.working else nullcontext()
        with turn:
            kept = session_of(file)
            attached = kept.connection() if kept else self._attached(file, read_only=read_only)
            with attached as connection:
                yield connection

    @contextmanager
    def _alone(self, file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """Likewise, but nothing keeps the file attached, also in a session."""
        with _TURN:
            if kept := session_of(file):
                kept.close()
            with self._attached(file) as connection:
                yield connection

    @contextmanager
    def _attached(
        self, file: Path, *, read_only: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        mode = "TYPE duckdb, READ_ONLY" if read_only else MODE
        with self.in_memory() as connection:
            try:
                attach(connection, file, f"AS {CATALOG} ({mode})", self.lock_seconds)
            except duckdb.Error as error:
                raise self.unreachable(error) from error
            try:
                yield connection
            except BaseException:
                with suppress(duckdb.Error):  # what made it unusable is told
                    connection.execute(f"DETACH {CATALOG}")
                raise
            connection.execute(f"DETACH {CATALOG}")


class DuckDBRelease(DuckDBWarehouse):
    """What readers see of a DuckDB warehouse: the last release."""

    @property
    def file(self) -> Path:
        """The readers' copy."""
        return self.path

    def as_of(self) -> datetime | None:
        """When it was released."""
        found = self.find(Release)
        return super().as_of() if found is None else found.released_at[0].to_pydatetime()
