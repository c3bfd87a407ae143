"""Rows on their way into a table, or out of it."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

import duckdb
import ibis.expr.types as ir
import pyarrow as pa

from consumption_datamart.errors import AuditError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.memo import memoized
from consumption_datamart.schema.table import Table


class Task(Protocol):
    """What a process of an engine is to read; it can be pickled."""

    def rows(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows in batches, each with the place of its table among those they are for."""


@memoized
def conform(model: type[Table], rows: ir.Table) -> ir.Table:
    """The rows with the model's columns in the model's order and types.

    Raises:
        AuditError: a column is missing.
    """
    schema = model.ibis_schema()
    if missing := [name for name in schema if name not in rows.columns]:
        raise AuditError(model.full_name(), f"column {missing[0]} is missing")
    columns = {}
    for name, dtype in schema.items():
        same = rows[name].type().copy(nullable=True) == dtype
        columns[name] = rows[name] if same else rows[name].cast(dtype)
    return rows.select(**columns)


def day_of(value: object) -> date:
    """A day as any engine gives it: a date, a timestamp or ISO text."""
    if type(value) is date:
        return value
    return date.fromisoformat(str(value)[:10])


@memoized
def on_days(model: type[Table], rows: ir.Table, days: Days | None) -> ir.Table:
    """The rows of the periods that have any of the days; all of a table without partitions."""
    column = model.day_column()
    if days is None or column is None:
        return rows
    return rows.filter(rows[column].between(model.grain().first(days.first), days.last))


@memoized
def repeated(model: type[Table], rows: ir.Table) -> ir.Table:
    """Keys that more than one row has, with the number of `rows`, and the first day of them."""
    key, day = model.key(), model.day_column()
    first = {} if day is None or day in key else {day: rows[day].min()}
    counted = rows.group_by(key).aggregate(rows=rows.count(), **first)
    return counted.filter(counted["rows"] > 1)


def from_duckdb(batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches; what DuckDB finds wrong on the way it says by its own errors, not by Arrow's."""
    try:
        yield from batches
    except OSError as error:
        is_memory = str(error).startswith("Out of Memory")
        raise (duckdb.OutOfMemoryException if is_memory else duckdb.Error)(str(error)) from error
