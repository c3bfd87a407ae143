"""What is done to a Delta table without the cluster: its forms, its versions, few rows."""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import ibis
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError
from ibis.formats.pyarrow import PyArrowSchema
from pyarrow.dataset import Dataset

from consumption_datamart.schema.days import Days
from consumption_datamart.warehouse.rows import from_duckdb
from consumption_datamart.warehouse.spark.commits import Version

KEPT_HOURS = 168
"""For which the files of earlier versions are kept, for who reads them still."""


class Slice(NamedTuple):
    """The rows of some days; as SQL that Spark and Delta's own library understand.

    Attributes:
        column: of the day.
        days: first and last.
    """

    column: str
    days: Days

    def __str__(self) -> str:
        """The condition."""
        first, last = self.days
        return f"{self.column} BETWEEN DATE '{first}' AND DATE '{last}'"


class Handed:
    """Batches on their way to Delta's library, which tells an error of theirs in its own words.

    Attributes:
        reader: to hand over.
        error: what DuckDB found wrong on the way.
    """

    def __init__(self, rows: pa.RecordBatchReader | pa.Table) -> None:
        """Nothing is read yet."""
        batches = rows.to_reader() if isinstance(rows, pa.Table) else rows
        self.error: Exception | None = None
        self.reader = pa.RecordBatchReader.from_batches(batches.schema, self._read(batches))

    def _read(self, batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from from_duckdb(batches)
        except duckdb.Error as error:
            self.error = error
            raise


def head(uri: str) -> int:
    """The number of the last version of a table, published or not; -1: there is no table."""
    try:
        return DeltaTable(uri).version()
    except TableNotFoundError:
        return -1


def schema_of(version: Version) -> ibis.Schema:
    """Names and types of the columns."""
    table = DeltaTable(version.uri, version=version.number)
    found = pa.schema(table.schema().to_arrow())
    return PyArrowSchema.to_ibis(pa.schema([(each.name, _plain(each.type)) for each in found]))


def form(uri: str, schema: ibis.Schema, by: str | None) -> Version:
    """Makes a table without rows; one that is there has no others from then on.

    Args:
        uri: of the table.
        schema: names and types of its columns.
        by: the column by whose values its files are kept apart.
    """
    empty = schema.to_pyarrow().empty_table()
    write_deltalake(
        uri, empty, mode="overwrite", schema_mode="overwrite", partition_by=by and [by]
    )  # fmt: skip
    return Version(uri, head(uri))


def add(uri: str, rows: pa.RecordBatchReader | pa.Table, instead: Slice | bool | None) -> None:
    """Adds rows, batch by batch.

    Args:
        uri: of the table.
        rows: names and types as the table has them.
        instead: which rows they replace; True: all, None: none.
    """
    handed = Handed(rows)
    try:
        if not instead:
            write_deltalake(uri, handed.reader, mode="append")
        elif instead is True:
            write_deltalake(uri, handed.reader, mode="overwrite")
        else:
            write_deltalake(uri, handed.reader, mode="overwrite", predicate=str(instead))
    except Exception:
        if handed.error is not None:
            raise handed.error from None
        raise


def take_back(version: Version) -> Version:
    """Makes the last version of a table be as an earlier one; gives the last."""
    if head(version.uri) == version.number:
        return version
    table = DeltaTable(version.uri)
    table.restore(version.number)
    return Version(version.uri, head(version.uri))


def tidy(version: Version, *, is_small: bool) -> Version:
    """Keeps a table quick to read, and what no version of the last week needs off the disk.

    Args:
        version: the last of it.
        is_small: whether its files are few rows each, and are to become one.

    Returns:
        The last version, of the same rows.
    """
    table = DeltaTable(version.uri)
    if is_small:
        table.optimize.compact()
    table.create_checkpoint()
    table.vacuum(retention_hours=KEPT_HOURS, dry_run=False)
    return Version(version.uri, head(version.uri))


def dataset(version: Version) -> Dataset:
    """The rows, for DuckDB to stream."""
    return DeltaTable(version.uri, version=version.number).to_pyarrow_dataset()


def kept_apart_by(version: Version) -> str | None:
    """The column by whose values the files of a table are kept apart."""
    table = DeltaTable(version.uri, version=version.number)
    return next(iter(table.metadata().partition_columns), None)


def _plain(dtype: pa.DataType) -> pa.DataType:
    """Delta's library says texts are views."""
    return pa.string() if pa.types.is_string_view(dtype) else dtype
