"""Reading a CSV file line by line, where its quotes or line ends keep DuckDB from reading it.

A record that is broken costs its first line only: the lines behind it are read anew, so that a
quote that is never closed takes no neighbours with it.
"""

import csv
from itertools import islice
from pathlib import Path

from consumption_datamart.lake.dumps import DumpFile, Lake

RECORD_LINES = 1000
"""Lines that a quoted field may span before its quote counts as never closed."""


class Salvaged:
    """Readable copies of troubled CSV files, in a folder that its user removes."""

    def __init__(self, lake: Lake, folder: Path) -> None:
        """No copies yet."""
        self.lake, self.folder = lake, folder
        self.copies: dict[DumpFile, Path] = {}
        self.malformed: dict[DumpFile, list[str]] = {}

    def add(self, file: DumpFile) -> None:
        """Copies a file's records, and keeps the lines that are none.

        Raises:
            DumpError: it cannot be read.
        """
        records, self.malformed[file] = salvage(self.lake.read(file))
        self.copies[file] = self.folder / f"{len(self.copies)}.csv"
        with self.copies[file].open("w", newline="") as copy:
            csv.writer(copy, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(records)

    def path(self, file: DumpFile) -> str:
        """Where to read a file: its copy where there is one."""
        return str(self.copies.get(file, file.path))


def salvage(content: bytes) -> tuple[list[list[str]], list[str]]:
    """The records of a CSV file and the lines that are no records.

    Args:
        content: the whole file; its first line is the header.

    Returns:
        Records, the header first, each with as many fields as the header; and malformed lines as
        text: a wrong number of fields, a broken quote, or bytes that are not UTF-8.
    """
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    records: list[list[str]] = []
    malformed: list[str] = []
    position = 0
    while position < len(lines):
        record, consumed = _record(lines, position)
        if record and records and record[len(records[0]) :] == [""]:
            record.pop()  # a comma at the end of a line is no field, as DuckDB sees it
        if not b"".join(lines[position : position + consumed]).strip():
            pass
        elif record is None or (records and len(record) != len(records[0])):
            broken = b"".join(lines[position : position + consumed])
            malformed.append(broken.decode(errors="replace").replace("\ufffd", "?").rstrip("\r\n"))
        else:
            records.append(record)
        position += consumed
    return records, malformed


def _record(lines: list[bytes], position: int) -> tuple[list[str] | None, int]:
    """The record that begins at a line, empty for a blank line, None if it is broken."""
    text = (line.decode() for line in islice(lines, position, position + RECORD_LINES))
    reader = csv.reader(text, strict=True)
    try:
        return next(reader), reader.line_num
    except (csv.Error, UnicodeDecodeError):
        return None, 1
