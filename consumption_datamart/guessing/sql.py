"""Names in DuckDB's SQL, quoted only where they have to be."""

from functools import cache

import duckdb

from consumption_datamart.guessing.sample import Column
from consumption_datamart.lake.formats import quoted


@cache
def _keywords() -> frozenset[str]:
    rows = duckdb.connect().execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    )
    return frozenset(name for (name,) in rows.fetchall())


def identifier(name: str) -> str:
    """A name, quoted where it has to be."""
    is_plain = name.isascii() and name.isidentifier() and name.lower() not in _keywords()
    return name if is_plain else quoted(name)


def reference(column: Column) -> str:
    """A column, or a field of a struct."""
    return ".".join(map(identifier, column.path))
