"""Reading a source's files as they are: columns by name, or by the expressions of the source."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import duckdb
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.errors import DumpError, first_line
from consumption_datamart.lake.columns import (
    found_columns,
    missing_columns,
    unexpected_columns,
)
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.formats import (
    PATH,
    Dialect,
    Format,
    Header,
    TroubledFiles,
    formats,
    quoted,
)
from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.staging import view

SMALL_BYTES = 64 << 10
"""Files that are smaller than this on average take longer to open than to read."""


class Group(NamedTuple):
    """Files that one scan reads.

    Attributes:
        format_name: of their format.
        compression: gzip, zstd or ''.
        dialect: how they are written.
        header: their columns.
    """

    format_name: str
    compression: str
    dialect: Dialect
    header: Header

    @property
    def format(self) -> Format:
        """How they are read."""
        return formats()[self.format_name]


class Misfit(Exception):
    """An expression of the source does not suit some files."""

    def __init__(self, group: Group, file: DumpFile, problem: str) -> None:
        """The files, the first of them, and what DuckDB says of all expressions together."""
        super().__init__(problem)
        self.group, self.file, self.problem = group, file, problem


class Reading:
    """Files of one source, opened for reading on a DuckDB connection.

    Raises:
        DumpError: a file cannot be opened, or lacks a required column.
        TroubledFiles: files that have to be read line by line.
    """

    def __init__(
        self,
        source: Source,
        copies: Copies,
        files: Sequence[DumpFile],
        staging: DuckDBBackend,
    ) -> None:
        """Reads the files' headers."""
        self.source, self.copies, self.staging = source, copies, staging
        self.lake = copies.lake
        if not self.lake.is_local:
            staging.con.register_filesystem(self.lake.filesystem)
        self.headers: dict[DumpFile, Header] = {}
        for name in dict.fromkeys(file.format.name for file in files):
            alike = [file for file in files if file.format.name == name]
            with staging.con.cursor() as apart:  # an error aborts the transaction that it is in
                self.headers |= formats()[name].headers(copies, alike, source.dialect, apart)
        self.found: dict[Header, dict[str, str]] = {}
        for file, header in self.headers.items():
            if header not in self.found:
                self.found[header] = found_columns(source, file, header)

    @property
    def is_rereadable(self) -> bool:
        """Whether reading the files several times costs little: large Parquet on this disk."""
        large = sum(file.size for file in self.headers) >= SMALL_BYTES * len(self.headers)
        are_parquet = all(file.format.name == "parquet" for file in self.headers)
        return self.lake.is_local and are_parquet and large

    def require_unchanged(self) -> None:
        """Makes sure that who has read the files several times has always read the same.

        Raises:
            DumpError: a file was written to in the meantime.
        """
        for file in self.headers if self.is_rereadable else ():
            if not self.lake.is_unchanged(file):
                problem = "it was changed while it was read; build again"
                raise DumpError(file.name, file.day, problem)

    def rows(self) -> list[ir.Table]:
        """The rows of the files: the contract's columns, dump_day, own_day and file.

        Files whose columns have the same types are read together: what becomes of a value must not
        depend on what other files are read with it. A column that a file lacks is null text.

        Raises:
            Misfit: an expression of the source does not suit some files.
        """
        con = self.staging.con
        listed = [
            (
                self.copies.path(file),
                file.day,
                file.own_day,
                file.name,
                unexpected_columns(self.source, self.headers[file], self.found[self.headers[file]]),
                missing_columns(self.source, self.found[self.headers[file]]),
            )
            for file in self.headers
        ]
        columns = [PATH, "dump_day", "own_day", "file", "unexpected_columns", "missing_columns"]
        con.register("listed_files", pd.DataFrame(listed, columns=columns))
        con.execute(
            "CREATE OR REPLACE TEMP TABLE dump_files AS SELECT * REPLACE"
            " (dump_day::DATE AS dump_day, own_day::DATE AS own_day) FROM listed_files"
        )
        alike: dict[object, list[str]] = defaultdict(list)
        for group, files in self.groups().items():
            alike[self._types(group, files)].append(self._select(group, files))
        found = []
        for number, selects in enumerate(alike.values()):
            rows = (
                f"SELECT found.* EXCLUDE ({PATH}), dump_day, own_day, file"
                f" FROM ({' UNION ALL '.join(selects)}) AS found JOIN dump_files USING ({PATH})"
            )
            found.append(view(self.staging, f"source_{number}", rows))
        return found

    def malformed(self, rows_read: Mapping[str, int]) -> list[tuple[DumpFile, str]]:
        """Lines that are no rows, once `rows` has been read.

        Args:
            rows_read: how many rows were read, by the file's name.

        Raises:
            TroubledFiles: files of which not every line is a row or malformed.
        """
        con, own = self.staging.con, self._own_files()
        by_path = {self.copies.path(file): file for file in own}
        lines = [(file, line) for file in own for line in self.copies.malformed.get(file.path, [])]
        if con.execute("FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchall():
            rejected = con.execute(
                "SELECT DISTINCT file_path, line, csv_line FROM reject_errors"
                " JOIN reject_scans USING (scan_id, file_id) ORDER BY ALL"
            ).fetchall()
            con.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
            lines += [
                (by_path[path], text.strip("\r\n")) for path, _, text in rejected if path in by_path
            ]
        seen = Counter(file for file, _ in lines)
        troubled: set[DumpFile] = set()
        for name in {file.format.name for file in own}:
            read = {f: rows_read.get(f.name, 0) for f in own if f.format.name == name}
            troubled |= formats()[name].troubled(self.copies, read, seen, self.source.dialect)
        if troubled:
            raise TroubledFiles(troubled)
        return [(file, line) for file, line in lines if line.strip()]

    def _own_files(self) -> list[DumpFile]:
        """Each file once."""
        return list({file.name: file for file in self.headers}.values())

    def groups(self) -> dict[Group, list[DumpFile]]:
        """The files, each once, by how one scan can read them."""
        found: dict[Group, list[DumpFile]] = defaultdict(list)
        for file in self._own_files():
            dialect, is_copy = self.source.dialect, self.copies.is_salvaged(file)
            group = Group(
                file.format.name,
                self.copies.compression(file),
                dialect.of_copy() if is_copy else dialect,
                self.headers[file],
            )
            found[group].append(file)
        return found

    def scan(self, group: Group, files: Sequence[DumpFile]) -> str:
        """SQL that reads own columns of files of one group."""
        paths = [self.copies.path(file) for file in files]
        return group.format.scan(paths, group.header, group.dialect, group.compression)

    def _types(self, group: Group, files: list[DumpFile]) -> object:
        """The types of the contract's columns in some files.

        Raises:
            Misfit: an expression does not suit these files.
        """
        header = group.header
        if not self.source.is_mapped and not self.source.where:
            types, found = dict(header), self.found[header]
            return tuple(
                types.get(found.get(name, "")) for name in self.source.contract.ibis_schema()
            )
        try:
            with self.staging.con.cursor() as apart:
                rows = apart.execute(f"DESCRIBE {self._select(group, files)}").fetchall()
        except duckdb.Error as error:
            raise Misfit(group, files[0], first_line(error)) from error
        return tuple((row[0], row[1]) for row in rows)

    def _select(self, group: Group, files: list[DumpFile]) -> str:
        """SQL that reads files with one header."""
        header = group.header
        found, columns = self.found[header], []
        for name in self.source.contract.ibis_schema():
            default = quoted(found[name]) if name in found else "CAST(NULL AS VARCHAR)"
            columns.append(f"({self.source.columns.get(name, default)}) AS {quoted(name)}")
        if self.source.is_mapped:
            own = ", ".join(f"{quoted(name)} := {quoted(name)}" for name, _ in header)
            columns.append(f"CAST(to_json(struct_pack({own})) AS VARCHAR) AS own_text")
        if self.source.where:
            columns.append(f"NOT coalesce(({self.source.where}), false) AS is_excluded")
        return f"SELECT {', '.join(columns)}, {PATH} FROM {self.scan(group, files)}"
