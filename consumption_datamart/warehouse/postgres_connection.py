"""Connections to PostgreSQL: how they are made, what they lock, and what is told of them."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.conninfo import make_conninfo

from consumption_datamart.errors import WarehouseError, first_line

CONNECT_SECONDS = "10"
"""How long to wait for a server, where the URL does not say."""
OUTCOME_SECONDS = 30.0
"""How long to ask what became of a commit whose answer was lost."""
FITTING = {
    "jit": "off",
    "enable_nestloop": "off",
    "work_mem": "64MB",
    "synchronous_commit": "on",
}
"""Where nobody has set another: to compile a query takes longer than to run it; and what the server
takes for one row, as several conditions hold for it, are often thousands. And where it is off: what
was told to be committed is not lost when the server breaks down."""
TOLD = (errors.OperationalError, errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)
"""What the server, or its administrator, is to mend."""
UNDONE = (errors.DeadlockDetected, errors.SerializationFailure)
"""What another has undone; the next attempt may succeed."""


class Away(WarehouseError):
    """The server cannot be reached, or lets nobody in."""


class Undone(WarehouseError):
    """A transaction was not committed: its connection was lost, or another's was in its way."""


class Server:
    """A PostgreSQL server, and a database there.

    Attributes:
        name: to call it by in messages.
    """

    def __init__(self, name: str, parameters: dict[str, str]) -> None:
        """Nothing is connected yet.

        Args:
            name: has no password in it.
            parameters: of libpq, which also reads its own variables, service and password files.
        """
        self.name = name
        ours = {
            "connect_timeout": CONNECT_SECONDS,
            "fallback_application_name": "consumption-datamart",
        }
        self.parameters = make_conninfo(**(ours | parameters))

    @contextmanager
    def session(
        self, lock_seconds: float, *, is_reading: bool = False
    ) -> Iterator[psycopg.Connection]:
        """A connection in a transaction, which is rolled back unless it is committed.

        Args:
            lock_seconds: how long to wait for others.
            is_reading: whether it only reads, all of one state.

        Raises:
            Away: the server is away, or lets nobody in.
            WarehouseError: it refuses, or others do not give way in time.
            Undone: the connection was lost.
        """
        try:
            connection = psycopg.connect(self.parameters)
        except psycopg.Error as error:
            raise Away(f"warehouse {self.name}: {first_line(error)}") from error
        with closing(connection), self._told(connection, lock_seconds):
            connection.read_only = is_reading
            connection.isolation_level = (
                IsolationLevel.REPEATABLE_READ if is_reading else IsolationLevel.READ_COMMITTED
            )
            yield connection

    def begin(self, connection: psycopg.Connection, lock_seconds: float) -> None:
        """Begins a transaction, with settings that end with it."""
        required = {
            "datestyle": "ISO",
            "lock_timeout": f"{lock_seconds * 1000:.0f}",
            "idle_in_transaction_session_timeout": "0",
        }
        names, values = [*required, *FITTING], [*required.values(), *FITTING.values()]
        connection.execute(
            "SELECT set_config(wanted.name, value, true) FROM unnest(%s::text[], %s::text[])"
            " AS wanted (name, value) JOIN pg_settings AS known ON lower(known.name) = wanted.name"
            " WHERE wanted.name = ANY(%s) OR source = 'default' OR setting = 'off'",
            (names, values, list(required)),
        )

    def commit(self, connection: psycopg.Connection) -> None:
        """Commits; where the connection is lost meanwhile, finds out by another what became of it.

        Raises:
            WarehouseError: that cannot be found out.
        """
        found = connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()
        (number,) = found or (None,)
        try:
            connection.commit()
        except errors.OperationalError:
            if number is None or not self._is_committed(number):
                raise

    def _is_committed(self, number: str) -> bool:
        until = time.monotonic() + OUTCOME_SECONDS
        status, problem = "in progress", "the server is still at it"
        while status == "in progress" and time.monotonic() < until:
            try:
                with psycopg.connect(self.parameters, autocommit=True) as connection:
                    found = connection.execute("SELECT pg_xact_status(%s::xid8)", (number,))
                    (status,) = found.fetchone() or (None,)
            except psycopg.Error as error:
                problem = first_line(error)
            time.sleep(0.1 if status == "in progress" else 0)
        if status not in ("committed", "aborted"):
            raise WarehouseError(
                f"warehouse {self.name}: the connection was lost while it was committed to, and it"
                f" cannot be told whether it was: {problem}; run again"
            )
        return status == "committed"

    @contextmanager
    def _told(self, connection: psycopg.Connection, lock_seconds: float) -> Iterator[None]:
        """Says in a line what is wrong with the server, or with what one may do there."""
        try:
            yield
        except psycopg.Error as error:
            told = f"warehouse {self.name}: {first_line(error)}"
            if connection.broken or isinstance(error, UNDONE):
                raise Undone(f"{told}; nothing was published, run again") from error
            if isinstance(error, errors.LockNotAvailable):
                raise WarehouseError(
                    f"warehouse {self.name}: another process writes to it since"
                    f" {lock_seconds:.0f} s; wait until it is done"
                ) from error
            if isinstance(error, (errors.UndefinedTable, errors.InvalidSchemaName)):
                raise WarehouseError(f"{told}; build the mart first") from error
            if isinstance(error, TOLD):
                raise WarehouseError(told) from error
            raise


def lock(connection: psycopg.Connection, key: str, *, is_shared: bool = False) -> None:
    """Waits for a lock that ends with the transaction; it is of no table, so that readers read on.

    Args:
        connection: in a transaction.
        key: a name of what it stands for.
        is_shared: whether others may have it, too, who share it.
    """
    function = "pg_advisory_xact_lock_shared" if is_shared else "pg_advisory_xact_lock"
    connection.execute(f"SELECT {function}(hashtextextended(%s, 0))", (key,))
