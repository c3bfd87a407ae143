"""Tables of a lake that keep a log of themselves: the rows of a day are a dump (spec, section 6).

The version of a day is the set of the table's files that its rows are in, with what is deleted of
them: only days of which that has changed are loaded again. What is loaded is copied to Parquet on
this disk first, at the version of the table that was listed.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, tzinfo
from functools import cache
from typing import NamedTuple

import duckdb
import pyarrow as pa

from consumption_datamart.errors import DumpError, LakeError
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile, in_a_line
from consumption_datamart.lake.formats import Dialect, Header
from consumption_datamart.lake.formats.parquet import Parquet
from consumption_datamart.lake.table_days import day_of


class TableFile(NamedTuple):
    """A file of a table.

    Attributes:
        mark: names the file, and what is deleted of it.
        size: in bytes.
        first: day of its rows; None: it is not known without reading them.
        last: likewise.
        nulls: how many rows have no day.
    """

    mark: str
    size: int
    first: date | None
    last: date | None
    nulls: int = 0

    def may_have(self, day: date) -> bool:
        """Whether rows of a day may be in it."""
        return self.first is None or self.last is None or self.first <= day <= self.last


class OpenTable(ABC):
    """A table at one of its versions.

    Attributes:
        version: of it.
    """

    version: str

    @property
    @abstractmethod
    def changed_at(self) -> datetime:
        """When it was committed, in UTC."""

    @abstractmethod
    def files(self, column: str | None) -> Sequence[TableFile]:
        """All files.

        Args:
            column: that has the day of a row; None: the table is not cut into days.

        Raises:
            LakeError: there is no such column, or it is of no type that has days.
        """

    @abstractmethod
    def rows(
        self, column: str | None, day: date | None = None, only: Collection[str] | None = None
    ) -> pa.RecordBatchReader:
        """The rows of a day, or all; of some columns, or of all."""


class Part(NamedTuple):
    """The rows of a table that are the dump of a day.

    Attributes:
        uri: of the table.
        version: of it.
        column: that has the day of a row; None: all rows are the dump.
        day: of the rows; None: all.
    """

    uri: str
    version: str
    column: str | None
    day: date | None


class Dump(NamedTuple):
    """A part of a table as it is listed.

    Attributes:
        part: of the table.
        day: of the dump.
        size: of its files, in bytes.
        stamp: of its files.
    """

    part: Part
    day: date
    size: int
    stamp: str


class TableFormat(Parquet):
    """A table format: how its tables are opened.

    Attributes:
        extra: what has to be installed for it.
    """

    suffixes = ()
    extra: str

    @abstractmethod
    def opened(self, uri: str, version: str | None = None) -> OpenTable:
        """A table as it is now, or was at a version.

        Args:
            uri: of its folder: a path, or a URI.
            version: as an `OpenTable` has it.

        Raises:
            Exception: whatever the library raises where there is none, or none that it can read.
        """

    def dumps(self, uri: str, column: str | None, zone: tzinfo) -> Iterator[Dump]:
        """The dumps of a table as it is now.

        Args:
            uri: of its folder.
            column: that has the day of a row; None: the table is one dump, of the day on which it
                was last changed.
            zone: of that day.

        Raises:
            LakeError: the table cannot be read, or has rows without a day.
        """
        try:
            yield from self._dumps(uri, column, zone)
        except ImportError as error:
            raise LakeError(
                f"pip install 'consumption-datamart[{self.extra}]' first: {in_a_line(error)}"
            ) from error
        except LakeError:
            raise
        except Exception as error:  # each library has errors of its own
            raise LakeError(f"the {self.name} table {uri}: {in_a_line(error)}") from error

    def _dumps(self, uri: str, column: str | None, zone: tzinfo) -> Iterator[Dump]:
        table = self.opened(uri)
        files = table.files(column)
        if column is None:
            part, changed_at = Part(uri, table.version, None, None), table.changed_at
            yield Dump(
                part,
                changed_at.astimezone(zone).date(),
                sum(each.size for each in files),
                _stamp(files),
            )
            return
        if nulls := sum(each.nulls for each in files):
            raise LakeError(
                f"the {self.name} table {uri}: {column} is null in {nulls:,} rows, so that they are"
                " of no day; mend the table, or set day to a column that all rows have"
            )
        for day in sorted(self._days(uri, table, files, column)):
            own = [each for each in files if each.may_have(day)]
            part = Part(uri, table.version, column, day)
            yield Dump(part, day, sum(each.size for each in own), _stamp(own))

    def _days(
        self, uri: str, table: OpenTable, files: Sequence[TableFile], column: str
    ) -> Collection[date]:
        """The days of a table; its rows are read where files do not tell, once a version."""
        if all(each.first is not None and each.first == each.last for each in files):
            return {each.first for each in files if each.first is not None}
        asked = self.name, uri, _stamp(files), column
        if asked not in _READ:
            while len(_READ) >= REMEMBERED:
                _READ.pop(next(iter(_READ)))
            _READ[asked] = _days_read(table, column)
        return _READ[asked]

    def headers(
        self,
        copies: Copies,
        files: Sequence[DumpFile],
        dialect: Dialect,
        connection: duckdb.DuckDBPyConnection,
    ) -> dict[DumpFile, Header]:
        """Of the copies, which are made here."""
        opened = cache(self.opened)  # all days of a version are read from one table
        for file in files:
            if file.part is None:
                raise TypeError(f"{file.name}: it is of a table, and does not say which part")
            try:
                table = opened(file.part.uri, file.part.version)
                copies.keep(file, table.rows(file.part.column, file.part.day))
            except Exception as error:  # each library has errors of its own
                problem = f"cannot be read as {self.name}: {in_a_line(error)}; build again"
                raise DumpError(file.name, file.day, problem) from error
        return super().headers(copies, files, dialect, connection)


REMEMBERED = 64
_READ: dict[tuple[str, str, str, str], frozenset[date]] = {}
"""By format, URI, files and column: the days whose rows were read; the lake is listed often."""


def _days_read(table: OpenTable, column: str) -> frozenset[date]:
    found: set[date] = set()
    for batch in table.rows(column, only=[column]):
        found |= {day_of(value) for value in batch.column(0).unique().to_pylist()}
    return frozenset(found)


def _stamp(files: Sequence[TableFile]) -> str:
    marks = "\n".join(sorted(each.mark for each in files))
    return hashlib.blake2b(marks.encode(), digest_size=16).hexdigest()
