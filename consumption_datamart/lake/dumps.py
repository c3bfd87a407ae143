"""A lake's files: what there is, and their bytes (spec, sections 1 and 6)."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import fsspec
import pyarrow as pa
from fsspec.core import url_to_fs

from consumption_datamart.errors import DumpError, LakeError
from consumption_datamart.lake.files import (
    LakeFile,
    found,
    is_local,
    stamp_of_entry,
    stamp_of_status,
    walked,
)
from consumption_datamart.lake.formats import FileFormat

if TYPE_CHECKING:
    from consumption_datamart.lake.tables import Part

BLOCK_BYTES = 1 << 20
READ_AS = " as "
"""In a stamp or a tag: what comes behind changes whenever the same file would be read otherwise."""
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az"}
"""By the protocol of a URI: what has to be installed for it."""


class DumpFile(NamedTuple):
    """A file of a source's dump of a day.

    Attributes:
        path: as DuckDB reads it: a local path, or a URI.
        name: relative to the lake, e.g. `telemetry/2026-01-05.csv`.
        day: the mart's day that it is read for.
        format: how it is read.
        size: in bytes.
        stamp: what the store tells of it that changes whenever the file does, and how it is read.
        tag: the store's own name for the file's content, where it has one.
        own_day: the day of the dump, which is another where a source cuts days in another zone.
        source: name of the source.
        part: of a table, where the dump is no file.
    """

    path: str
    name: str
    day: date
    format: FileFormat
    size: int
    stamp: str
    tag: str | None
    own_day: date
    source: str
    part: "Part | None" = None


@dataclass(frozen=True)
class Lake:
    """A folder of files, local or remote.

    Attributes:
        uri: folder or URI; `~` is the home folder.
        sources_file: path or URI of the file that describes the sources; by default `lake.toml` in
            the lake, if it is there.
        accepts_deletions: whether what was loaded is deleted, however much of it has no file more.
    """

    uri: str
    sources_file: str | None = None
    accepts_deletions: bool = False

    @cached_property
    def filesystem(self) -> fsspec.AbstractFileSystem:
        """Where the lake is."""
        return self._place[0]

    @property
    def is_local(self) -> bool:
        """Whether its files are on this machine's disk."""
        return is_local(self.filesystem)

    def list(self) -> list[LakeFile]:
        """All files in the lake's folder and the folders there, by name. Links are followed.

        Raises:
            LakeError: the lake is not there or must not be read.
        """
        root = self._place[1]
        with self._told():
            is_there = self.filesystem.isdir(root)
        if not is_there:
            raise LakeError(
                f"lake {self.uri}: there is no such folder, or it must not be listed; set --lake or"
                " CONSUMPTION_DATAMART_LAKE"
            )
        with self._told():
            files = list(walked(root) if self.is_local else found(self.filesystem, root))
        return sorted(files, key=lambda file: file.name)

    def blocks(self, file: DumpFile, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """The file's bytes, uncompressed, so many at a time.

        Raises:
            DumpError: it cannot be read.
        """
        try:
            with self.filesystem.open(file.path, "rb") as stream:
                uncompressed = _uncompressed(stream, file.format.compression)
                while block := uncompressed.read(size):
                    yield block
        except Exception as error:  # each store's driver has errors of its own
            problem = f"cannot be read: {in_a_line(error)}"
            raise DumpError(file.name, file.day, problem) from error

    def is_unchanged(self, file: DumpFile) -> bool:
        """Whether the store still tells the same of a file."""
        try:
            if self.is_local:
                now = stamp_of_status(Path(file.path).stat())
            else:
                now = stamp_of_entry(self.filesystem.info(file.path))
        except OSError:
            return False
        return now == file.stamp.partition(READ_AS)[0]

    def uri_of(self, name: str) -> str:
        """A folder of the lake: a local path, or a URI."""
        path = self.place(name)
        return path if self.is_local else str(self.filesystem.unstrip_protocol(path))

    def text(self, name: str) -> str | None:
        """A small file of the lake as text; None: it is not there.

        Raises:
            LakeError: it cannot be read.
        """
        filesystem, root = self._place
        with self._told():
            try:
                return bytes(filesystem.cat_file(f"{root}/{name}")).decode()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def place(self, name: str) -> str:
        """Where a file of the lake is, as its filesystem takes it.

        Args:
            name: relative to the lake.
        """
        return f"{self._place[1]}/{name}"

    @cached_property
    def _place(self) -> tuple[fsspec.AbstractFileSystem, str]:
        with self._told():
            try:
                uri = self.uri if "://" in self.uri else str(Path(self.uri).expanduser())
                filesystem, root = url_to_fs(uri)
            except ImportError as error:
                extra = EXTRAS.get(self.uri.split("://")[0], "s3")
                raise LakeError(f"pip install -e '.[{extra}]' first: {in_a_line(error)}") from error
        return filesystem, root.rstrip("/")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells what a store's driver has to say."""
        try:
            yield
        except Exception as error:  # each store's driver has errors of its own
            raise LakeError(f"lake {self.uri}: {in_a_line(error)}") from error


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


def in_a_line(error: Exception) -> str:
    """What a driver's error says."""
    return " ".join(str(error).split()) or type(error).__name__


def _uncompressed(stream: IO[bytes], compression: str) -> IO[bytes]:
    opened: dict[str, Callable[[], Any]] = {
        "": lambda: stream,
        "gzip": lambda: gzip.GzipFile(fileobj=stream),
        "zstd": lambda: pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd"),
    }
    found: IO[bytes] = opened[compression]()
    return found
