"""SQL that an earlier process made of an expression: Ibis takes longer for it than most engines.

It is kept in a file of the user's cache directory. Where that cannot be read or written, SQL is
made anew; nothing else depends on it. Days are left open in what is kept, as each build asks for
others: it is made of the expression with stand-ins for them, which the days then replace.
"""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis.expr.operations as ops
from platformdirs import user_cache_path

KEPT = 4_000
"""Statements that are kept, the last that were made."""
FORM = 2
"""Goes up where `sql.py` makes other SQL of the same expression than before."""
MADE_BY = ("ibis-framework", "sqlglot", "duckdb")
"""Packages whose versions decide what SQL an expression has."""
STAND_IN = re.compile(r"(MAKE_DATE|DATE_FROM_PARTS)\(7(\d{3}), 7, 7\)|'7(\d{3})-07-07'")
"""The days 7000-07-07, 7001-07-07, … as the engines' SQL has them."""


def kept(dialect: str, relation: ops.Relation, make: Callable[[ops.Relation], str]) -> str:
    """The SQL of an expression in a dialect; made only where no process has made it before.

    Args:
        dialect: of the SQL, and what is made in it, where that is not the whole query.
        relation: the expression.
        make: the SQL of an expression that differs in nothing but days.
    """
    known, days = _known(), _days(relation)
    key = f"{dialect} {fingerprint(relation, days)}"
    if key not in known:
        known[key] = make(_with_stand_ins(relation, days))
        _write(key, known[key])
    if len({found[2] or found[3] for found in STAND_IN.finditer(known[key])}) < len(days):
        return make(relation)  # a dialect that writes days otherwise
    return STAND_IN.sub(lambda found: _written(found, days), known[key])


def fingerprint(relation: ops.Relation, days: Sequence[date] = ()) -> str:
    """A hash of all that an expression says: the same in every process, for no other expression.

    Args:
        relation: the expression.
        days: of which only the place in the sequence counts.
    """
    places = {day: number for number, day in enumerate(days)}

    def of_node(node: ops.Node, _: object, **arguments: Any) -> str:
        said = {name: _in_order(value) for name, value in arguments.items()}
        if _is_day(node):
            said["value"] = ("day", places.get(node.value, node.value))
        # an engine's own function is a class, that does not say the function's name
        function = getattr(node, "__func_name__", None), getattr(node, "__udf_namespace__", None)
        text = repr((type(node).__module__, type(node).__qualname__, function, said))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    found: str = relation.map(of_node)[relation]
    return found


def _is_day(node: ops.Node) -> bool:
    return isinstance(node, ops.Literal) and node.dtype.is_date() and node.value is not None


def _days(relation: ops.Relation) -> list[date]:
    """The days that an expression names, from the first to the last."""
    return sorted({each.value for each in relation.find(ops.Literal) if _is_day(each)})


def _with_stand_ins(relation: ops.Relation, days: Sequence[date]) -> ops.Relation:
    """The expression with another day for each."""
    places = {day: number for number, day in enumerate(days)}
    others = {
        each: ops.Literal(date(7000 + places[each.value], 7, 7), each.dtype)
        for each in relation.find(ops.Literal)
        if _is_day(each)
    }
    return relation.replace(others) if others else relation


def _written(found: re.Match[str], days: Sequence[date]) -> str:
    """A stand-in's day, as the engine's SQL has it."""
    function, of_function, of_text = found.groups()
    day = days[int(of_function or of_text)]
    return f"'{day}'" if of_text else f"{function}({day.year}, {day.month}, {day.day})"


def _in_order(value: object) -> object:
    """Sets have no order that would be the same in the next process."""
    return sorted(value, key=repr) if isinstance(value, frozenset) else value


def cache_file() -> Path:
    """Where SQL is kept, made by these versions of the packages."""
    return user_cache_path("consumption-datamart") / f"sql-{FORM}-{_versions()}.sqlite"


@cache
def _versions() -> str:
    return "-".join(version(package) for package in MADE_BY)


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
