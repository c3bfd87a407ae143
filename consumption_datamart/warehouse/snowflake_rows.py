"""Rows on their way into Snowflake, by a stage, and out of it, as Arrow."""

import tempfile
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql.datatypes import SnowflakeType
from snowflake.connector import SnowflakeConnection

SCHEMA = "PUBLIC"
"""Of stages, which are temporary; the emulator finds none in a schema of small letters."""


def copy_in(
    connection: SnowflakeConnection,
    stage: str,
    source: duckdb.DuckDBPyConnection,
    query: str,
    table: str,
    schema: ibis.Schema,
) -> None:
    """Adds the rows of a query of DuckDB to a table, in the transaction that is open.

    Args:
        connection: to Snowflake.
        stage: name of one that is there.
        source: where the query is run.
        query: its SQL.
        table: its name, quoted.
        schema: names and types of the columns that the query gives.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.parquet")
        form = "FORMAT parquet, COMPRESSION zstd"
        ((count,),) = source.execute(f"COPY ({query}) TO '{file}' ({form})").fetchall()
        if not count:
            return
        cursor = connection.cursor()
        cursor.execute(f"PUT 'file://{file}' @{stage} AUTO_COMPRESS = FALSE OVERWRITE = TRUE")
        columns = ", ".join(f'"{name}"' for name in schema)
        read = ", ".join(
            f'$1:"{name}"::{SnowflakeType.to_string(dtype.copy(nullable=True))}'
            for name, dtype in schema.items()
        )
        cursor.execute(
            f"COPY INTO {table} ({columns}) FROM (SELECT {read} FROM @{stage}/{file.name})"
            " FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) FORCE = TRUE"
        )


def copy_out(
    connection: SnowflakeConnection,
    query: str,
    schema: ibis.Schema,
    target: duckdb.DuckDBPyConnection,
    name: str,
) -> None:
    """Copies the rows of a query into a temporary table of a DuckDB, in batches.

    Args:
        connection: to Snowflake.
        query: its SQL.
        schema: names and types of its columns.
        target: where to.
        name: of the table, which is replaced.
    """
    types = [DuckDBBackend.compiler.type_mapper.to_string(dtype) for dtype in schema.types]
    columns = list(zip(schema.names, types, strict=True))
    listed = ", ".join(f'"{column}" {dtype}' for column, dtype in columns)
    target.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({listed})")
    cast = ", ".join(f'"{column}"::{dtype}' for column, dtype in columns)
    cursor = connection.cursor()
    cursor.execute(query)
    for batch in cursor.fetch_arrow_batches():
        target.register("copied", batch.rename_columns(schema.names))
        target.execute(f"INSERT INTO {name} SELECT {cast} FROM copied")
        target.unregister("copied")
