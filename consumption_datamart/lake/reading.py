"""Reading dump files as they are: columns by name, values as text or in the file's own types.

DuckDB reads the files. CSV is read strictly, by the standard: a line that cannot be split into the
header's columns is set aside by the reader, with its text.
"""

import glob
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import duckdb
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.errors import DumpError, first_line
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.headers import (
    Header,
    missing_columns,
    read_headers,
    unexpected_columns,
)
from consumption_datamart.lake.salvage import Salvaged
from consumption_datamart.lake.staging import view
from consumption_datamart.schema.lake import Contract

PATH = "dump_file_path"
SMALL_BYTES = 64 << 10
"""Files that are smaller than this on average take longer to open than to read."""


class TroubledFiles(Exception):
    """CSV files that DuckDB cannot read to their end; `salvaged` makes them readable."""

    def __init__(self, files: set[DumpFile]) -> None:
        """The files."""
        super().__init__(*(file.name for file in files))
        self.files = files


class Source:
    """Files of one lake table, opened for reading on a DuckDB connection.

    Raises:
        DumpError: a file cannot be opened, or lacks a required column.
    """

    def __init__(
        self,
        contract: type[Contract],
        salvaged: Salvaged,
        files: Sequence[DumpFile],
        staging: DuckDBBackend,
    ) -> None:
        """Reads the files' headers."""
        self.contract, self.salvaged, self.staging = contract, salvaged, staging
        self.lake = salvaged.lake
        if not self.lake.is_local:
            staging.con.register_filesystem(self.lake.filesystem)
        self.headers = read_headers(contract, self.lake, files, staging.con)

    @property
    def is_rereadable(self) -> bool:
        """Whether reading the files several times costs little: large Parquet on this disk."""
        large = sum(file.size for file in self.headers) >= SMALL_BYTES * len(self.headers)
        are_parquet = all(file.format == "parquet" for file in self.headers)
        return self.lake.is_local and are_parquet and large

    def require_unchanged(self) -> None:
        """Makes sure that who has read the files several times has always read the same.

        Raises:
            DumpError: a file was written to in the meantime.
        """
        for file in self.headers if self.is_rereadable else ():
            if self.lake.stamp(file) != file.stamp:
                problem = "it was changed while it was read; build again"
                raise DumpError(file.name, file.day, problem)

    def rows(self) -> list[ir.Table]:
        """The rows of the files: the contract's columns, dump_day and file.

        Files whose columns have the same types are read together: what becomes of a value must not
        depend on what other files are read with it. A column that a file lacks is null text.
        """
        con = self.staging.con
        listed = [
            (
                self.salvaged.path(file),
                file.day,
                file.name,
                unexpected_columns(self.contract, header),
                missing_columns(self.contract, header),
            )
            for file, header in self.headers.items()
        ]
        columns = [PATH, "dump_day", "file", "unexpected_columns", "missing_columns"]
        con.register("listed_files", pd.DataFrame(listed, columns=columns))
        con.execute(
            "CREATE OR REPLACE TEMP TABLE dump_files AS"
            " SELECT * REPLACE (dump_day::DATE AS dump_day) FROM listed_files"
        )
        alike: dict[tuple[str | None, ...], dict[tuple[str, Header], list[DumpFile]]]
        alike = defaultdict(lambda: defaultdict(list))
        for file, header in self.headers.items():
            types = tuple(dict(header).get(name) for name in self.contract.ibis_schema())
            alike[types][file.format, header].append(file)
        found = []
        for number, groups in enumerate(alike.values()):
            union = " UNION ALL ".join(
                self._select(header, files) for (_, header), files in groups.items()
            )
            rows = (
                f"SELECT found.* EXCLUDE ({PATH}), dump_day, file"
                f" FROM ({union}) AS found JOIN dump_files USING ({PATH})"
            )
            found.append(view(self.staging, f"source_{number}", rows))
        return found

    def malformed(self, rows_read: Mapping[str, int]) -> list[tuple[DumpFile, str]]:
        """Lines that could not be split into columns, once `rows` has been read.

        Args:
            rows_read: how many rows were read, by the file's name.

        Raises:
            TroubledFiles: CSV files of which not every line is a row or malformed. So it is where
                a field has a line break or a line is blank, but also where a quote that is never
                closed has taken further lines with it, or DuckDB has lost a line.
        """
        con = self.staging.con
        by_path = {self.salvaged.path(file): file for file in self.headers}
        lines = [
            (file, line) for file in self.headers for line in self.salvaged.malformed.get(file, [])
        ]
        if con.execute("FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchall():
            rejected = con.execute(
                "SELECT DISTINCT file_path, line, csv_line FROM reject_errors"
                " JOIN reject_scans USING (scan_id, file_id) ORDER BY ALL"
            ).fetchall()
            con.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
            lines += [(by_path[path], text.strip("\r\n")) for path, _, text in rejected]
        seen = Counter(file for file, _ in lines)
        troubled = {
            file
            for file in self.headers
            if file.format == "csv"
            and file not in self.salvaged.copies
            and not self._accounts_for(file, rows_read.get(file.name, 0), seen[file])
        }
        if troubled:
            raise TroubledFiles(troubled)
        return [(file, line) for file, line in lines if line.strip()]

    def _accounts_for(self, file: DumpFile, rows: int, malformed: int) -> bool:
        """Whether each line of a CSV file behind the header is a row or malformed.

        Where lines end in more than one way, DuckDB gives another line for the malformed one.
        """
        feeds = crlf = returns = 0
        last = b""
        for block in self.lake.blocks(file):
            feeds, returns = feeds + block.count(b"\n"), returns + block.count(b"\r")
            crlf += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            last = block[-1:]
        lines = feeds + (last != b"\n")
        alike = crlf in (0, feeds) and returns == crlf
        return lines == 1 + rows + malformed and (alike or not malformed)

    def probe(self) -> None:
        """Finds the files that cannot be read, by reading each alone.

        Raises:
            TroubledFiles: CSV files that have to be read line by line.
            DumpError: a file that cannot be read at all.
        """
        troubled = set()
        for file, header in self.headers.items():
            with duckdb.connect() as alone:
                if not self.lake.is_local:
                    alone.register_filesystem(self.lake.filesystem)
                try:
                    # a value that is only counted is not read
                    alone.execute(
                        f"SELECT bit_xor(hash(COLUMNS(*))) FROM ({self._select(header, [file])})"
                    )
                except duckdb.Error as error:
                    if file.format == "parquet" or file in self.salvaged.copies:
                        problem = f"cannot be read: {first_line(error)}; deliver the dump again"
                        raise DumpError(file.name, file.day, problem) from error
                    troubled.add(file)
        if troubled:
            raise TroubledFiles(troubled)

    def _select(self, header: Header, files: list[DumpFile]) -> str:
        """SQL that reads files with one header."""
        types = dict(header)
        columns = []
        for name in self.contract.ibis_schema():
            found = _identifier(name) if name in types else "CAST(NULL AS VARCHAR)"
            columns.append(f"{found} AS {_identifier(name)}")
        paths = (
            "[" + ", ".join(_literal(glob.escape(self.salvaged.path(file))) for file in files) + "]"
        )
        if files[0].format == "parquet":
            reader = f"read_parquet({paths}, filename = '{PATH}')"
        else:
            names = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in types)
            reader = (
                f"read_csv({paths}, filename = '{PATH}', columns = {{{names}}},"
                " auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
                " ignore_errors = true, store_rejects = true)"
            )
        return f"SELECT {', '.join(columns)}, {PATH} FROM {reader}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
