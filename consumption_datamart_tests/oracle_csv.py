"""CSV read character by character, so that one malformed line never hides another row."""

import re
from dataclasses import dataclass

NOT_UTF8 = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class CsvRecord:
    """One record: its fields, or None when it is malformed; and its text without the line end."""

    fields: list[str] | None
    line: str


def read_records(content: bytes) -> list[CsvRecord]:
    """Split a file into records, its header first; blank lines are no records.

    Lines end in CR, LF or both. A quoted field may hold commas, doubled quotes and line ends. A
    record is malformed when text follows a closing quote, when a quote is never closed, or when its
    bytes are not UTF-8; it then costs its first line only, and the lines behind it are read anew.
    Bytes that are not UTF-8 are shown as question marks.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    records = []
    start = 0
    while start < len(text):
        fields, end = _read_record(text, start)
        if fields is None or not _is_utf8(text[start:end]):
            fields, end = None, _end_of_line(text, start)
        line = text[start:end].rstrip("\r\n")
        start = end
        if line.strip():
            records.append(CsvRecord(fields, NOT_UTF8.sub("?", line)))
    return records


def _read_record(text: str, start: int) -> tuple[list[str] | None, int]:
    """Read the record that begins at `start`; return its fields and where the next one begins."""
    fields = []
    position = start
    while True:
        if text.startswith('"', position):
            field, position = _read_quoted(text, position)
            if field is None:
                return None, start
        else:
            field, position = _read_unquoted(text, position)
        fields.append(field)
        if not text.startswith(",", position):
            return fields, _after_line_end(text, position)
        position += 1


def _read_unquoted(text: str, start: int) -> tuple[str, int]:
    """Read up to the next comma or line end."""
    position = start
    while position < len(text) and text[position] != "," and not _at_line_end(text, position):
        position += 1
    return text[start:position], position


def _read_quoted(text: str, start: int) -> tuple[str | None, int]:
    """Read from an opening quote to its closing one; None when the quotes are broken."""
    field = ""
    position = start + 1
    while position < len(text):
        if text.startswith('""', position):
            field += '"'
            position += 2
        elif text[position] == '"':
            position += 1
            if _at_line_end(text, position) or text[position] == ",":
                return field, position
            return None, start
        else:
            field += text[position]
            position += 1
    return None, start


def _at_line_end(text: str, position: int) -> bool:
    return position == len(text) or text[position] in "\r\n"


def _after_line_end(text: str, position: int) -> int:
    return min(len(text), position + (2 if text.startswith("\r\n", position) else 1))


def _end_of_line(text: str, position: int) -> int:
    while not _at_line_end(text, position):
        position += 1
    return _after_line_end(text, position)


def _is_utf8(text: str) -> bool:
    return NOT_UTF8.search(text) is None
