"""CSV and TSV: columns by the names in the header line, all values text."""

import csv
import glob
import io
from collections.abc import Mapping, Sequence
from itertools import islice

import duckdb

from consumption_datamart.errors import DumpError
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.formats import (
    PATH,
    Dialect,
    Format,
    Header,
    literal,
    unique_names,
)

HEADER_BYTES = 1 << 16
RECORD_LINES = 1000
"""Lines that a quoted field may span before its quote counts as never closed."""
WHITE = " \t\n\r\v\f\ufeff\u00a0\u200b"


class Delimited(Format):
    """Lines of fields; read strictly, by the standard.

    A line that cannot be split into the header's columns is set aside by the reader, with its text.
    Where quotes or line ends keep DuckDB from reading a file, it is read line by line: a record
    that is broken costs its first line only, so that a quote that is never closed takes no
    neighbours with it.
    """

    name, suffixes, has_lines = "csv", (".csv", ".tsv"), True

    def headers(
        self,
        copies: Copies,
        files: Sequence[DumpFile],
        dialect: Dialect,
        connection: duckdb.DuckDBPyConnection,
    ) -> dict[DumpFile, Header]:
        """Columns without a header line are column0, column1 and so on."""
        found = {}
        for file in files:
            if not dialect.is_utf8:
                copies.transcode(file, dialect.encoding)
            found[file] = tuple(
                (name, "VARCHAR") for name in unique_names(_names(copies, file, dialect))
            )
        return found

    def scan(self, paths: Sequence[str], header: Header, dialect: Dialect, compression: str) -> str:
        """All columns are text."""
        listed = ", ".join(literal(glob.escape(path)) for path in paths)
        names = ", ".join(f"{literal(name)}: 'VARCHAR'" for name, _ in header)
        quote = literal(dialect.quote)
        return (
            f"read_csv([{listed}], filename = '{PATH}', columns = {{{names}}}, auto_detect = false,"
            f" header = {str(dialect.header).lower()}, delim = {literal(dialect.delimiter)},"
            f" quote = {quote}, escape = {quote}, skip = {dialect.skip_lines},"
            f" compression = '{compression or 'none'}', hive_partitioning = false,"
            " ignore_errors = true, store_rejects = true)"
        )

    def lines(self, content: bytes, dialect: Dialect) -> tuple[bytes, list[str]]:
        """The records, and the lines that are no records.

        These have a wrong number of fields, a broken quote, or bytes that are not UTF-8.
        """
        lines = content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
        lines = lines[dialect.skip_lines :]
        records: list[list[str]] = []
        malformed: list[str] = []
        position = 0
        while position < len(lines):
            record, consumed = _record(lines, position, dialect)
            if record and records and record[len(records[0]) :] == [""]:
                record.pop()  # a comma at the end of a line is no field, as DuckDB sees it
            if not b"".join(lines[position : position + consumed]).strip():
                pass
            elif record is None or (records and len(record) != len(records[0])):
                broken = b"".join(lines[position : position + consumed])
                text = broken.decode(errors="replace").replace("\ufffd", "?")
                malformed.append(text.rstrip("\r\n"))
            else:
                records.append(record)
            position += consumed
        copy = io.StringIO(newline="")
        writer = csv.writer(
            copy,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            lineterminator="\n",
            quoting=csv.QUOTE_ALL,
        )
        writer.writerows(records)
        return copy.getvalue().encode(), malformed

    def troubled(
        self,
        copies: Copies,
        rows_read: Mapping[DumpFile, int],
        rejected: Mapping[DumpFile, int],
        dialect: Dialect,
    ) -> set[DumpFile]:
        """Files of which not every line behind the header is a row or malformed.

        So it is where a field has a line break or a line is blank, but also where a quote that is
        never closed has taken further lines with it, or DuckDB has lost a line.
        """
        before = dialect.skip_lines + dialect.header
        return {
            file
            for file, rows in rows_read.items()
            if not copies.is_salvaged(file)
            and not _accounts_for(copies, file, before + rows, rejected.get(file, 0))
        }


def _names(copies: Copies, file: DumpFile, dialect: Dialect) -> list[str]:
    start = copies.read(file, HEADER_BYTES).removeprefix(b"\xef\xbb\xbf").splitlines()
    lines = start[0 if copies.is_salvaged(file) else dialect.skip_lines :]
    try:
        line = lines[0].decode() if lines else ""
        reader = csv.reader(io.StringIO(line), delimiter=dialect.delimiter, quotechar=dialect.quote)
        fields = next(reader, [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DumpError(file.name, file.day, f"the header line cannot be read: {error}") from error
    if not dialect.header:
        return [f"column{place}" for place in range(len(fields))]
    return [field.strip(WHITE) for field in fields]


def _record(lines: list[bytes], position: int, dialect: Dialect) -> tuple[list[str] | None, int]:
    """The record that begins at a line, empty for a blank line, None if it is broken."""
    text = (line.decode() for line in islice(lines, position, position + RECORD_LINES))
    reader = csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    try:
        return next(reader), reader.line_num
    except (csv.Error, UnicodeDecodeError):
        return None, 1


def _accounts_for(copies: Copies, file: DumpFile, expected: int, malformed: int) -> bool:
    """Whether a file has so many lines, and so many that are malformed.

    Where lines end in more than one way, DuckDB gives another line for the malformed one.
    """
    feeds = crlf = returns = 0
    last = b""
    for block in copies.blocks(file):
        feeds, returns = feeds + block.count(b"\n"), returns + block.count(b"\r")
        crlf += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
        last = block[-1:]
    lines = feeds + (last not in (b"\n", b""))
    alike = crlf in (0, feeds) and returns == crlf
    return lines == expected + malformed and (alike or not malformed)


FORMAT = Delimited()
