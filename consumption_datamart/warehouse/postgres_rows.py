"""Rows on their way out of PostgreSQL, without a Python object for each of their values."""

import tempfile

import duckdb
import ibis
from ibis.backends.duckdb import Backend as DuckDBBackend
from psycopg import Connection

LONGEST_LINE = 64 << 20
"""Bytes; DuckDB would refuse rows of two million."""


def copy_out(
    source: Connection,
    query: str,
    schema: ibis.Schema,
    target: duckdb.DuckDBPyConnection,
    name: str,
) -> None:
    """Copies the rows of a query into a temporary table of a DuckDB, by a file.

    Args:
        source: in a transaction.
        query: its SQL.
        schema: names and types of its columns.
        target: where to.
        name: of the table, which is replaced.
    """
    types = {
        column: DuckDBBackend.compiler.type_mapper.to_string(dtype)
        for column, dtype in schema.items()
    }
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        with (
            source.cursor() as cursor,
            cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as rows,
        ):
            for block in rows:
                file.write(block)
        file.flush()
        target.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS FROM read_csv(?, columns = ?,"
            " auto_detect = false, header = false, nullstr = '', allow_quoted_nulls = false,"
            f" max_line_size = {LONGEST_LINE})",
            [file.name, types],
        )
