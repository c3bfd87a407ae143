"""Monthly partitions of the largest table of a PostgreSQL warehouse, made as rows come.

A month is vacuumed and counted by itself, and is not looked at by a question about another
(docs/decisions/0033).
"""

from datetime import date
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from consumption_datamart.schema.table import Table

PARTITIONED = frozenset({"lake.raw_telemetry"})
IS_PARTITIONED = "SELECT FROM pg_class WHERE relkind = 'p' AND oid = to_regclass(%s)"
FOUND = """SELECT part.relname FROM pg_inherits
    JOIN pg_class AS part ON part.oid = inhrelid WHERE inhparent = to_regclass(%s)"""
CREATE = "CREATE TABLE {partition} (LIKE {table})"
ATTACH = """ALTER TABLE {table} ATTACH PARTITION {partition}
    FOR VALUES FROM ({month}::date) TO (({month}::date + interval '1 month')::date)"""
"""Nobody who reads the table waits for these two; for `CREATE TABLE … PARTITION OF` they would."""


def partition_clause(model: type[Table]) -> str:
    """What CREATE TABLE ends with."""
    is_partitioned = model.full_name() in PARTITIONED
    return f' PARTITION BY RANGE ("{model.day_column()}")' if is_partitioned else ""


def months_of(days: pa.Array) -> list[date]:
    """First days of the months in a column of days."""
    months: list[date] = pc.unique(pc.floor_temporal(days, unit="month")).to_pylist()
    return months


class Partitions:
    """The partitions of a table, within a transaction.

    Attributes:
        changed: names as SQL of those that were asked for, and of the table if one is new.
    """

    def __init__(self, connection: Connection, schema: str, table: str) -> None:
        """Of a table that can have them, or none.

        Args:
            connection: in the transaction.
            schema: of the table, with the warehouse's prefix.
            table: its name.
        """
        self.connection, self.schema, self.table = connection, schema, table
        self.changed: set[str] = set()
        rows = connection.execute(FOUND, (self._sql(Identifier(schema, table)),)).fetchall()
        self.names = {name for (name,) in rows}

    @classmethod
    def of(cls, connection: Connection, model: type[Table], schema: str, table: str) -> Self | None:
        """Those of a model's table; None: it can have none, as one that an earlier version made."""
        if model.full_name() not in PARTITIONED:
            return None
        found = cls(connection, schema, table)
        rows = connection.execute(IS_PARTITIONED, (found._sql(Identifier(schema, table)),))
        return None if rows.fetchone() is None else found

    def require(self, month: date) -> None:
        """Makes the partition of a month, unless it is there.

        Args:
            month: its first day.
        """
        name = f"{self.table}_{month:%Y_%m}"
        table, partition = (Identifier(self.schema, each) for each in (self.table, name))
        if name not in self.names:
            for statement in (CREATE, ATTACH):
                named = {"table": table, "partition": partition, "month": Literal(month)}
                self.connection.execute(SQL(statement).format(**named))
            self.names.add(name)
            self.changed.add(self._sql(table))
        self.changed.add(self._sql(partition))

    def set_aside(self, suffix: str) -> None:
        """Gives all of them longer names, so that theirs are free."""
        for name in self.names:
            names = Identifier(self.schema, name), Identifier(name + suffix)
            self.connection.execute(SQL("ALTER TABLE {} RENAME TO {}").format(*names))

    def _sql(self, name: Identifier) -> str:
        return name.as_string(self.connection)
