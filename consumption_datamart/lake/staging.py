"""Queries in DuckDB's own SQL, on the DuckDB that reads the lake."""

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend as DuckDBBackend


def query(staging: DuckDBBackend, sql: str) -> ir.Table:
    """The rows of a query, as an expression on `staging`.

    Ibis 12 asks for the columns in a way that DuckDB 2 no longer knows (docs/decisions/0035).
    """
    found, of_type = staging.con.sql(sql), staging.compiler.type_mapper.from_string
    columns = zip(found.columns, found.types, strict=True)
    return staging.sql(sql, schema={name: of_type(str(dtype)) for name, dtype in columns})
