"""File formats: a module each, found by itself, whose `FORMAT` says how files are read."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from consumption_datamart.lake.copies import Copies
    from consumption_datamart.lake.dumps import DumpFile

PATH = "dump_file_path"
"""Name of the column in which a scan says of which file a row is."""
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

Header = tuple[tuple[str, str], ...]
"""Names and DuckDB types of a file's own columns, in order; no two names differ in case only."""


class Dialect(BaseModel):
    """How a CSV file is written; by default as RFC 4180 says, in UTF-8."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    encoding: str = "utf-8"
    decimal: str = Field(default=".", min_length=1, max_length=1)
    thousands: str = Field(default="", max_length=1)
    date_format: str | None = None
    timestamp_format: str | None = None
    nulls: tuple[str, ...] = ()
    skip_lines: int = Field(default=0, ge=0)
    header: bool = True

    @property
    def is_utf8(self) -> bool:
        """Whether DuckDB can read the bytes as they are."""
        return self.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii", "us-ascii")

    def of_copy(self) -> Dialect:
        """How a copy of a file is written: without what stands before the header, in UTF-8."""
        return self.model_copy(update={"skip_lines": 0, "encoding": "utf-8"})


class FileFormat(NamedTuple):
    """How a file is read.

    Attributes:
        name: of the format.
        compression: gzip, zstd or ''.
    """

    name: str
    compression: str = ""


class TroubledFiles(Exception):
    """Files with lines that DuckDB cannot read; copies without these lines are to be made."""

    def __init__(self, files: set[DumpFile]) -> None:
        """The files."""
        super().__init__(*(file.name for file in files))
        self.files = files


class Format(ABC):
    """A file format.

    Attributes:
        name: by which `lake.toml` calls it.
        suffixes: how names of such files end, in lower case, before `.gz` or `.zst`.
        has_lines: whether a file may have lines that are no rows.
    """

    name: str
    suffixes: tuple[str, ...]
    has_lines = False

    @abstractmethod
    def headers(
        self,
        copies: Copies,
        files: Sequence[DumpFile],
        dialect: Dialect,
        connection: duckdb.DuckDBPyConnection,
    ) -> dict[DumpFile, Header]:
        """The own columns of each file.

        Raises:
            DumpError: a file cannot be opened.
            TroubledFiles: files that have to be read line by line.
        """

    @abstractmethod
    def scan(self, paths: Sequence[str], header: Header, dialect: Dialect, compression: str) -> str:
        """SQL that gives the rows of files with one header, and of which file each is in `PATH`."""

    def lines(self, content: bytes, dialect: Dialect) -> tuple[bytes, list[str]]:
        """A readable copy of a file that has lines, and the text of those that are no rows.

        Args:
            content: of the whole file, in UTF-8 but for broken lines.
            dialect: how it is written.
        """
        raise NotImplementedError

    def troubled(
        self,
        copies: Copies,
        rows_read: Mapping[DumpFile, int],
        rejected: Mapping[DumpFile, int],
        dialect: Dialect,
    ) -> set[DumpFile]:
        """Files of which not every line is accounted for, once they have been read."""
        return set()


@cache
def formats() -> Mapping[str, Format]:
    """All formats, by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        each: Format = importlib.import_module(f"{__name__}.{module.name}").FORMAT
        found[each.name] = each
    return found


def format_of(name: str, forced: str | None = None) -> FileFormat | None:
    """How a file of this name is read; None: by no format.

    Args:
        name: without its folder.
        forced: name of the format, whatever the suffix says.
    """
    stem, compression = name.lower(), ""
    for suffix, each in COMPRESSIONS.items():
        if stem.endswith(suffix):
            stem, compression = stem.removesuffix(suffix), each
    for known in formats().values():
        if forced == known.name or (forced is None and stem.endswith(known.suffixes)):
            return FileFormat(known.name, compression)
    return None


def unique_names(written: Sequence[str]) -> Iterator[str]:
    """Names of columns such that no two differ in case only.

    A column without a name, or whose name was there already, is named by its place: `#3`, `note#3`.
    """
    seen: set[str] = set()
    for place, name in enumerate(written, start=1):
        found = name if name and name.lower() not in seen else f"{name}#{place}"
        seen.add(found.lower())
        yield found


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
