"""How a CSV file is written: encoding, delimiter, quote, header (spec, section 6, `csv`).

DuckDB's own sniffer takes the decimal commas of `1,5;2,5` for delimiters; here, the delimiter is
the one by which the most lines have the same number of columns, the header's line among them.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
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
        text: the first whole lines of a file.
        encoding: that it was in.
        tabs: whether the file's name says that tabs delimit (tsv).
    """
    lines = "".join(text.splitlines(keepends=True)[:LINES])
    quote = _quote(lines)
    delimiters = ("\t",) if tabs else DELIMITERS
    delimiter = max(delimiters, key=lambda each: _evenness(lines, each, quote))
    width = _width(lines, delimiter, quote)
    reader = csv.reader(io.StringIO(lines), delimiter=delimiter, quotechar=quote)
    skipped = 0
    for row in reader:
        if len(row) == width and (row[0] == "" or not row[0].startswith("#")):
            header = not any(is_number_or_day(cell) for cell in row)
            return Dialect(delimiter, quote, encoding, skipped, header)
        skipped = reader.line_num
    return Dialect(delimiter, quote, encoding)


def rows_of(text: str, dialect: Dialect) -> tuple[list[str], list[list[str]]]:
    """The columns' names and the rows of a text; those of another width are left out.

    Columns of a file without a header are named as DuckDB does.
    """
    lines = "".join(text.splitlines(keepends=True)[dialect.skip_lines :])
    found = csv.reader(io.StringIO(lines), delimiter=dialect.delimiter, quotechar=dialect.quote)
    rows = [row for row in found if row]
    if not rows:
        return [], []
    digits = len(str(len(rows[0]) - 1))
    names = [f"column{index:0{digits}}" for index in range(len(rows[0]))]
    if dialect.header:
        names = [name.strip().removeprefix("\ufeff") for name in rows.pop(0)]
    return names, [row for row in rows if len(row) == len(names)]


def _widths(lines: str, delimiter: str, quote: str) -> Counter[int]:
    rows = csv.reader(io.StringIO(lines), delimiter=delimiter, quotechar=quote)
    return Counter(len(row) for row in rows if row)


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
