"""Whole small dirty lakes for Hypothesis, as plain data that writes itself."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hypothesis import strategies as st

from consumption_datamart_tests.contract import OPTIONAL, column_names
from consumption_datamart_tests.lakes import Row, write_dump
from consumption_datamart_tests.strategy_rows import ALWAYS, DIRT, ROWS, START

MALFORMED: list[str | bytes] = [
    "too,few",
    "1,2,3,4,5,6,7,8,9,10,11,12,13",
    'text,"after" a quote',
    b"not,\xff,utf-8",
    'a,"quote that is never closed',
]
SETTINGS = [
    *("", "", "", ""),
    'currency = "EUR"\n',
    '[silence]\nunknown = ["db"]\n',
    'currency = "CHF"\n\n[silence]\nunknown = ["cache", "calls"]\n',
]
LAYOUTS = [
    "csv",
    "csv_crlf_bom",
    "csv_reordered_extra",
    "parquet",
    "parquet_text",
    "csv_parts",
    "mixed_parts",
    "file_and_folder",
]


@dataclass(frozen=True)
class Dump:
    """One dump of one table: its rows, lines that are none, and how it is laid out in files."""

    table: str
    day: date
    layout: str
    rows: tuple[Row, ...] = ()
    malformed: tuple[str | bytes, ...] = ()

    def write(self, lake: Path) -> None:
        """Write the dump, in place of what the lake has of that table and day."""
        self.remove(lake)
        LAYOUT_WRITERS[self.layout](self, lake)
        if self.malformed:
            write_dump(lake, self.table, self.day, self.malformed, part="part-9")

    def remove(self, lake: Path) -> None:
        """Remove what the lake has of that table and day."""
        for path in (lake / self.table).glob(f"{self.day}*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@dataclass(frozen=True)
class SmallLake:
    """All dumps of a lake, at most one for each table and day, and the text of its lake.toml."""

    dumps: tuple[Dump, ...]
    settings: str = ""

    def write(self, lake: Path) -> None:
        """Write every dump, and lake.toml unless it says nothing."""
        for dump in self.dumps:
            dump.write(lake)
        if self.settings:
            lake.mkdir(parents=True, exist_ok=True)
            (lake / "lake.toml").write_text(self.settings)


def _write_file(dump: Dump, lake: Path, rows: tuple[Row, ...], **how: object) -> None:
    """Write some of the rows; as texts where native Parquet cannot hold them."""
    if how.get("format") == "parquet" and not how.get("as_text"):
        how["as_text"] = not all(_fits_natively(row) for row in rows)
    write_dump(lake, dump.table, dump.day, rows, **how)


def _fits_natively(row: Row) -> bool:
    """Tell whether no dirt has put a text in a column of another type."""
    typed = {"line_number", "term_months", "amendment", "quantity", "unit_price"}
    typed |= {"invoice_date", "starts_on", "ends_on", "event_ts", "valid_from", "rate"}
    return not any(isinstance(row[name], str) for name in typed & row.keys())


def _write_reordered(dump: Dump, lake: Path) -> None:
    columns = column_names(dump.table)[::-1]
    _write_file(dump, lake, dump.rows, columns=columns, extra={"note": "extra, too"})


def _write_csv_parts(dump: Dump, lake: Path) -> None:
    _write_file(dump, lake, dump.rows[::2], part="part-0")
    _write_file(dump, lake, dump.rows[1::2], part="part-1", crlf=True)


def _write_mixed_parts(dump: Dump, lake: Path) -> None:
    _write_file(dump, lake, dump.rows[::2], part="part-0", format="parquet")
    _write_file(dump, lake, dump.rows[1::2], part="part-1")


def _write_file_and_folder(dump: Dump, lake: Path) -> None:
    _write_file(dump, lake, dump.rows[::2], part="part-0")
    _write_file(dump, lake, dump.rows[1::2], format="parquet")


LAYOUT_WRITERS: dict[str, Callable[[Dump, Path], None]] = {
    "csv": lambda dump, lake: _write_file(dump, lake, dump.rows),
    "csv_crlf_bom": lambda dump, lake: _write_file(dump, lake, dump.rows, crlf=True, bom=True),
    "csv_reordered_extra": _write_reordered,
    "parquet": lambda dump, lake: _write_file(dump, lake, dump.rows, format="parquet"),
    "parquet_text": lambda dump, lake: _write_file(
        dump, lake, dump.rows, format="parquet", as_text=True
    ),
    "csv_parts": _write_csv_parts,
    "mixed_parts": _write_mixed_parts,
    "file_and_folder": _write_file_and_folder,
}


@st.composite
def lakes(draw: st.DrawFn, min_days: int = 5, max_days: int = 45, max_rows: int = 16) -> SmallLake:
    """Draw a lake of at most `max_rows` rows a table, on days of a span that need not be full."""
    span = draw(st.integers(min_days, max_days))
    numbers = st.integers(0, span - 1)
    dumps = []
    optional = draw(st.sets(st.sampled_from(OPTIONAL)))
    for table in [*ALWAYS, *sorted(optional)]:
        days: dict[int, list[Row]] = {number: [] for number in draw(st.sets(numbers, max_size=4))}
        fewest = draw(st.sampled_from([0, max_rows // 2]))
        rows = st.lists(_row_on_day(table, numbers), min_size=fewest, max_size=max_rows)
        for number, row in draw(rows):
            days.setdefault(number, []).append(row)
        dumps += [
            draw(dumps_of(table, START + timedelta(days=number), tuple(days[number])))
            for number in sorted(days)
        ]
    return SmallLake(tuple(dumps), draw(st.sampled_from(SETTINGS)))


@st.composite
def dumps_of(draw: st.DrawFn, table: str, day: date, rows: tuple[Row, ...]) -> Dump:
    """Draw a layout for the rows of a dump, now and then with a malformed line."""
    malformed = ()
    if draw(_now_and_then()):
        malformed = (draw(st.sampled_from(MALFORMED)),)
    return Dump(table, day, draw(st.sampled_from(LAYOUTS)), rows, malformed)


@st.composite
def restatements(draw: st.DrawFn, table: str | None = None, max_days: int = 45) -> Dump:
    """Draw one dump, to be written over whatever a lake has of its table and day."""
    table = table or draw(st.sampled_from([*ALWAYS, *ALWAYS, *OPTIONAL]))
    number = draw(st.integers(0, max_days - 1))
    rows = draw(st.lists(_row_on_day(table, st.just(number)), max_size=4))
    day = START + timedelta(days=number)
    return draw(dumps_of(table, day, tuple(row for _, row in rows)))


@st.composite
def _row_on_day(draw: st.DrawFn, table: str, numbers: st.SearchStrategy[int]) -> tuple[int, Row]:
    """Draw a row and the number of its dump's day; now and then one value of it is dirty."""
    number = draw(numbers)
    row = draw(ROWS[table](START + timedelta(days=number)))
    if draw(_now_and_then()):
        column, value = draw(st.sampled_from(DIRT[table]))
        row = row | {column: value}
    return number, row


def _now_and_then() -> st.SearchStrategy[bool]:
    return st.sampled_from([False] * 7 + [True])
