"""How a CSV file is written: encoding, delimiter, quote, header (spec, section 6, `csv`).

DuckDB's own sniffer takes the decimal commas of `1,5;2,5` for delimiters; here, the delimiter is
the one by which the most lines have the same number of columns, the header's line among them.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from consumption_datamart.guessing.values import is_number_or_day

BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
DELIMITERS = (",", ";", "\t", "|")
QUOTES = ('"', "'")
LINES = 200


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        skip_lines: before the header.
        header: whether there is one.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0
    header: bool = True


def encoding_of(starts: Sequence[bytes]) -> str:
    """The encoding in which all files' first bytes can be read.

    Args:
        starts: the first bytes of some files.
    """
    for bom, name in BOMS.items():
        if any(start.startswith(bom) for start in starts):
            return name if name != "utf-8-sig" else "utf-8"
    for start in starts:
        try:
            start.decode()
        except UnicodeDecodeError as error:
            if error.end < len(start):  # not just cut off
                upper = {byte for each in starts for byte in each if 0x80 <= byte < 0xA0}
                return "cp1252" if upper else "latin-1"
    return "utf-8"


def dialect_of(text: str, encoding: str, *, tabs: bool) -> Dialect:
    """The dialect of a text.

    Args:
        text: the first whole lines of a file, which end in line feeds.
        encoding: that it was in.
        tabs: whether the file's name says that tabs delimit (tsv).
    """
    lines = "\n".join(text.split("\n")[:LINES])
    quote = _quote(lines)
    delimiters = ("\t",) if tabs else DELIMITERS
    delimiter = max(delimiters, key=lambda each: _evenness(lines, each, quote))
    width = _width(lines, delimiter, quote)
    skipped = 0
    for row, line in _rows(lines, delimiter, quote):
        # rows may end in a delimiter where the header does not
        is_header = len(row) == width or (len(row) == width - 1 > 1 and all(row))
        if row and is_header and not row[0].startswith("#"):
            header = not any(is_number_or_day(cell) for cell in row)
            return Dialect(delimiter, quote, encoding, skipped, header)
        skipped = line
    return Dialect(delimiter, quote, encoding)


def rows_of(text: str, dialect: Dialect) -> tuple[list[str], list[list[str]]]:
    """The columns' names and the rows of a text; those of another width are left out.

    Columns of a file without a header are named as DuckDB does.
    """
    lines = "\n".join(text.split("\n")[dialect.skip_lines :])
    rows = [row for row, _ in _rows(lines, dialect.delimiter, dialect.quote) if row]
    if not rows:
        return [], []
    digits = len(str(len(rows[0]) - 1))
    names = [f"column{index:0{digits}}" for index in range(len(rows[0]))]
    if dialect.header:
        names = [name.strip().removeprefix("\ufeff") for name in rows.pop(0)]
    width = len(names)
    rows = [row[:width] if not any(row[width:]) else row for row in rows]
    return names, [row for row in rows if len(row) == width]


def _rows(lines: str, delimiter: str, quote: str) -> Iterator[tuple[list[str], int]]:
    """Rows, and the number of the line at which each ends, up to what is no CSV at all."""
    reader = csv.reader(io.StringIO(lines), delimiter=delimiter, quotechar=quote)
    with suppress(csv.Error):
        for row in reader:
            yield row, reader.line_num


def _widths(lines: str, delimiter: str, quote: str) -> Counter[int]:
    return Counter(len(row) for row, _ in _rows(lines, delimiter, quote) if row)


def _width(lines: str, delimiter: str, quote: str) -> int:
    """The number of columns that most lines have; of several the greatest."""
    widths = _widths(lines, delimiter, quote)
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _evenness(lines: str, delimiter: str, quote: str) -> tuple[bool, float, int]:
    widths = _widths(lines, delimiter, quote)
    width = _width(lines, delimiter, quote)
    return (width > 1, widths[width] / max(1, widths.total()), width)


def _quote(lines: str) -> str:
    """The quote that more fields begin with."""
    counts = {
        quote: sum(lines.count(before + quote) for before in ("\n", *DELIMITERS))
        for quote in QUOTES
    }
    return max(QUOTES, key=lambda quote: counts[quote])
