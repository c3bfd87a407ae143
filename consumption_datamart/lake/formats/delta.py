"""Delta Lake: tables with a log of commits; deleted rows are marked, or their files replaced."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from consumption_datamart.lake.formats import literal, quoted
from consumption_datamart.lake.table_days import day_of, day_type
from consumption_datamart.lake.tables import OpenTable, TableFile, TableFormat

ONE = timedelta(days=1)


class DeltaTable(OpenTable):
    """By delta-rs, which applies deletion vectors and column mappings."""

    def __init__(self, uri: str, version: str | None) -> None:
        """Reads the log."""
        import deltalake

        at = None if version is None else int(version)
        self.table = deltalake.DeltaTable(uri, version=at)
        self.version = str(self.table.version())

    @property
    def changed_at(self) -> datetime:
        """By the last commit, which is read for it."""
        (last,) = self.table.history(1)
        return datetime.fromtimestamp(last["timestamp"] / 1000, UTC)

    def files(self, column: str | None) -> Sequence[TableFile]:
        """As the log has them; of columns of a partition it has values, of others statistics."""
        if column is not None:
            self._type(column)
        deleted = self._deleted()
        added = pa.table(self.table.get_add_actions(flatten=True)).to_pylist()
        return [_file(each, column, deleted) for each in added]

    def rows(
        self, column: str | None, day: date | None = None, only: Collection[str] | None = None
    ) -> pa.RecordBatchReader:
        """By a condition that leaves out files of other days."""
        where = None if column is None or day is None else self._is_of(column, day)
        found = self.table.scan(columns=None if only is None else list(only), predicate=where)
        return pa.RecordBatchReader.from_stream(found)

    def _deleted(self) -> Mapping[str, str]:
        """What is deleted of files without being written anew, by the end of their path."""
        features = self.table.protocol().reader_features or ()
        if "deletionVectors" not in features:
            return {}
        vectors = pa.RecordBatchReader.from_stream(self.table.deletion_vectors()).read_all()
        return {
            row["filepath"]: hashlib.blake2b(bytes(row["selection_vector"])).hexdigest()
            for row in vectors.to_pylist()
        }

    def _type(self, column: str) -> str:
        fields = self.table.schema().fields
        return day_type(column, {field.name: str(field.type.type) for field in fields})

    def _is_of(self, column: str, day: date) -> str:
        name, kind = quoted(column), self._type(column)
        if kind == "date":
            return f"{name} = DATE '{day}'"
        if kind == "string":
            return f"{name} >= {literal(str(day))} AND {name} < {literal(str(day + ONE))}"
        zone = "Z" if kind == "timestamp" else ""
        begin, end = f"{day}T00:00:00{zone}", f"{day + ONE}T00:00:00{zone}"
        return f"{name} >= '{begin}'::timestamp AND {name} < '{end}'::timestamp"


def _file(added: Mapping[str, Any], column: str | None, deleted: Mapping[str, str]) -> TableFile:
    path = added["path"]
    marks = [mark for uri, mark in deleted.items() if uri.endswith(f"/{path}")]
    mark = " ".join([path, *marks])
    if column is None:
        return TableFile(mark, added["size_bytes"], None, None)
    nulls = added.get(f"null_count.{column}") or 0
    if (own := f"partition.{column}") in added:
        nulls = added["num_records"] if added[own] is None else 0
        first = last = added[own]
    else:
        first, last = added.get(f"min.{column}"), added.get(f"max.{column}")
    if first is None or last is None:
        return TableFile(mark, added["size_bytes"], None, None, nulls)
    return TableFile(mark, added["size_bytes"], day_of(first), day_of(last), nulls)


class Delta(TableFormat):
    """Delta Lake."""

    name = extra = "delta"

    def opened(self, uri: str, version: str | None = None) -> OpenTable:
        """By its log."""
        return DeltaTable(uri, version)


FORMAT = Delta()
