"""Queries in DuckDB's own SQL, on the DuckDB that reads the lake."""

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.warehouse.sql import table_of


def view(staging: DuckDBBackend, name: str, sql: str) -> ir.Table:
    """The rows of a query as an expression, and for DuckDB by that name."""
    staging.con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")
    return table_of(staging, name)
