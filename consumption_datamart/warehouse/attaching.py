"""DuckDB files that are attached: for one who reads or writes, or for many after each other."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import duckdb
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from consumption_datamart.warehouse.in_memory import another_connection

Attach = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]
HELD_SECONDS = 5.0
"""How long a session keeps a file: then others get their chance, and DuckDB gives back memory."""
_SESSIONS: dict[Path, "Session"] = {}


def attach(
    connection: duckdb.DuckDBPyConnection, file: Path, as_what: str, lock_seconds: float = 0
) -> None:
    """Attaches a file to a DuckDB.

    Args:
        connection: to the DuckDB.
        file: that is there, or is created.
        as_what: the name that it gets, and how it is opened, as SQL.
        lock_seconds: how long to wait for another who has it open.

    Raises:
        duckdb.Error: it cannot be opened, or another does not give it up in time.
    """
    patiently = Retrying(
        retry=retry_if_exception(_is_in_use),
        wait=wait_random(0.05, 0.3),
        stop=stop_after_delay(lock_seconds),
        reraise=True,
    )
    quoted = str(file).replace("'", "''")
    patiently(connection.execute, f"ATTACH '{quoted}' {as_what}")


class Session:
    """A DuckDB to which a file is attached as soon as somebody asks for it."""

    def __init__(self, attach: Attach) -> None:
        """Nothing is attached yet."""
        self._attach, self._attached = attach, ExitStack()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._since = 0.0

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to that DuckDB."""
        if self._engine is None:
            self._engine = self._attached.enter_context(self._attach())
            self._since = time.monotonic()
        try:
            with another_connection(self._engine) as connection:
                yield connection
        except BaseException:
            # what has failed may have left DuckDB unusable: the next who asks gets another
            self._engine = None
            with self._attached.pop_all():
                raise
        if time.monotonic() - self._since > HELD_SECONDS:
            self.close()

    def close(self) -> None:
        """Gives up the file, until somebody asks for it again."""
        self._engine = None
        self._attached.close()


@contextmanager
def session(file: Path, attach: Attach) -> Iterator[None]:
    """Begins a session for a file, which nobody else can open while it is attached."""
    _SESSIONS[file] = Session(attach)
    try:
        yield
    finally:
        _SESSIONS.pop(file).close()


def session_of(file: Path) -> Session | None:
    """The session for a file, if one has begun."""
    return _SESSIONS.get(file)


def _is_in_use(error: BaseException) -> bool:
    """By another process, or in this one."""
    return isinstance(error, duckdb.Error) and (
        "Could not set lock" in str(error) or "Unique file handle conflict" in str(error)
    )
