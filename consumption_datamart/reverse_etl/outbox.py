"""The outbox: what a sync sends, as it was at one publication, and what became of it.

It is a schema of the mart's database. Census reads its tables and not the mart's, so that what is
published while a sync is under way is not sent by half.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.sql import SQL, Composed, Identifier

from consumption_datamart.errors import DatamartError, WarehouseError, first_line
from consumption_datamart.schema.monitoring import Publication
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.postgres import PostgresWarehouse
from consumption_datamart.warehouse.postgres_connection import lock
from consumption_datamart.warehouse.postgres_schemas import require_schema

SCHEMA, SENT = "outbox", "sent"
OPEN = ("ready", "triggered")
LOCK_SECONDS = 60.0
TABLE = """CREATE TABLE IF NOT EXISTS {sent} (
    attempt bigserial PRIMARY KEY, sync text NOT NULL, publication bigint NOT NULL,
    row_count bigint NOT NULL, filled_at timestamptz NOT NULL DEFAULT now(),
    run_before bigint NOT NULL, sync_run bigint, status text NOT NULL,
    counts jsonb NOT NULL DEFAULT '{{}}', ended_at timestamptz)"""
COLUMNS = "attempt, publication, row_count, run_before, sync_run, status, counts"


class OutboxError(DatamartError):
    """The outbox cannot be filled; nothing is sent."""


@dataclass(frozen=True)
class Attempt:
    """A filling of the outbox, and the run that has sent it.

    Attributes:
        attempt: its number.
        publication: by which the report became what it was.
        row_count: that are to be sent.
        run_before: the last run of the sync before it.
        sync_run: that was started; None: not known.
        status: ready, triggered, completed, rejected, failed or skipped.
        counts: of rows, as Census has told them.
    """

    attempt: int
    publication: int
    row_count: int
    run_before: int
    sync_run: int | None
    status: str
    counts: Mapping[str, int]

    @property
    def is_open(self) -> bool:
        """Whether it is not known what became of it."""
        return self.status in OPEN


class Outbox:
    """The table of one sync; opened by `outbox`."""

    def __init__(
        self, warehouse: PostgresWarehouse, connection: psycopg.Connection, sync: str
    ) -> None:
        """With a connection that holds the sync's lock."""
        self.warehouse, self.connection, self.sync = warehouse, connection, sync
        self.schema = f"{warehouse.prefix}{SCHEMA}"
        self.table, self.sent = (Identifier(self.schema, name) for name in (sync, SENT))

    def require(self) -> None:
        """Creates the table of attempts, if it is not there."""
        self._run(TABLE)

    def last(self) -> Attempt | None:
        """The last attempt."""
        found = self._rows(
            f"SELECT {COLUMNS} FROM {{sent}} WHERE sync = %s ORDER BY attempt DESC LIMIT 1",
            self.sync,
        )
        return Attempt(*found[0]) if found else None

    def publication(self, model: type[Table]) -> int:
        """The publication by which the report became what it is.

        Raises:
            OutboxError: it was never published.
        """
        ledger = self.warehouse.qualified(Publication)
        query = f"SELECT max(changed_version) FROM {ledger} WHERE published_table = %s"
        ((version,),) = self._rows(query, model.full_name())
        if version is None:
            raise OutboxError(f"{model.full_name()}: it was never published; build the mart first")
        return int(version)

    def fill(self, model: type[Table], where: str | None, run_before: int) -> Attempt:
        """Puts the report into the outbox, all of one state, in place of what was there.

        Raises:
            OutboxError: it was never published, or `where` is no condition on it.
        """
        columns = ", ".join(f'"{name}"' for name in model.ibis_schema())
        query = f"SELECT {columns} FROM {self.warehouse.qualified(model)}"
        query = f"{query} WHERE ({where})" if where else query
        query = query.replace("{", "{{").replace("}", "}}")
        try:
            with self.connection.transaction():
                version = self.publication(model)
                if not self._has_columns(list(model.ibis_schema())):
                    self._run("DROP TABLE IF EXISTS {table}")
                    self._run(f"CREATE TABLE {{table}} AS {query} LIMIT 0")
                self._run("DELETE FROM {table}")
                rows = self._run(f"INSERT INTO {{table}} {query}").rowcount
                (row,) = self._rows(
                    "INSERT INTO {sent} (sync, publication, row_count, run_before, status) VALUES"
                    f" (%s, %s, %s, %s, 'ready') RETURNING {COLUMNS}",
                    self.sync,
                    version,
                    rows,
                    run_before,
                )
        except (errors.InsufficientPrivilege, errors.UndefinedTable):
            raise  # the session tells what is to be done
        except (psycopg.DataError, psycopg.ProgrammingError) as error:
            raise OutboxError(f"[[sync]] {self.sync}: where: {first_line(error)}") from error
        return Attempt(*row)

    def triggered(self, attempt: Attempt, run: int) -> None:
        """Writes down which run sends it."""
        query = "UPDATE {sent} SET sync_run = %s, status = 'triggered' WHERE attempt = %s"
        self._run(query, run, attempt.attempt)

    def ended(
        self, attempt: Attempt, status: str, run: int | None, counts: Mapping[str, int]
    ) -> Attempt:
        """Writes down what became of it."""
        ((*found,),) = self._rows(
            "UPDATE {sent} SET status = %s, sync_run = %s, counts = %s, ended_at = now()"
            f" WHERE attempt = %s RETURNING {COLUMNS}",
            status,
            run,
            json.dumps(counts),
            attempt.attempt,
        )
        return Attempt(*found)

    def _has_columns(self, names: list[str]) -> bool:
        found = self._rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND"
            " table_name = %s ORDER BY ordinal_position",
            self.schema,
            self.sync,
        )
        return [name for (name,) in found] == names

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._run(query, *values).fetchall()

    def _run(self, query: str, *values: object) -> psycopg.Cursor[tuple[Any, ...]]:
        # without values a % is a %
        return self.connection.execute(self._named(query), values or None)

    def _named(self, query: str) -> Composed:
        return SQL(query).format(table=self.table, sent=self.sent)


@contextmanager
def outbox(warehouse: PostgresWarehouse, sync: str) -> Iterator[Outbox]:
    """The outbox of a sync, for one run alone; the lock ends with the connection.

    Raises:
        WarehouseError: another run is sending it, or the warehouse cannot be reached.
    """
    with warehouse.server.session(LOCK_SECONDS) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.autocommit = True
        key = warehouse.lock_key(f"{SCHEMA} {sync}")
        asked = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,))
        if asked.fetchone() != (True,):
            raise WarehouseError(f"[[sync]] {sync}: another run sends it; wait until it is done")
        found = Outbox(warehouse, connection, sync)
        with connection.transaction():
            lock(connection, warehouse.lock_key(SCHEMA))
            require_schema(connection, found.schema)
            found.require()
        yield found
