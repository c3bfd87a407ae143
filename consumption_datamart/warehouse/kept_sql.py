"""SQL that an earlier process made of an expression: Ibis takes longer for it than most engines.

It is kept in a file of the user's cache directory. Where that cannot be read or written, SQL is
made anew; nothing else depends on it.
"""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis.expr.operations as ops
from platformdirs import user_cache_path

KEPT = 4_000
"""Statements that are kept, the last that were made: those of single days come and go."""
FORM = 1
"""Goes up where `sql.py` makes other SQL of the same expression than before."""
MADE_BY = ("ibis-framework", "sqlglot", "duckdb")
"""Packages whose versions decide what SQL an expression has."""


def kept(dialect: str, relation: ops.Relation, make: Callable[[], str]) -> str:
    """The SQL of an expression in a dialect; made only where no process has made it before."""
    known, key = _known(), f"{dialect} {fingerprint(relation)}"
    if key not in known:
        known[key] = make()
        _write(key, known[key])
    return known[key]


def fingerprint(relation: ops.Relation) -> str:
    """A hash of all that an expression says: the same in every process, for no other expression."""

    def of_node(node: ops.Node, _: object, **arguments: Any) -> str:
        said = {name: _in_order(value) for name, value in arguments.items()}
        # an engine's own function is a class, that does not say the function's name
        function = getattr(node, "__func_name__", None), getattr(node, "__udf_namespace__", None)
        text = repr((type(node).__module__, type(node).__qualname__, function, said))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    found: str = relation.map(of_node)[relation]
    return found


def _in_order(value: object) -> object:
    """Sets have no order that would be the same in the next process."""
    return sorted(value, key=repr) if isinstance(value, frozenset) else value


def cache_file() -> Path:
    """Where SQL is kept, made by these versions of the packages."""
    versions = "-".join(version(package) for package in MADE_BY)
    return user_cache_path("consumption-datamart") / f"sql-{FORM}-{versions}.sqlite"


@cache
def _known() -> dict[str, str]:
    """What was kept when this process first asked, and what it has made since."""
    file = cache_file()
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=1)) as connection:
            return dict(connection.execute("SELECT key, sql FROM statement"))
    except sqlite3.Error:
        return {}


def _write(key: str, sql: str) -> None:
    file = cache_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS statement"
                " (number INTEGER PRIMARY KEY, key TEXT UNIQUE, sql TEXT)"
            )
            connection.execute(
                "INSERT OR IGNORE INTO statement (key, sql) VALUES (?, ?)", (key, sql)
            )
            connection.execute(
                "DELETE FROM statement"
                f" WHERE number <= (SELECT max(number) - {KEPT} FROM statement)"
            )
    except (OSError, sqlite3.Error):
        pass  # a home that cannot be written to, a file that is none
