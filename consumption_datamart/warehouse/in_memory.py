"""A DuckDB in memory: it reads the lake, and other files are attached to it.

Starting one takes longer than a small table does. So a process keeps the last one that it has used.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb

from consumption_datamart.errors import WarehouseError, first_line


class _Engine(NamedTuple):
    """A DuckDB, and what it was started with."""

    memory_limit: str
    spill: Path
    connection: duckdb.DuckDBPyConnection


KEPT_SECONDS = 1.0
"""Who was used for longer is not kept: an idle DuckDB keeps the memory that it had."""
_idle: list[_Engine] = []
"""None or one."""

if hasattr(os, "register_at_fork"):  # a forked process would have a DuckDB without its threads
    os.register_at_fork(before=_idle.clear)


@contextmanager
def duckdb_in_memory(memory_limit: str, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a DuckDB that nobody else uses meanwhile.

    Args:
        memory_limit: how much memory it may use.
        spill: folder for what does not fit; it is there only while it is needed.

    Raises:
        WarehouseError: the limit is no amount of memory, or is too little.
    """
    engine, began = _take(memory_limit, spill), time.monotonic()
    try:
        with another_connection(engine.connection) as connection:
            yield connection
    except BaseException as error:
        engine.connection.close()  # an error may have left it unusable
        if isinstance(error, duckdb.OutOfMemoryException):
            raise WarehouseError(
                f"DuckDB may use {memory_limit} of memory: {first_line(error)}; set "
                "CONSUMPTION_DATAMART_MEMORY_LIMIT to more, or make room on the disk of "
                f"{spill.parent}"
            ) from error
        raise
    if time.monotonic() - began < KEPT_SECONDS:
        _idle[:] = [engine]
    else:
        engine.connection.close()


@contextmanager
def another_connection(
    to: duckdb.DuckDBPyConnection,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Another connection to the same DuckDB, with temporary tables of its own."""
    with to.cursor() as connection:
        connection.execute("SET enable_progress_bar = false")
        yield connection
        for name in connection.list_filesystems():
            connection.unregister_filesystem(name)


def _take(memory_limit: str, spill: Path) -> _Engine:
    """The idle one if it is such a one, or another."""
    try:
        engine = _idle.pop()
    except IndexError:
        engine = None
    if engine is not None and engine[:2] == (memory_limit, spill):
        return engine
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "preserve_insertion_order": False,
        "temp_directory": str(spill),
    }
    try:
        return _Engine(memory_limit, spill, duckdb.connect(config=config))
    except duckdb.ParserException as error:
        raise WarehouseError(
            f"CONSUMPTION_DATAMART_MEMORY_LIMIT={memory_limit}: {first_line(error)}"
        ) from error
