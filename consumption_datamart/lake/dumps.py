"""Finding the dumps of a lake (spec, section 1)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from posixpath import basename, splitext
from typing import Any, NamedTuple

import fsspec
import pandas as pd
from fsspec.core import url_to_fs

from consumption_datamart.errors import DumpError, LakeError
from consumption_datamart.schema.days import Days

FORMATS = ("csv", "parquet")
BLOCK_BYTES = 1 << 20
TAGS = ("ETag", "etag", "md5Hash", "content_md5")
TIMES = ("mtime", "ino", "LastModified", "last_modified", "updated", "created")
"""Where the stores' drivers tell of a file's content and of its last change."""
PLAUSIBLE = Days(date(1900, 1, 1), date(2199, 12, 31))
"""A file named by another day is misnamed; one would stretch the mart over centuries."""


class DumpFile(NamedTuple):
    """A file of a dump.

    Attributes:
        path: as DuckDB reads it: a local path, or a URI.
        name: relative to the lake, e.g. `telemetry/2026-01-05.csv`.
        day: the dump's day.
        format: csv or parquet.
        size: in bytes.
        stamp: what the store tells of it that changes whenever the file does.
        tag: the store's own name for the file's content, where it has one.
    """

    path: str
    name: str
    day: date
    format: str
    size: int
    stamp: str
    tag: str | None


@dataclass(frozen=True)
class Lake:
    """A folder, local or remote, with a folder of dumps for each table."""

    uri: str

    @cached_property
    def filesystem(self) -> fsspec.AbstractFileSystem:
        """Where the lake is."""
        return self._place[0]

    @property
    def is_local(self) -> bool:
        """Whether its files are on this machine's disk."""
        return "file" in _protocols(self.filesystem)

    def files(self, table: str, days: Days | None = None) -> list[DumpFile]:
        """Files of a table's dumps, by day and name; of all days, or of some.

        A dump is a file `<day>.csv`, `<day>.parquet`, or a folder `<day>` of such files; where a
        day has several of these, they are parts of one dump. Other files are no dumps.

        Raises:
            LakeError: the lake is not there or must not be read.
        """
        found = [
            file
            for entry in self._entries(table)
            if (file := self._file(entry, table)) is not None and (days is None or file.day in days)
        ]
        return sorted(found, key=lambda file: (file.day, file.name))

    def read(self, file: DumpFile, size: int = -1) -> bytes:
        """The file's bytes: all, or the first so many.

        Raises:
            DumpError: it cannot be read.
        """
        return next(self.blocks(file, size), b"")

    def blocks(self, file: DumpFile, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """The file's bytes, so many at a time.

        Raises:
            DumpError: it cannot be read.
        """
        try:
            with self.filesystem.open(file.path, "rb") as stream:
                while block := stream.read(size):
                    yield block
        except Exception as error:  # each store's driver has errors of its own
            problem = f"cannot be read: {_in_a_line(error)}"
            raise DumpError(file.name, file.day, problem) from error

    def stamp(self, file: DumpFile) -> str | None:
        """The file's stamp as it is now; None: it is gone."""
        try:
            return _stamp(self.filesystem.info(file.path))
        except OSError:
            return None

    def dumps(self, tables: Sequence[str]) -> pd.DataFrame:
        """The dumps of some tables: lake_table, dump_day, number of files, their size in bytes.

        Raises:
            LakeError: the lake is not there or must not be read.
        """
        found = [
            {"lake_table": table, "dump_day": file.day, "files": 1, "size": file.size}
            for table in tables
            for file in self.files(table)
        ]
        frame = pd.DataFrame(found, columns=["lake_table", "dump_day", "files", "size"])
        return frame.groupby(["lake_table", "dump_day"], as_index=False).sum()

    def _entries(self, table: str) -> list[dict[str, Any]]:
        """All files in a table's folder and in the folders there."""
        root = self._place[1]
        with self._told():
            is_there = self.filesystem.isdir(root)
        if not is_there:
            raise LakeError(
                f"lake {self.uri}: there is no such folder, or it must not be listed; set --lake or"
                " CONSUMPTION_DATAMART_LAKE"
            )
        with self._told():
            self.filesystem.invalidate_cache()
            found = {_name(entry): entry["type"] for entry in self.filesystem.ls(root, detail=True)}
        if found.get(table, "directory") != "directory":
            raise LakeError(f"lake {self.uri}: {table} is a file; make it a folder of dumps")
        if table not in found:
            return []
        # stores list all of a prefix at once; where folders are listed one by one, none is left out
        strict = {"on_error": "raise"} if self.is_local else {}
        with self._told():
            listed = self.filesystem.find(f"{root}/{table}", detail=True, **strict)
        return list(listed.values())

    def _file(self, entry: dict[str, Any], table: str) -> DumpFile | None:
        """A file that is a dump, or a part of one; None for any other."""
        path, root = str(entry["name"]), self._place[1]
        relative = path.removeprefix(root).removeprefix("/")
        stem, suffix = splitext(relative.removeprefix(f"{table}/"))
        folder, _, name = stem.rpartition("/")
        day = _day(folder or name)
        if day is None or suffix[1:] not in FORMATS or name.startswith((".", "_")):
            return None
        readable = path if self.is_local else self.filesystem.unstrip_protocol(path)
        size = int(entry.get("size") or 0)
        tags = _tags(entry)
        return DumpFile(
            readable, relative, day, suffix[1:], size, _stamp(entry), tags[0] if tags else None
        )

    @cached_property
    def _place(self) -> tuple[fsspec.AbstractFileSystem, str]:
        with self._told():
            filesystem, root = url_to_fs(self.uri)
        return filesystem, root.rstrip("/")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells what a store's driver has to say."""
        try:
            yield
        except Exception as error:  # each store's driver has errors of its own
            raise LakeError(f"lake {self.uri}: {_in_a_line(error)}") from error


def batches(files: Iterable[DumpFile], limit: int) -> Iterator[list[DumpFile]]:
    """Files in portions of whole days, each of at most `limit` bytes unless a day is larger."""
    portion: list[DumpFile] = []
    size = 0
    for file in files:
        if portion and file.day != portion[-1].day and size + file.size > limit:
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += file.size
    if portion:
        yield portion


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _protocols(filesystem: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _tags(entry: Mapping[str, Any]) -> list[str]:
    return [str(entry[name]) for name in TAGS if entry.get(name)]


def _stamp(entry: Mapping[str, Any]) -> str:
    times = [str(entry[name]) for name in TIMES if entry.get(name)]
    return " ".join([*_tags(entry), *times, str(entry.get("size") or 0)])


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name and day in PLAUSIBLE else None


def _name(entry: Mapping[str, Any]) -> str:
    """Without its folder; some stores end a folder's name with a slash."""
    return basename(str(entry["name"]).rstrip("/"))
