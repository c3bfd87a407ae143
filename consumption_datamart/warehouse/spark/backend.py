"""Ibis on Spark, by which each table is read in the version that is published."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb.converter import DuckDBPandasData
from ibis.backends.pyspark import Backend
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.session import SparkSession

from consumption_datamart.warehouse.spark.commits import Version
from consumption_datamart.warehouse.spark.compiler import compiler
from consumption_datamart.warehouse.spark.tables import schema_of

NAME = re.compile(r"`(\w+)`\.`(\w+)`|`(\w+)`(?!\.)")
"""A table with its schema, or a name by itself, as Ibis quotes them."""


class Answer:
    """What a query gives, as those who ask any engine take it: rows, or a frame."""

    def __init__(self, frame: DataFrame) -> None:
        """Nothing is asked yet."""
        self.frame = frame
        self._left: Iterator[tuple[Any, ...]] | None = None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows, of a small answer."""
        found: pa.Table = self.frame.toArrow()
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))

    def fetchmany(self, rows: int) -> list[tuple[Any, ...]]:
        """The next rows, which come in portions."""
        if self._left is None:
            self._left = map(tuple, self.frame.toLocalIterator())
        return list(islice(self._left, rows))


class SparkBackend(Backend):  # type: ignore[misc]  # Ibis says no types
    """Ibis' backend, but that tables are names for versions of Delta tables.

    Attributes:
        versions: full name, or a name for this connection alone → version.
        before_asking: is called before a query is sent.
    """

    versions: Mapping[str, Version]
    before_asking: Callable[[], None] = staticmethod(lambda: None)

    @classmethod
    def on(cls, session: SparkSession, versions: Mapping[str, Version]) -> "SparkBackend":
        """Ibis on a session whose settings are made."""
        backend = cls()
        backend._session, backend._mode = session, "batch"
        backend.versions = versions
        return backend

    @property
    def compiler(self) -> Any:
        """That of this package."""
        return compiler()

    def raw_sql(self, query: Any, **_: Any) -> Answer:
        """Sends a query; it is run where its rows are asked for."""
        self.before_asking()
        return Answer(self.frame(query if isinstance(query, str) else query.sql(self.dialect)))

    def execute(self, expr: ir.Expr, /, **how: Any) -> Any:
        """As Ibis does it with DuckDB: moments stay as they are, wherever this process is."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        self.before_asking()
        found: pa.Table = self.frame(self.compile(table, **how)).toArrow()
        values = {
            name: column.to_pylist() if column.null_count else column.to_pandas()
            for name, column in zip(found.column_names, found.columns, strict=True)
        }
        frame = DuckDBPandasData.convert_table(pd.DataFrame(values), table.schema())
        return expr.__pandas_result__(frame)

    def frame(self, query: str) -> DataFrame:
        """A query as Spark's own frame."""
        found: DataFrame = self._session.sql(self.named(query))
        return found

    def named(self, query: str) -> str:
        """A query in which tables are called by place and version."""

        def place(found: re.Match[str]) -> str:
            schema, table, alone = found.groups()
            version = self.versions.get(alone or f"{schema}.{table}")
            if version is None:
                return found[0]
            return f"delta.`{version.uri}` VERSION AS OF {version.number}"

        return NAME.sub(place, query)

    def get_schema(
        self, table_name: str, *, catalog: str | None = None, database: str | None = None
    ) -> ibis.Schema:
        """The columns of a table, as Delta has them; no query is sent."""
        assert catalog is None
        return schema_of(self.versions[f"{database}.{table_name}"])
