"""DuckDB: the default warehouse, one file, one writing process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.sql import SQLBackend
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.transaction import Transaction

LOCK_SECONDS = 600
"""How long to wait for the process that has the file open: DuckDB lets in one writer at a time."""
STORAGE = "v1.4.0"
"""Oldest DuckDB that can read a new file: later formats compress text in two thirds of the time."""
NO_DATABASE = ValueError("a file of that kind is no DuckDB database; name another file")
"""DuckDB opens CSV, Parquet and the like as views in memory, which would forget the tables."""


class DuckDBTransaction(Transaction):
    """Files are read in the warehouse's own connection."""

    constraint_error = duckdb.ConstraintException

    def create(self, model: type[Table]) -> None:
        """Creates the schema, too."""
        name, database = self.warehouse.location(model)
        schema = '"' + '"."'.join(database or ()) + '"'
        self.backend.raw_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self.backend.create_table(
            name, schema=self.warehouse.stored_schema(model), database=database
        )

    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Staged rows are already here."""
        self.insert(model, staged)

    def append(self, model: type[Table], frame: pd.DataFrame) -> None:
        """DuckDB reads frames by itself."""
        self.staging.con.register("appended_frame", frame)
        into = f"INSERT INTO {self.warehouse.qualified(model)} BY NAME"
        self.staging.con.execute(f"{into} FROM appended_frame")


class DuckDBWarehouse(Warehouse):
    """A DuckDB file."""

    scheme = "duckdb"

    def location(self, model: type[Table]) -> tuple[str, tuple[str, str] | None]:
        """A table in its schema, with the catalog: a file may be named as a schema is."""
        return model.table_name(), (self._catalog, model.schema_name())

    def qualified(self, model: type[Table]) -> str:
        """`"consumption"."mart"."dim_day"`."""
        return f'"{self._catalog}"."{model.schema_name()}"."{model.table_name()}"'

    @property
    def _catalog(self) -> str:
        """The name that DuckDB gives to the file: what is before its first dot."""
        name = self.path.name.split(".")[0]
        return f"{name}_db" if name.lower() in {"main", "system", "temp"} else name

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction on a connection of its own."""
        transaction = DuckDBTransaction(self)
        with self._connection(read_only=False) as connection:
            transaction.backend = transaction.staging = ibis.duckdb.from_connection(connection)
            connection.begin()
            try:
                yield transaction
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """A read-only connection: others may read at the same time."""
        with self._connection(read_only=True) as connection:
            yield ibis.duckdb.from_connection(connection)

    @contextmanager
    def _connection(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        # dagster-duckdb names itself so, and all connections of a process to one file must agree
        config: dict[str, Any] = {
            "custom_user_agent": "dagster",
            "memory_limit": self.memory_limit,
            "preserve_insertion_order": False,
            "storage_compatibility_version": STORAGE,
        }
        patiently = Retrying(
            retry=retry_if_exception(_is_in_use),
            wait=wait_random(0.05, 0.3),
            stop=stop_after_delay(LOCK_SECONDS),
            reraise=True,
        )
        try:
            connection = patiently(duckdb.connect, self.path, read_only=read_only, config=config)
        except duckdb.Error as error:
            in_memory = "in-memory database" in str(error)
            raise self.unreachable(NO_DATABASE if in_memory else error) from error
        with connection:
            if not connection.execute("FROM duckdb_databases() WHERE path IS NOT NULL").fetchall():
                raise self.unreachable(NO_DATABASE)
            connection.execute("SET enable_progress_bar = false")
            yield connection


def _is_in_use(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and "Could not set lock" in str(error)
