"""Changes to tables that readers see all at once, or never: clear, insert, load."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql import SQLBackend

from consumption_datamart.errors import AuditError, WarehouseError, first_line
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.rows import conform, on_days
from consumption_datamart.warehouse.sql import sql_of, table_of

if TYPE_CHECKING:
    from consumption_datamart.warehouse.base import Warehouse


class Transaction(ABC):
    """Changes to tables that readers see all at once, or never.

    Attributes:
        backend: the engine, inside the open transaction.
        staging: a DuckDB that reads files and frames; its expressions are what `load` takes.
        constraint_error: what the engine raises for a null where the table takes none.
    """

    backend: SQLBackend
    staging: DuckDBBackend
    constraint_error: type[Exception]

    def __init__(self, warehouse: "Warehouse") -> None:
        """Begun by `Warehouse.transaction`."""
        self.warehouse = warehouse

    @abstractmethod
    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Adds the rows of an expression on `staging` to a table, column by name."""

    @abstractmethod
    def create(self, model: type[Table]) -> None:
        """Creates the model's table, which is not there."""

    def require(self, *models: type[Table]) -> None:
        """Creates tables that are not there: what was never built is read as empty."""
        for model in models:
            if model.full_name() not in self._tables:
                self._create(model)

    def renew(self, model: type[Table]) -> None:
        """As `require`, but a table that has other columns than this version is forgotten."""
        found = self._columns(model)
        if found == _comparable(self.warehouse.stored_schema(model)):
            return
        if found is not None:
            self.backend.raw_sql(f"DROP TABLE {self.warehouse.qualified(model)}")
        self._create(model)

    def append(self, model: type[Table], frame: pd.DataFrame) -> None:
        """Adds the rows of a small frame to a table, column by name."""
        self.load(model, self.stage(frame))

    def rows(self, expression: ir.Table) -> list[tuple[Any, ...]]:
        """The rows of a small expression as the engine gives them: days may be text."""
        return rows_of(self.backend, expression)

    def copy(self, model: type[Table], name: str) -> None:
        """Keeps the table's rows as they are now, for this connection, by another name."""
        self.backend.raw_sql(
            f"CREATE TEMP TABLE {name} AS SELECT * FROM {self.warehouse.qualified(model)}"
        )

    def insert(self, model: type[Table], rows: ir.Table) -> None:
        """Adds the rows of an expression on the warehouse's tables, column by name.

        An expression of a team may hold frames (`ibis.memtable`): these become temporary tables.
        """
        columns = ", ".join(f'"{name}"' for name in model.ibis_schema())
        rows = conform(model, rows)
        for frame in rows.op().find(ops.InMemoryTable):
            data = frame.data.to_frame()
            self.backend.create_table(frame.name, data, schema=frame.schema, temp=True)
            named = ibis.table(frame.schema, name=frame.name)
            rows = rows.op().replace({frame: named.op()}).to_expr()
        select = sql_of(self.backend, rows)
        into = f"INSERT INTO {self.warehouse.qualified(model)} ({columns})"
        with self.constraints(model):
            self.backend.raw_sql(f"{into} {select}")

    @contextmanager
    def constraints(self, model: type[Table]) -> Iterator[None]:
        """Tells what the engine finds wrong with new rows in the words of the audit."""
        try:
            yield
        except self.constraint_error as error:
            raise AuditError(model.full_name(), first_line(error)) from error

    def stage(self, frame: pd.DataFrame) -> ir.Table:
        """A frame as an expression on `staging`."""
        self.staging.con.register("staged_frame", frame)
        return table_of(self.staging, "staged_frame")

    def clear(self, model: type[Table], days: Days | None = None) -> None:
        """Makes the table ready for new rows: creates it, or empties it or the days of it.

        Raises:
            WarehouseError: a table of which other days are to stay has other columns.
        """
        found, wanted = self._columns(model), self.warehouse.stored_schema(model)
        if found == _comparable(wanted):
            where = "" if days is None else f" WHERE {_between(model, days)}"
            self.backend.raw_sql(f"DELETE FROM {self.warehouse.qualified(model)}{where}")
        elif found is not None and days is not None:
            raise WarehouseError(
                f"{model.full_name()}: the table in the warehouse has other columns than this "
                f"version, {_difference(found, wanted)}; drop the table and build"
            )
        else:
            self.renew(model)

    def slice(self, model: type[Table], days: Days | None = None) -> ir.Table:
        """The table as an expression, all of it or some days."""
        return on_days(model, self.warehouse.table(model), days)

    def _columns(self, model: type[Table]) -> dict[str, str] | None:
        """Columns of the table as it is in the warehouse; None: it is not there."""
        if model.full_name() not in self._tables:
            return None
        name, database = self.warehouse.location(model)
        return _comparable(self.backend.table(name, database=database).schema())

    @cached_property
    def _tables(self) -> set[str]:
        """Full names of the tables that are there now."""
        return self.warehouse.tables(self.backend)

    def _create(self, model: type[Table]) -> None:
        self.create(model)
        self._tables.add(model.full_name())


def rows_of(backend: SQLBackend, expression: ir.Table) -> list[tuple[Any, ...]]:
    """The rows of a small expression: quicker than a frame, days may be text."""
    cursor: Any = backend.raw_sql(sql_of(backend, expression))
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _comparable(schema: ibis.Schema) -> dict[str, str]:
    """Columns and types by which two schemas are the same; engines name precisions differently."""
    return {name: re.sub(r"timestamp\(\d\)", "timestamp", str(t)) for name, t in schema.items()}


def _difference(found: dict[str, str], wanted: ibis.Schema) -> str:
    pairs = set(found.items()) ^ set(_comparable(wanted).items())
    return ", ".join(f"{name} {dtype}" for name, dtype in sorted(pairs))


def _between(model: type[Table], days: Days) -> str:
    return f"\"{model.day_column()}\" BETWEEN '{days.first}' AND '{days.last}'"
