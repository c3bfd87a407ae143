"""What can be asked of every engine: the rows of tables, as expressions and as small frames."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pandas as pd
from duckdb import DuckDBPyConnection
from ibis.backends.sql import SQLBackend

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.difference import Difference, difference

Place = tuple[str | None, str] | None
"""Catalog and schema of a table, as Ibis takes them."""
BATCH_ROWS = 100_000
"""That are handed over at a time."""


class Readable(ABC):
    """Tables that can be read."""

    @abstractmethod
    def location(self, model: type[Table]) -> tuple[str, Place]:
        """Name of the model's table, and where it is."""

    @abstractmethod
    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """A connection that only reads.

        Raises:
            WarehouseError: the warehouse cannot be opened, or is not built yet.
        """

    @abstractmethod
    def tables(self, backend: SQLBackend) -> set[str]:
        """Full names of the tables that are there, whatever columns they have."""

    def as_of(self) -> datetime | None:
        """When what readers see was released or published, in UTC; None: it does not say."""
        rows = self.table(Figure)
        last = self.find(Figure, rows.aggregate(at=rows.published_at.max()))
        if last is None or pd.isna(last["at"][0]):
            return None
        at: datetime = last["at"][0].to_pydatetime()
        return at

    def stored_schema(self, model: type[Table]) -> ibis.Schema:
        """Names and types of the columns as the engine stores them."""
        return model.stored_schema()

    def difference(self, backend: SQLBackend, model: type[Table]) -> Difference:
        """How the model's table, which is there, differs from the model."""
        name, place = self.location(model)
        catalog, database = place or (None, None)
        found = backend.get_schema(name, catalog=catalog, database=database)
        return difference(found, self.stored_schema(model))

    def table(self, model: type[Table]) -> ir.Table:
        """The model's table as an expression that holds no connection."""
        name, place = self.location(model)
        catalog, database = place or (None, None)
        return ibis.table(model.ibis_schema(), name=name, catalog=catalog, database=database)

    def fetch(self, rows: ir.Table) -> pd.DataFrame:
        """The rows of a small expression as a frame.

        Raises:
            WarehouseError: the warehouse cannot be opened, or a table is not built yet.
        """
        with self.reader() as backend:
            return backend.to_pandas(rows)

    @abstractmethod
    def is_there(self) -> bool:
        """Whether anything was ever built."""

    def exists(self, model: type[Table]) -> bool:
        """Whether the model's table is in the warehouse."""
        if not self.is_there():
            return False
        with self.reader() as backend:
            return model.full_name() in self.tables(backend)

    def find(self, model: type[Table], rows: ir.Table | None = None) -> pd.DataFrame | None:
        """The model's table, or a small expression on it, as a frame.

        Returns:
            The rows; None if the table is not built yet.

        Raises:
            WarehouseError: the warehouse cannot be opened.
        """
        if not self.is_there():
            return None
        with self.reader() as backend:
            if model.full_name() not in self.tables(backend):
                return None
            return backend.to_pandas(self.table(model) if rows is None else rows)

    def columns_there(self, backend: SQLBackend, model: type[Table]) -> list[str]:
        """The model's columns that its table has; one of an earlier version lacks some."""
        lacking = self.difference(backend, model).added
        return [name for name in model.ibis_schema() if name not in lacking]

    def whole_rows(
        self,
        model: type[Table],
        keep: Callable[[ir.Table], ir.BooleanValue] | None = None,
    ) -> pd.DataFrame:
        """Rows of the model's table as a small frame, with all columns of the model.

        Args:
            model: of the table.
            keep: which rows; by default all. It uses no column that an earlier version lacks.

        Returns:
            A column that an earlier version has not is null, a table that it has not is empty.

        Raises:
            WarehouseError: the warehouse cannot be opened.
        """
        names = list(model.ibis_schema())
        if not self.exists(model):
            return pd.DataFrame(columns=names, dtype=object)
        with self.reader() as backend:
            there = self.columns_there(backend, model)
        rows = self.table(model)
        if keep is not None:
            rows = rows.filter(keep(rows))
        return self.fetch(rows.select(there)).reindex(columns=names)

    @abstractmethod
    def copy_out(
        self, backend: SQLBackend, rows: ir.Table, target: DuckDBPyConnection, name: str
    ) -> None:
        """Copies the rows of an expression into a temporary table of a DuckDB, in batches.

        Args:
            backend: a connection to the warehouse.
            rows: the expression.
            target: where to.
            name: of the table, which is replaced.
        """

    def span(self, model: type[Table], column: str) -> Days | None:
        """The first and the last day in a column; None: there is none, or no such table."""
        rows = self.table(model)
        bounds = rows.aggregate(first=rows[column].min(), last=rows[column].max())
        found = self.find(model, bounds.filter(bounds["first"].notnull()))
        if found is None or found.empty:
            return None
        return Days(found["first"][0].date(), found["last"][0].date())
