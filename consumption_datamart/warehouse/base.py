"""What every engine offers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from datetime import datetime
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
from duckdb import DuckDBPyConnection
from ibis.backends.sql import SQLBackend

from consumption_datamart.errors import WarehouseError, first_line
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.difference import Difference, difference
from consumption_datamart.warehouse.in_memory import duckdb_in_memory
from consumption_datamart.warehouse.transaction import Transaction


class Warehouse(ABC):
    """An engine, and the database that it keeps the tables in.

    Attributes:
        scheme: of its URLs.
        lock_seconds: how long to wait for another who writes.
        memory_limit: how much memory a DuckDB that reads files for it may use.
    """

    scheme: str
    lock_seconds: float
    memory_limit: str

    @classmethod
    @abstractmethod
    def at(cls, url: str, memory_limit: str) -> "Warehouse":
        """The warehouse at a URL of its scheme; nothing is connected yet.

        Raises:
            WarehouseError: the URL does not name a database of this engine.
        """

    @property
    @abstractmethod
    def url(self) -> str:
        """The warehouse as Ibis writes it, without a password."""

    @property
    @abstractmethod
    def spill(self) -> Path:
        """Folder for what a DuckDB that reads files for it cannot hold in memory."""

    @abstractmethod
    def location(self, model: type[Table]) -> tuple[str, tuple[str, str] | None]:
        """Name of the model's table, and catalog and database that it is in, as Ibis takes them."""

    @abstractmethod
    def qualified_name(self, schema: str, table: str) -> str:
        """Name of a table as SQL, quoted."""

    def qualified(self, model: type[Table]) -> str:
        """Name of the model's table as SQL, quoted."""
        return self.qualified_name(model.schema_name(), model.table_name())

    @abstractmethod
    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Raises:
            WarehouseError: the warehouse cannot be opened.
        """

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

    def in_memory(self) -> AbstractContextManager[DuckDBPyConnection]:
        """A connection to a DuckDB in memory."""
        return duckdb_in_memory(self.memory_limit, self.spill)

    @abstractmethod
    def release(
        self,
        is_wanted: Callable[[SQLBackend], bool] = lambda _: True,
        models: Collection[type[Table]] = (),
        left_out: Collection[type[Table]] = (),
    ) -> None:
        """Lets readers see what was published until now.

        Args:
            is_wanted: whether readers are to see the state that is read by this connection; the
                first is released whatever it says.
            models: of the tables, as far as they are known.
            left_out: tables that readers need not see.

        Raises:
            WarehouseError: it cannot be; readers see what they saw before.
        """

    @abstractmethod
    def copy_to(self, folder: Path) -> "Warehouse":
        """A copy of it as writers see it, in a folder; it is as large.

        Raises:
            WarehouseError: it cannot be read, or the copy not be written.
        """

    @abstractmethod
    def released(self) -> "Warehouse":
        """The warehouse as readers see it, whatever is being written."""

    def operations(self) -> "Warehouse":
        """Where alerts are kept, which come and go while the mart is built."""
        return self

    @abstractmethod
    def turn(self) -> AbstractContextManager[None]:
        """Keeps out others who ask for their turn, in any process; it locks no table.

        Raises:
            WarehouseError: another does not give it up in time, or there is no place for a lock.
        """

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
        name, database = self.location(model)
        return difference(
            backend.table(name, database=database).schema(), self.stored_schema(model)
        )

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

    def span(self, model: type[Table], column: str) -> Days | None:
        """The first and the last day in a column; None: there is none, or no such table."""
        rows = self.table(model)
        bounds = rows.aggregate(first=rows[column].min(), last=rows[column].max())
        found = self.find(model, bounds.filter(bounds["first"].notnull()))
        if found is None or found.empty:
            return None
        return Days(found["first"][0].date(), found["last"][0].date())

    def waiting_at_most(self, seconds: float) -> "Warehouse":
        """The same, but that it waits no longer than that for another process."""
        impatient = copy(self)
        impatient.lock_seconds = seconds
        return impatient

    def unreachable(self, error: Exception) -> WarehouseError:
        """What to tell a user whose warehouse cannot be opened."""
        return WarehouseError(f"warehouse {self.url}: {first_line(error)}")
