"""Functions in processes of their own, which may be killed at a chosen point, and tell a value."""

import ctypes
import os
import pickle
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from consumption_datamart.warehouse import Transaction, sqlite
from consumption_datamart.warehouse.attaching import session_of
from consumption_datamart.warehouse.duckdb import DuckDBWarehouse
from consumption_datamart.warehouse.postgres import PostgresWarehouse
from consumption_datamart.warehouse.spark import tables
from consumption_datamart.warehouse.spark.backend import SparkBackend
from consumption_datamart.warehouse.spark.commits import Commits
from consumption_datamart.warehouse.spark.warehouse import SparkWarehouse
from consumption_datamart.warehouse.sqlite import SQLiteWarehouse
from consumption_datamart_tests import postgres_server

STATEMENT, COMMIT, BYTE, TIME = "statement", "commit", "byte", "time"
FULL, GONE, NO_FOLDER, READ_ONLY = "full", "gone", "no folder", "read-only"
BACKEND, SERVER = "backend", "server"
SERVER_SECONDS = 0.5
TERMINATE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname LIKE 'kills%' AND backend_type = 'client backend'"""
CAPABILITIES, MAY_WRITE_ANYWHERE = 0x20080522, 0b110
"""Of Linux: the version of its structures; root's power to pass over the modes of files."""


@dataclass(frozen=True)
class Point:
    """Where a process is killed.

    Attributes:
        kind: `statement`: before the n-th that the warehouse's engine gets; `commit`: some
            seconds after the n-th began; `byte`: as a file grows to n bytes; `time`: after some
            seconds. Not killed, but harmed otherwise: `full`: no file grows beyond n bytes; before
            the n-th statement the warehouse's file is `gone`, or its folder (`no folder`), or both
            become `read-only`; or PostgreSQL's `backend` is ended, or the `server`, which
            comes back.
        at: that number.
        seconds: to wait, where there is something to wait for.
    """

    kind: str
    at: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a process ended: what it returned or raised, or the signal that killed it."""

    value: Any = None
    error: str | None = None
    signal: int | None = None


def apart(
    function: Callable[..., Any],
    *arguments: Any,
    point: Point | None = None,
    place: Path | None = None,
) -> Ended:
    """Call a function in a fork of this process, which must not have opened a database itself.

    Args:
        function: what to call.
        arguments: for it.
        point: where to harm it.
        place: folder of the warehouse.
    """
    with tempfile.NamedTemporaryFile() as file:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _in_child(function, arguments, point, place, file.fileno(), writing)
        os.close(writing)
        kind = point.kind if point else None
        if kind == TIME or (kind == COMMIT and os.read(reading, 1)):
            time.sleep(point.seconds)
            os.kill(child, signal.SIGKILL)
        os.close(reading)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return Ended(signal=os.WTERMSIG(status))
        kind, value = pickle.loads(Path(file.name).read_bytes())
        return Ended(value=value) if kind == "value" else Ended(error=value)


def _in_child(
    function: Callable[..., Any],
    arguments: tuple,
    point: Point | None,
    place: Path | None,
    told: int,
    pipe: int,
) -> None:
    """Never returns: calls the function, writes down what it says, and ends the process."""
    try:
        if point is not None:
            _arm(point, place, pipe)
        value: tuple[str, Any] = ("value", function(*arguments))
    except BaseException:
        value = ("error", traceback.format_exc())
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.write(told, pickle.dumps(value))
    sys.stdout.flush()
    os._exit(0)


def _arm(point: Point, place: Path | None, pipe: int) -> None:
    if point.kind == READ_ONLY:
        _give_up_power()
    if point.kind in (BYTE, FULL):
        # the kernel sends the signal in the middle of a write; what fits has been written
        handler = signal.SIG_DFL if point.kind == BYTE else signal.SIG_IGN
        signal.signal(signal.SIGXFSZ, handler)
        resource.setrlimit(resource.RLIMIT_FSIZE, (point.at, resource.RLIM_INFINITY))
    counted = Counter()
    before = COMMIT if point.kind == COMMIT else STATEMENT

    def count(kind: str) -> None:
        counted[kind] += 1
        if kind == before and counted[kind] == point.at:
            _harm(point.kind, place, pipe)

    watch(count)


def _give_up_power() -> None:
    """Files that are read-only are so for root, too."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 bits
    if libc.capget(header, sets) == 0:
        sets[0] &= ~MAY_WRITE_ANYWHERE
        libc.capset(header, sets)


def _harm(kind: str, place: Path | None, pipe: int) -> None:
    if kind == STATEMENT:
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == COMMIT:
        os.write(pipe, b"!")  # and go on: the parent kills
    elif kind == GONE:
        for file in place.iterdir():
            file.unlink()
    elif kind == NO_FOLDER:
        shutil.rmtree(place)
    elif kind == READ_ONLY:
        for path in (*place.iterdir(), place):
            path.chmod(path.stat().st_mode & 0o555)
    elif kind == BACKEND:
        postgres_server.run("postgres", TERMINATE)
    elif kind == SERVER:
        postgres_server.restart(SERVER_SECONDS)


def watch(on: Callable[[str], None]) -> None:
    """Calls back before each statement and each commit of this process."""
    execute, commit = duckdb.DuckDBPyConnection.execute, duckdb.DuckDBPyConnection.commit

    def execute_and_tell(self: duckdb.DuckDBPyConnection, *args: Any, **named: Any) -> Any:
        on(STATEMENT)
        return execute(self, *args, **named)

    def commit_and_tell(self: duckdb.DuckDBPyConnection) -> Any:
        on(COMMIT)
        return commit(self)

    duckdb.DuckDBPyConnection.execute = execute_and_tell
    duckdb.DuckDBPyConnection.commit = commit_and_tell

    class Connection(sqlite._Connection):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self.set_trace_callback(lambda sql: on(COMMIT if sql == "COMMIT" else STATEMENT))

    sqlite._Connection = Connection
    query, end = psycopg.Cursor.execute, psycopg.Connection.commit

    def query_and_tell(self: psycopg.Cursor, *args: Any, **named: Any) -> Any:
        on(STATEMENT)
        return query(self, *args, **named)

    def end_and_tell(self: psycopg.Connection) -> None:
        on(COMMIT)
        end(self)

    psycopg.Cursor.execute = query_and_tell
    psycopg.Connection.commit = end_and_tell
    assert issubclass(Connection, sqlite3.Connection)
    _watch_spark(on)


def _watch_spark(on: Callable[[str], None]) -> None:
    """The same of what a cluster is asked, what is done to a table without it, and commits."""
    of_kind = {
        STATEMENT: [(SparkBackend, "frame"), *((tables, name) for name in ("form", "add"))],
        COMMIT: [(Commits, "write")],
    }
    for kind, places in of_kind.items():
        for place, name in places:
            setattr(place, name, _telling(getattr(place, name), partial(on, kind)))


def _telling(original: Callable[..., Any], on: Callable[[], None]) -> Callable[..., Any]:
    def tell(*args: Any) -> Any:
        on()
        return original(*args)

    return tell


def after_each_transaction(then: Callable[[], None]) -> None:
    """Calls back after each transaction of this process, once its file is closed."""
    for warehouse in (DuckDBWarehouse, SQLiteWarehouse, PostgresWarehouse, SparkWarehouse):

        def transaction(
            self: Any, *tables: Any, original: Callable[..., Any] = warehouse.transaction
        ) -> Iterator[Transaction]:
            with original(self, *tables) as opened:
                yield opened
            file = getattr(self, "working", None)
            if file and (kept := session_of(file)):
                kept.close()
            then()

        warehouse.transaction = contextmanager(transaction)
