"""Changes to tables that readers see all at once, or never: clear, insert, load."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql import SQLBackend

from consumption_datamart.errors import AuditError, first_line
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.rows import Task, conform, on_days
from consumption_datamart.warehouse.sql import rows_of, sql_of, table_of, where_of

BEFORE = "__before"
"""What the name of a table ends with whose rows are on their way into another."""
_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from consumption_datamart.warehouse.base import Warehouse
    from consumption_datamart.warehouse.difference import Difference


class Transaction(ABC):
    """Changes to tables that readers see all at once, or never.

    Attributes:
        backend: the engine, inside the open transaction.
        staging: a DuckDB that reads files and frames; its expressions are what `load` takes.
        unguarded: full name of a table → required columns in which the engine would take nulls:
            they were added in place.
        constraint_error: what the engine raises for a null where the table takes none.
    """

    backend: SQLBackend
    staging: DuckDBBackend
    constraint_error: type[Exception]

    def __init__(self, warehouse: "Warehouse") -> None:
        """Begun by `Warehouse.transaction`."""
        self.warehouse = warehouse
        self.unguarded: dict[str, list[str]] = {}

    @abstractmethod
    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Adds the rows of an expression on `staging` to a table, column by name."""

    def load_apart(self, models: Sequence[type[Table]], tasks: Sequence[Task]) -> bool:  # noqa: ARG002
        """Adds rows that the engine's own processes read, if it has any that can.

        Returns:
            Whether it has; if not, nothing was added, and the rows are to be loaded.
        """
        return False

    @abstractmethod
    def create(self, model: type[Table]) -> None:
        """Creates the model's table, which is not there."""

    def require(self, *models: type[Table]) -> None:
        """Creates tables that are not there: what was never built is read as empty."""
        for model in models:
            if model.full_name() not in self._tables:
                self._create(model)

    def await_ledger(self) -> None:  # noqa: B027  # where one writes at a time, nothing
        """Lets nobody else write to the ledger until the end, where several write at once."""

    def lacks(self, model: type[Table]) -> bool:
        """Whether the model's table is not there."""
        return model.full_name() not in self._tables

    def drop(self, schema: str, table: str) -> None:
        """Drops a table that no version from now on has, if it is there."""
        if f"{schema}.{table}" in self._tables:
            self.backend.raw_sql(f"DROP TABLE {self.warehouse.qualified_name(schema, table)}")
            self._tables.discard(f"{schema}.{table}")

    def upgrade(self, model: type[Table]) -> bool:
        """As `require`, and gives a table of an earlier version the columns of this one.

        Columns are added and dropped in place, so that rows stay: they have null in what is new.
        A table of which a column has another type is begun anew.

        Returns:
            Whether the table was begun anew.
        """
        if self.lacks(model):
            self._create(model)
            return False
        wanted = self.warehouse.stored_schema(model)
        change = self._difference(model)
        if change.retyped:
            _log.info("%s: %s; it is begun anew", model.full_name(), change)
            self._begin_anew(model)
            return True
        for name in change.dropped:
            _log.info("%s: column %s is dropped", model.full_name(), name)
        if change.added and self._rewritten(model, change):
            return False
        alter = f"ALTER TABLE {self.warehouse.qualified(model)}"
        for name in change.added:
            dtype = self.backend.compiler.type_mapper.to_string(wanted[name].copy(nullable=True))
            self.backend.raw_sql(f'{alter} ADD COLUMN "{name}" {dtype}')
            if not wanted[name].nullable:
                self.unguarded[model.full_name()].append(name)
        for name in change.dropped:
            self.backend.raw_sql(f'{alter} DROP COLUMN "{name}"')
        return False

    def append(self, model: type[Table], rows: Iterable[Sequence[object]]) -> None:
        """Adds a few rows to a table.

        Args:
            model: of the table.
            rows: values in the order of the model's columns.
        """
        if columns := list(zip(*rows, strict=True)):
            schema = model.ibis_schema().to_pyarrow()
            self._append(model, pa.table(columns, schema=schema))

    def _append(self, model: type[Table], rows: pa.Table) -> None:
        self.load(model, self.stage(rows))

    def rows(self, expression: ir.Table) -> list[tuple[Any, ...]]:
        """The rows of a small expression as the engine gives them: days may be text."""
        return rows_of(self.backend, expression)

    def copy(self, model: type[Table], name: str) -> None:
        """Keeps the table's rows as they are now, for this connection, by another name."""
        self.backend.raw_sql(
            f"CREATE TEMP TABLE {name} AS SELECT * FROM {self.warehouse.qualified(model)}"
        )

    def with_frames(self, rows: ir.Table) -> ir.Table:
        """An expression of a team may hold frames (`ibis.memtable`): these become temporary tables.

        Call it before any row is written.
        """
        for frame in rows.op().find(ops.InMemoryTable):
            self._create_frame(frame.name, frame.data.to_frame(), frame.schema)
            named = ibis.table(frame.schema, name=frame.name)
            rows = rows.op().replace({frame: named.op()}).to_expr()
        return rows

    def _create_frame(self, name: str, data: pd.DataFrame, schema: ibis.Schema) -> None:
        self.backend.create_table(name, data, schema=schema, temp=True)

    def insert(self, model: type[Table], rows: ir.Table) -> None:
        """Adds the rows of an expression on the warehouse's tables, column by name."""
        columns = ", ".join(f'"{name}"' for name in model.ibis_schema())
        select = sql_of(self.backend, conform(model, rows))
        into = f"INSERT INTO {self.warehouse.qualified(model)} ({columns})"
        with self.constraints(model):
            self.backend.raw_sql(f"{into} {select}")

    def delete(
        self, model: type[Table], condition: ir.BooleanValue, among: ir.Table | None = None
    ) -> None:
        """Deletes rows of a table.

        Args:
            model: the table.
            condition: on `slice(model)`, which holds for them.
            among: rows that have their like in these, too, by all columns of these.
        """
        where = where_of(self.backend, self.slice(model), condition)
        if among is not None:
            columns = ", ".join(f'"{name}"' for name in among.columns)
            where = f"{where} AND ({columns}) IN ({sql_of(self.backend, among)})"
        self.backend.raw_sql(f"DELETE FROM {self.warehouse.qualified(model)} WHERE {where}")

    @contextmanager
    def constraints(self, model: type[Table]) -> Iterator[None]:
        """Tells what the engine finds wrong with new rows in the words of the audit."""
        try:
            yield
        except self.constraint_error as error:
            raise AuditError(model.full_name(), first_line(error)) from error

    def stage(self, rows: pd.DataFrame | pa.Table) -> ir.Table:
        """Rows in memory as an expression on `staging`."""
        self.staging.con.register("staged_rows", rows)
        return table_of(self.staging, "staged_rows")

    def clear(self, model: type[Table], days: Days | None = None) -> None:
        """Makes the table ready for new rows: creates it, or empties it or the days of it."""
        if days is None and not self.lacks(model) and self._difference(model):
            self._begin_anew(model)
            return
        self.upgrade(model)
        column = model.day_column()
        if days is None or column is None:
            self.backend.raw_sql(f"DELETE FROM {self.warehouse.qualified(model)}")
        else:
            first = model.grain().first(days.first)
            self.delete(model, self.slice(model)[column].between(first, days.last))

    def slice(self, model: type[Table], days: Days | None = None) -> ir.Table:
        """The table as an expression, all of it or some days."""
        return on_days(model, self.warehouse.table(model), days)

    def _difference(self, model: type[Table]) -> "Difference":
        """How the table that is there differs from its model."""
        change = self.warehouse.difference(self.backend, model)
        self.unguarded[model.full_name()] = list(change.unguarded)
        return change

    @cached_property
    def _tables(self) -> set[str]:
        """Full names of the tables that are there now."""
        return self.warehouse.tables(self.backend)

    def _rewritten(self, model: type[Table], change: "Difference") -> bool:
        """Writes a table anew with further columns, each at its place.

        Returns:
            False, where it cannot be said what a required column is to have, or one may be null.
        """
        if change.unguarded:
            return False
        values = {name: f'"{name}"' for name in model.ibis_schema()}
        values |= {name: model.default(name) or "NULL" for name in change.added}
        if any(values[name] == "NULL" for name in model.required()):
            return False
        name, _ = self.warehouse.location(model)
        table, before = self.warehouse.qualified(model), f"{model.table_name()}{BEFORE}"
        self.backend.raw_sql(f'ALTER TABLE {table} RENAME TO "{name}{BEFORE}"')
        self._create(model)
        old = self.warehouse.qualified_name(model.schema_name(), before)
        self._make_room(model, old)
        columns = ", ".join(f'"{column}"' for column in values)
        select = f"SELECT {', '.join(values.values())} FROM {old}"
        self.backend.raw_sql(f"INSERT INTO {table} ({columns}) {select}")
        self.backend.raw_sql(f"DROP TABLE {old}")
        return True

    def _make_room(self, model: type[Table], before: str) -> None:  # noqa: B027  # most need none
        """Makes the new table ready for the rows of another, which is named as SQL."""

    def _begin_anew(self, model: type[Table]) -> None:
        """Makes the table again, with the columns of this version and no rows."""
        self.backend.raw_sql(f"DROP TABLE {self.warehouse.qualified(model)}")
        self._create(model)

    def _create(self, model: type[Table]) -> None:
        self.create(model)
        self._tables.add(model.full_name())
