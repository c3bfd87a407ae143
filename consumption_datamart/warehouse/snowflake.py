"""Snowflake: a warehouse in an account, for one writer at a time and any readers.

Readers see each publication once it is committed. Needs the extra `snowflake`. It was tried on an
emulator, and never on Snowflake itself: docs/snowflake.md says what that cannot show.
"""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

import ibis
import ibis.expr.types as ir
from duckdb import DuckDBPyConnection
from ibis.backends.snowflake import Backend
from ibis.backends.sql import SQLBackend
from snowflake.connector import SnowflakeConnection, errors

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.monitoring import MonitoringTable
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.lease import held
from consumption_datamart.warehouse.server import ServerWarehouse, require_no_secret, require_prefix
from consumption_datamart.warehouse.snowflake_connection import Account, parameters_of
from consumption_datamart.warehouse.snowflake_lock import RowLease
from consumption_datamart.warehouse.snowflake_rows import copy_out
from consumption_datamart.warehouse.snowflake_transaction import Routed, SnowflakeTransaction
from consumption_datamart.warehouse.sql import sql_of
from consumption_datamart.warehouse.transaction import Transaction

LOCK_SECONDS = 600.0
LOCKS = {"write": "lock_write", "turn": "lock_turn"}
"""Tables of the leases: of who writes, and of who asks for a turn."""


class SnowflakeWarehouse(ServerWarehouse):
    """A database of a Snowflake account; names are as everywhere, in small letters."""

    scheme = "snowflake"
    lock_seconds = LOCK_SECONDS

    def __init__(self, url: str, account: Account, prefix: str, memory_limit: str) -> None:
        """See `open_warehouse`."""
        self._url, self.account, self.prefix = url, account, prefix
        self.memory_limit = memory_limit

    @classmethod
    def at(cls, url: str, memory_limit: str, password: str | None) -> Self:
        """`snowflake://<user>@<account>/<database>?warehouse=<name>&role=<name>`."""
        require_no_secret(url, "an entry of connections.toml")
        parameters, prefix = parameters_of(url, password)
        return cls(url, Account(url, parameters), require_prefix(url, prefix), memory_limit)

    def tables(self, backend: SQLBackend) -> set[str]:
        """From Snowflake's own list of what the role may see; without the locks."""
        listed = "SELECT table_schema, table_name FROM information_schema.tables"
        found = backend.raw_sql(f"{listed} WHERE table_type = 'BASE TABLE'").fetchall()
        return {
            f"{schema.removeprefix(self.prefix)}.{table}"
            for schema, table in found
            if schema.startswith(self.prefix) and table not in LOCKS.values()
        }

    def stored_schema(self, model: type[Table]) -> ibis.Schema:
        """Any column may be null: that none is where none may be is audited."""
        return model.ibis_schema()

    @contextmanager
    def transaction(
        self,
        writes: Collection[type[Table]] | None = None,
        reads: Collection[type[Table]] = (),
    ) -> Iterator[Transaction]:
        """One at a time: who writes any table keeps out all others who write."""
        transaction = SnowflakeTransaction(self)
        with ExitStack() as stack:
            forms: list[SnowflakeConnection] = []

            def connection_of_forms() -> SnowflakeConnection:
                if not forms:
                    forms.append(stack.enter_context(self._session()))
                return forms[0]

            lease = stack.enter_context(self._locked("write"))
            staging = stack.enter_context(self.in_memory())
            connection = stack.enter_context(self._session())
            transaction.staging = ibis.duckdb.from_connection(staging)
            backend = Routed.from_connection(connection, create_object_udfs=False)
            backend.forms = connection_of_forms
            transaction.backend = backend
            transaction.begin(writes, reads)
            yield transaction
            lease.renew()
            backend.commit_rows()

    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """A connection; each statement sees what is committed when it begins."""
        with self._session() as connection:
            yield Backend.from_connection(connection, create_object_udfs=False)

    def copy_out(
        self, backend: SQLBackend, rows: ir.Table, target: DuckDBPyConnection, name: str
    ) -> None:
        """In batches."""
        copy_out(backend.con, sql_of(backend, rows), rows.schema(), target, name)

    def grant_readers(self, role: str) -> None:
        """Not by this program, as that cannot be tried here."""
        raise WarehouseError(
            f"warehouse {self.url}: grant-readers is for PostgreSQL; docs/snowflake.md has the"
            f" statements by which a role such as {role} may read"
        )

    @contextmanager
    def turn(self) -> Iterator[None]:
        """By a table of one row."""
        with self._locked("turn"):
            yield

    @contextmanager
    def copied(self) -> Iterator[Warehouse]:
        """In schemas beside, `datamart_preview_mart` and so on; Snowflake shares the rows."""
        copied = self.beside()
        with self._locked("turn"):
            try:
                with self._session() as connection:
                    self._drop_copies(connection, copied.prefix)  # what one left that was killed
                    for schema, table in sorted(self.published_tables()):
                        new = copied.qualified_name(schema, table)
                        cursor = connection.cursor()
                        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{copied.prefix}{schema}"')
                        old = self.qualified_name(schema, table)
                        cursor.execute(f"CREATE TABLE {new} CLONE {old}")
                yield copied
            finally:
                with self._session() as connection:
                    self._drop_copies(connection, copied.prefix)

    @contextmanager
    def _session(self) -> Iterator[SnowflakeConnection]:
        with self.account.session(self.lock_seconds) as connection:
            yield connection

    @contextmanager
    def _locked(self, which: str) -> Iterator[RowLease]:
        """Keeps out others who ask for it, until the end of the block."""
        schema = f"{self.prefix}{MonitoringTable.schema_name()}"
        with self._session() as connection:
            connection.cursor().execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            lease = RowLease(connection, f'"{schema}"."{LOCKS[which]}"', self.url)
            lease.prepare()
            with held(lease, self.lock_seconds, (errors.Error,)):
                yield lease

    @staticmethod
    def _drop_copies(connection: SnowflakeConnection, prefix: str) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT schema_name FROM information_schema.schemata")
        for (schema,) in cursor.fetchall():
            if schema.startswith(prefix):
                connection.cursor().execute(f'DROP SCHEMA "{schema}"')
