"""PostgreSQL: a warehouse on a server, for writers of different tables at once and any readers.

Readers see each publication once it is committed, and wait for nobody. Needs the extra `postgres`.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Self, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import ibis
import ibis.expr.types as ir
import psycopg
from duckdb import DuckDBPyConnection
from ibis.backends.sql import SQLBackend
from psycopg.conninfo import conninfo_to_dict
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_random_exponential

from consumption_datamart.errors import WarehouseError, first_line
from consumption_datamart.schema.table import MartTable, Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.postgres_connection import Away, Server, Undone, lock
from consumption_datamart.warehouse.postgres_rows import copy_out
from consumption_datamart.warehouse.postgres_schemas import (
    copy_tables,
    drop_copies,
    grant_reading,
    readable_tables,
    require_schema,
)
from consumption_datamart.warehouse.postgres_transaction import CREATE, PostgresTransaction
from consumption_datamart.warehouse.server import (
    PREFIX,
    PREVIEW,
    ServerWarehouse,
    require_no_secret,
    require_prefix,
)
from consumption_datamart.warehouse.sql import sql_of
from consumption_datamart.warehouse.transaction import Transaction

LOCK_SECONDS = 600.0
ATTEMPTS = 6
"""Of a transaction that is undone; between them up to 1, 2, 4, 8, 16 seconds: a server restarts."""
T = TypeVar("T")


class PostgresWarehouse(ServerWarehouse):
    """A database of a PostgreSQL server; schemas are as everywhere, with a prefix if one is set."""

    scheme = "postgres"
    lock_seconds = LOCK_SECONDS

    def __init__(self, url: str, server: Server, prefix: str, memory_limit: str) -> None:
        """See `open_warehouse`."""
        self._url, self.server, self.prefix = url, server, prefix
        self.memory_limit = memory_limit
        self._seen: SQLBackend | None = None

    @classmethod
    def at(cls, url: str, memory_limit: str, password: str | None) -> Self:
        """`postgres://<user>@<host>:<port>/<database>?<parameters>`, as libpq takes it."""
        place, _, query = url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        require_no_secret(url, "use ~/.pgpass or a service file")
        prefix = require_prefix(url, given.pop(PREFIX, ""))
        plain = f"{place}?{urlencode(given, quote_via=quote)}" if given else place
        try:
            parameters = conninfo_to_dict(plain)
        except psycopg.ProgrammingError as error:
            raise WarehouseError(f"warehouse URL '{url}': {first_line(error)}") from error
        texts = {name: str(value) for name, value in parameters.items()}
        if password is not None:
            texts["password"] = password
        return cls(url, Server(url, texts), prefix, memory_limit)

    def tables(self, backend: SQLBackend) -> set[str]:
        """From PostgreSQL's own list, in which tables of others are, too."""
        return readable_tables(backend.con, self.prefix)

    @contextmanager
    def transaction(
        self,
        writes: Collection[type[Table]] | None = None,
        reads: Collection[type[Table]] = (),
    ) -> Iterator[Transaction]:
        """Each statement sees what is committed; what it reads of others is locked."""
        transaction = PostgresTransaction(self)
        with (
            self.in_memory() as staging,
            self.server.session(self.lock_seconds) as connection,
        ):
            transaction.backend = ibis.postgres.from_connection(connection)
            transaction.staging = ibis.duckdb.from_connection(staging)
            self.server.begin(connection, self.lock_seconds)
            transaction.begin(writes, reads)
            yield transaction
            transaction.finish()
            self.server.commit(connection)

    def in_transaction(
        self,
        work: Callable[[Transaction], T],
        writes: Collection[type[Table]] | None = None,
        reads: Collection[type[Table]] = (),
    ) -> T:
        """Runs it again whole, where a connection was lost before it was committed."""
        once = super().in_transaction
        return self.patiently(lambda: once(work, writes, reads))

    def patiently(self, work: Callable[[], T]) -> T:
        """Waits longer each time: a server restarts."""
        again = Retrying(
            retry=_may_succeed,
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(min=0.2, max=16),
            reraise=True,
        )
        found: T = again(work)
        return found

    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """A connection that sees one state of all tables."""
        if self._seen is not None:
            yield self._seen
            return
        with self.server.session(self.lock_seconds, is_reading=True) as connection:
            backend = ibis.postgres.from_connection(connection)
            self.server.begin(connection, self.lock_seconds)
            yield backend

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """All readers share one connection."""
        with self.reader() as backend:
            seen = copy(self)
            seen._seen = backend
            yield seen

    def copy_out(
        self, backend: SQLBackend, rows: ir.Table, target: DuckDBPyConnection, name: str
    ) -> None:
        """Ibis would make objects of all values."""
        copy_out(backend.con, sql_of(backend, rows), rows.schema(), target, name)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """By a lock that ends with the connection."""
        with self._session() as connection:
            lock(connection, self.lock_key("turn"))
            yield

    def lock_key(self, key: str) -> str:
        """The name of a lock of this warehouse; others may be in the same database."""
        return f"consumption_datamart {self.prefix} {key}"

    @contextmanager
    def copied(self) -> Iterator[Warehouse]:
        """In schemas beside, `datamart_preview_mart` and so on; the server copies the rows."""
        copied = self.beside()
        with self._session() as alone:
            lock(alone, self.lock_key(PREVIEW))
            try:
                with self._session() as connection:
                    drop_copies(connection, copied.prefix)  # what one left that was killed
                    connection.commit()
                    copy_tables(connection, self.published_tables(), self.prefix, copied.prefix)
                    connection.commit()
                yield copied
            finally:
                with self._session() as connection:
                    drop_copies(connection, copied.prefix)
                    connection.commit()

    def grant_readers(self, role: str) -> None:
        """Of tables to come, too, as far as this user creates them."""
        with self._session() as connection:
            grant_reading(connection, f"{self.prefix}{MartTable.schema_name()}", role)
            connection.commit()

    def require_schema(self, model: type[Table]) -> None:
        """Creates the model's schema at once, so that nobody waits for a transaction's end."""
        with self._session() as connection:
            lock(connection, self.lock_key(CREATE))
            require_schema(connection, f"{self.prefix}{model.schema_name()}")
            connection.commit()

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection]:
        """To change the database itself."""
        with self.server.session(self.lock_seconds) as connection:
            self.server.begin(connection, self.lock_seconds)
            yield connection


def _may_succeed(state: RetryCallState) -> bool:
    """Whether to try again: what was undone, and a server that is still away after that."""
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, Undone) or (state.attempt_number > 1 and isinstance(error, Away))
