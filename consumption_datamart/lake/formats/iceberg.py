"""Apache Iceberg: tables with a tree of metadata, which is found in the table's own folder."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
from fsspec.core import url_to_fs

from consumption_datamart.errors import LakeError
from consumption_datamart.lake.formats import quoted
from consumption_datamart.lake.table_days import day_of, day_type
from consumption_datamart.lake.tables import OpenTable, TableFile, TableFormat

if TYPE_CHECKING:
    from pyiceberg.table import FileScanTask
    from pyiceberg.types import NestedField

EPOCH = datetime(1970, 1, 1)
ONE = timedelta(days=1)
FILES = {"py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO"}
"""Read as all of the lake is, with the same credentials."""
NUMBER = re.compile(r"v?(\d+)[.-]")
"""At the beginning of the name of a file of metadata: the later one is higher."""


class IcebergTable(OpenTable):
    """By PyIceberg, which applies files of deletions and deletion vectors."""

    def __init__(self, uri: str, version: str | None) -> None:
        """Reads the metadata.

        Args:
            uri: of the table's folder.
            version: a snapshot's number.
        """
        from pyiceberg.table import StaticTable

        self.table = StaticTable.from_metadata(latest_metadata(uri), FILES)
        snapshot = self.table.current_snapshot()
        if version is not None:
            snapshot = self.table.snapshot_by_id(int(version))
        if snapshot is None:
            raise LakeError(f"the iceberg table {uri} has no snapshot: nothing was written to it")
        self.snapshot = snapshot
        self.version = str(snapshot.snapshot_id)

    @property
    def changed_at(self) -> datetime:
        """By the snapshot."""
        return datetime.fromtimestamp(self.snapshot.timestamp_ms / 1000, UTC)

    def files(self, column: str | None) -> Sequence[TableFile]:
        """As the manifests have them, with their statistics."""
        tasks = self.table.scan(snapshot_id=self.snapshot.snapshot_id).plan_files()
        if column is None:
            return [
                TableFile(_mark(each), each.file.file_size_in_bytes, None, None) for each in tasks
            ]
        self._type(column)
        field = self.table.schema().find_field(column)
        return [_file(each, field) for each in tasks]

    def rows(
        self, column: str | None, day: date | None = None, only: Collection[str] | None = None
    ) -> pa.RecordBatchReader:
        """By a filter that leaves out files of other days."""
        where = "true" if column is None or day is None else self._is_of(column, day)
        fields = ("*",) if only is None else tuple(only)
        scan = self.table.scan(where, fields, snapshot_id=self.snapshot.snapshot_id)
        return scan.to_arrow_batch_reader()

    def _type(self, column: str) -> str:
        fields = self.table.schema().fields
        return day_type(column, {field.name: str(field.field_type) for field in fields})

    def _is_of(self, column: str, day: date) -> str:
        kind = self._type(column)
        time = {"timestamp": "T00:00:00", "timestamptz": "T00:00:00+00:00"}.get(kind, "")
        name = quoted(column)
        return f"{name} >= '{day}{time}' AND {name} < '{day + ONE}{time}'"


def _file(task: "FileScanTask", field: "NestedField") -> TableFile:
    """With the first and the last day of its rows, where statistics tell."""
    file, number = task.file, field.field_id
    nulls = (file.null_value_counts or {}).get(number) or 0
    first, last = (
        _day((bounds or {}).get(number), field.field_type)
        for bounds in (file.lower_bounds, file.upper_bounds)
    )
    return TableFile(_mark(task), file.file_size_in_bytes, first, last, nulls)


def _day(bound: bytes | None, kind: Any) -> date | None:
    from pyiceberg.conversions import from_bytes

    if bound is None:
        return None
    value: object = from_bytes(kind, bound)
    if not isinstance(value, int):
        return day_of(value)
    since = timedelta(days=value) if str(kind) == "date" else timedelta(microseconds=value)
    return (EPOCH + since).date()


def _mark(task: "FileScanTask") -> str:
    return " ".join([task.file.file_path, *sorted(map(_deletion, task.delete_files))])


def _deletion(file: Any) -> str:
    """A file of deletions; a deletion vector is a part of one."""
    return f"{file.file_path} {getattr(file, 'content_offset', None)}"


def latest_metadata(uri: str) -> str:
    """The newest file of metadata in a table's folder.

    Args:
        uri: of the folder: a path, or a URI.

    Raises:
        LakeError: there is none.
    """
    filesystem: fsspec.AbstractFileSystem
    filesystem, root = url_to_fs(uri)
    filesystem.invalidate_cache()
    found = [
        (int(number[1]), str(path))
        for path in filesystem.glob(f"{root.rstrip('/')}/metadata/*.metadata.json")
        if (number := NUMBER.match(str(path).rsplit("/", 1)[-1]))
    ]
    if not found:
        raise LakeError(f"the iceberg table {uri}: there is no metadata/*.metadata.json in it")
    _, path = max(found)
    return filesystem.unstrip_protocol(path) if "://" in uri else path


class Iceberg(TableFormat):
    """Apache Iceberg."""

    name = extra = "iceberg"

    def opened(self, uri: str, version: str | None = None) -> OpenTable:
        """By its newest metadata."""
        return IcebergTable(uri, version)


FORMAT = Iceberg()
