"""What is done in a transaction of PostgreSQL."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import ibis.expr.types as ir
import pgpq
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.postgres_connection import lock
from consumption_datamart.warehouse.postgres_partitions import (
    Partitions,
    months_of,
    partition_clause,
)
from consumption_datamart.warehouse.rows import conform, from_duckdb
from consumption_datamart.warehouse.server import column_definitions, without_nul
from consumption_datamart.warehouse.sql import sql_of
from consumption_datamart.warehouse.transaction import BEFORE, Transaction

if TYPE_CHECKING:
    from consumption_datamart.warehouse.postgres import PostgresWarehouse

BATCH_ROWS = 100_000
ALL, CREATE, LEDGER = "", "create", "ledger"
"""What is locked besides tables: all of them; making one, or a schema; who publishes next."""


class PostgresTransaction(Transaction):
    """Files are read by a DuckDB in memory, whose rows are copied over in binary."""

    warehouse: "PostgresWarehouse"
    constraint_error = psycopg.IntegrityError

    def __init__(self, warehouse: "PostgresWarehouse") -> None:
        """Begun by `begin`."""
        super().__init__(warehouse)
        self.unindexed: list[type[Table]] = []

    def begin(self, writes: Collection[type[Table]] | None, reads: Collection[type[Table]]) -> None:
        """Waits for others who publish these tables; in one order, so that none wait in a circle.

        What is made of a table is not published while that is: else it would have the later
        version, and yet be made of the earlier state (docs/decisions/0022).
        """
        self.lock(ALL, is_shared=writes is not None)
        written = {model.full_name() for model in writes or ()}
        read = {model.full_name() for model in reads}
        for name in sorted(written | read) if writes is not None else ():
            self.lock(name, is_shared=name not in written)

    def lock(self, key: str, *, is_shared: bool = False) -> None:
        """Waits for a lock of this warehouse."""
        lock(self.backend.con, self.warehouse.lock_key(key), is_shared=is_shared)

    def await_ledger(self) -> None:
        """Publications are numbered in the order in which they are committed."""
        self.lock(LEDGER)

    def create(self, model: type[Table]) -> None:
        """Creates the schema, too; a daily table gets an index at the end."""
        table = self.warehouse.qualified(model)
        self.warehouse.require_schema(model)
        types = self.backend.compiler.type_mapper
        columns = column_definitions(self.warehouse.stored_schema(model), types)
        self.backend.raw_sql(f"CREATE TABLE {table} ({columns}){partition_clause(model)}")
        if model.day_column() is not None:
            self.unindexed.append(model)

    def finish(self) -> None:
        """Makes indexes of the days of new tables: quicker than to keep them while rows come."""
        for model in self.unindexed:
            table = self.warehouse.qualified(model)
            self.backend.raw_sql(f'CREATE INDEX ON {table} ("{model.day_column()}")')

    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Copies the rows over in batches; texts cannot have NUL characters here."""
        rows = conform(model, staged)
        found = self.staging.con.sql(without_nul(sql_of(self.staging, rows), rows.schema()))
        for table in self._copy_over(model, found.arrow(BATCH_ROWS)):
            self._count(table)

    def insert(self, model: type[Table], rows: ir.Table) -> None:
        """Counts what is in the table then, too."""
        super().insert(model, rows)
        self._count(self.warehouse.qualified(model))

    def copy(self, model: type[Table], name: str) -> None:
        """Counts what is in the copy, too."""
        super().copy(model, name)
        self._count(name)

    def _append(self, model: type[Table], rows: pa.Table) -> None:
        """Not counted: that would let one at a time append to it."""
        for place, name in enumerate(rows.column_names):
            if pa.types.is_string(rows.schema.field(name).type):
                texts = pc.replace_substring(rows[name], "\0", "\ufffd")
                rows = rows.set_column(place, name, texts)
        self._copy_over(model, rows.to_reader())

    def _count(self, table: str) -> None:
        """Lets the server know what is in a table that is about to be read: it would guess badly.

        By itself it looks after a minute; a join of what it takes for a few rows can last as long.
        """
        self.backend.raw_sql(f"ANALYZE {table}")

    def _copy_over(self, model: type[Table], batches: pa.RecordBatchReader) -> list[str]:
        """Adds rows, column by name.

        Returns:
            Names as SQL of the tables in which there are other rows than before.
        """
        table, partitions = self.warehouse.qualified(model), self._partitions(model)
        columns = ", ".join(f'"{name}"' for name in batches.schema.names)
        into = f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)"
        with self.constraints(model), self.backend.con.cursor() as cursor:
            for batch in from_duckdb(batches):
                if partitions is not None:
                    for month in months_of(batch[model.day_column()]):
                        partitions.require(month)
                encoder = pgpq.ArrowToPostgresBinaryEncoder(batch.schema)
                with cursor.copy(into) as copy:
                    copy.write(encoder.write_header())
                    copy.write(encoder.write_batch(batch))
                    copy.write(encoder.finish())
        return [table] if partitions is None else sorted(partitions.changed)

    def _partitions(self, model: type[Table], suffix: str = "") -> Partitions | None:
        """Those of the model's table, or of one whose name ends with more; None: it has none."""
        name, place = self.warehouse.location(model)
        _, schema = place or (None, "")
        return Partitions.of(self.backend.con, model, schema, name + suffix)

    def _make_room(self, model: type[Table], before: str) -> None:
        """Makes a partition for each month."""
        partitions, others = self._partitions(model), self._partitions(model, BEFORE)
        if others is not None:
            others.set_aside(BEFORE)
        if partitions is not None:
            month = f"date_trunc('month', \"{model.day_column()}\")::date"
            found = self.backend.con.execute(f"SELECT DISTINCT {month} FROM {before}")
            for (first,) in found.fetchall():
                partitions.require(first)

    def _create(self, model: type[Table]) -> None:
        """Unless another has created it meanwhile."""
        self.lock(f"{CREATE} {model.full_name()}")
        self._tables.clear()
        self._tables.update(self.warehouse.tables(self.backend))
        if self.lacks(model):
            super()._create(model)
