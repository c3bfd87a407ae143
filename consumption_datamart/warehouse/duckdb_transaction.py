"""What is done in a transaction of DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import ibis.expr.types as ir
import pyarrow as pa

from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.transaction import Transaction


class DuckDBTransaction(Transaction):
    """Files are read in the warehouse's own connection."""

    constraint_error = duckdb.ConstraintException

    def create(self, model: type[Table]) -> None:
        """Creates the schema, too."""
        _, place = self.warehouse.location(model)
        schema = ".".join(f'"{name}"' for name in place or ())
        self.backend.raw_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        columns = []
        for name, dtype in self.warehouse.stored_schema(model).items():
            columns.append(f'"{name}" {self.backend.compiler.type_mapper.to_string(dtype)}')
            if not dtype.nullable:
                columns[-1] += " NOT NULL"
            if name in model.identifiers():
                # else DuckDB looks for repeated values first, in vain, which takes as long again
                columns[-1] += " USING COMPRESSION zstd"
        self.backend.raw_sql(
            f"CREATE TABLE {self.warehouse.qualified(model)} ({', '.join(columns)})"
        )

    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Staged rows are already here."""
        self.insert(model, staged)

    def _append(self, model: type[Table], rows: pa.Table) -> None:
        """DuckDB reads them by itself."""
        self.staging.con.register("appended_rows", rows)
        into = f"INSERT INTO {self.warehouse.qualified(model)} BY NAME"
        with self.constraints(model):
            self.staging.con.execute(f"{into} FROM appended_rows")


@contextmanager
def undone_or_committed(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction of a connection."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
