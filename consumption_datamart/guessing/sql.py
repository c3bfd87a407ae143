"""Names, texts and formats in DuckDB's SQL."""

from functools import cache

import duckdb

from consumption_datamart.guessing.sample import Column


@cache
def _keywords() -> frozenset[str]:
    rows = duckdb.connect().execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    )
    return frozenset(name for (name,) in rows.fetchall())


def identifier(name: str) -> str:
    """A name, quoted where it has to be."""
    is_plain = name.isascii() and name.isidentifier() and name.lower() not in _keywords()
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def reference(column: Column) -> str:
    """A column, or a field of a struct."""
    return ".".join(map(identifier, column.path))


def literal(text: str) -> str:
    """A text."""
    return "'" + text.replace("'", "''") + "'"
