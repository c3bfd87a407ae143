"""Queries in DuckDB's own SQL, on the DuckDB that reads the lake."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.warehouse.sql import table_of


def view(staging: DuckDBBackend, name: str, sql: str) -> ir.Table:
    """The rows of a query as an expression, and for DuckDB by that name."""
    staging.con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")
    return table_of(staging, name)


@contextmanager
def by_what_files_hold(staging: DuckDBBackend) -> Iterator[None]:
    """Within the block DuckDB asks each value, and does not trust what a file says of them.

    Where a Parquet file says that a column has no nulls, or none above a bound, DuckDB leaves out
    the rules that look for them; a damaged file may be wrong.
    """
    with staging.con.cursor() as apart:
        apart.execute("SET disabled_optimizers = 'statistics_propagation'")
        try:
            yield
        finally:
            with suppress(duckdb.Error):  # what made it unusable is told
                apart.execute("RESET disabled_optimizers")
