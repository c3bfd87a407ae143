"""Whole small dirty lakes for Hypothesis, as plain data that writes itself."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from consumption_datamart_tests.contract import column_names
from consumption_datamart_tests.lakes import Row, write_dump

START = date(2026, 1, 1)

CUSTOMERS = ["CUST-1", "CUST-1", "CUST-2", "CUST-3", "ACME"]
NAMES = ["Acme", "Beta, Inc.", 'The "Gamma"']
PRODUCTS = ["db", "db", "cache", "calls"]
INVOICES = ["INV-1", "INV-2", "INV-3"]
UNITS = ["vCPU", "GiB", "api_call"]
DEPLOYMENTS = ["DEP-1", "DEP-2", "DEP-3", "DEP-4"]
INFRASTRUCTURES = ["aws_ec2", "on_prem", None]
QUANTITIES = [Decimal(text) for text in ("0", "1", "2", "3", "7", "10", "2.5", "0.25", "2000000")]
TERMS = [0, 1, 12, 24]
SPANS = [0, 1, 2, 7, 10, 30, 90, 365]

MALFORMED: list[str | bytes] = [
    "too,few",
    "1,2,3,4,5,6,7,8,9,10,11,12,13",
    'text,"after" a quote',
    b"not,\xff,utf-8",
    'a,"quote that is never closed',
]
DIRT: dict[str, list[tuple[str, object]]] = {
    "invoices": [
        ("line_number", "one"),
        ("line_number", "1.5"),
        ("line_number", " 7 "),
        ("line_number", 0),
        ("invoice_date", "2026-02-30"),
        ("customer_id", None),
        ("customer_name", "  "),
        ("customer_name", "Line\nbreak"),
        ("customer_name", "\u00a0 Acme\u200b"),
        ("customer_name", "n/a"),
        ("customer_name", "\\N"),
        ("invoice_date", "2026-01-05 10:00:00 +0200"),
        ("product_id", ""),
        ("quantity", Decimal(-1)),
        ("quantity", "8.00005"),
        ("unit_price", "nan"),
        ("unit_price", Decimal(-1)),
        ("currency", "euro"),
        ("term_months", -1),
        ("term_months", None),
    ],
    "entitlements": [
        ("entitlement_id", " "),
        ("amendment", "first"),
        ("amendment", -1),
        ("customer_id", None),
        ("quantity", "many"),
        ("period", "month"),
        ("period", "week"),
        ("metering", "unlimited"),
        ("ends_on", "2999-01-01"),
        ("quantity", Decimal(-1)),
        ("unit", ""),
        ("metering", "flat"),
        ("metering", None),
        ("starts_on", "soon"),
        ("starts_on", "2019-07-01T10:30:00"),
        ("ends_on", date(2020, 1, 1)),
        ("ends_on", None),
    ],
    "telemetry": [
        ("event_id", None),
        ("event_ts", "noon"),
        ("event_ts", datetime(2025, 12, 31, 23, 59, 59)),
        ("event_ts", "2026-01-04T23:30:30-01:00"),
        ("event_ts", None),
        ("customer_id", " "),
        ("product_id", None),
        ("quantity", "lots"),
        ("quantity", -1.0),
        ("quantity", float("nan")),
        ("quantity", "1e16"),
        ("event_ts", "2026-01-05T10:00:00.9999999 UTC"),
        ("unit", "#n/a"),
        ("infrastructure", " NULL\u00a0"),
        ("quantity", float("inf")),
        ("unit", None),
    ],
}
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
    """All dumps of a lake, at most one for each table and day."""

    dumps: tuple[Dump, ...]

    def write(self, lake: Path) -> None:
        """Write every dump."""
        for dump in self.dumps:
            dump.write(lake)


def _write_file(dump: Dump, lake: Path, rows: tuple[Row, ...], **how: object) -> None:
    """Write some of the rows; as texts where native Parquet cannot hold them."""
    if how.get("format") == "parquet" and not how.get("as_text"):
        how["as_text"] = not all(_fits_natively(row) for row in rows)
    write_dump(lake, dump.table, dump.day, rows, **how)


def _fits_natively(row: Row) -> bool:
    """Tell whether no dirt has put a text in a column of another type."""
    typed = {"line_number", "term_months", "amendment", "quantity", "unit_price"}
    typed |= {"invoice_date", "starts_on", "ends_on", "event_ts"}
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
    for table in ("invoices", "entitlements", "telemetry"):
        days: dict[int, list[Row]] = {number: [] for number in draw(st.sets(numbers, max_size=4))}
        fewest = draw(st.sampled_from([0, max_rows // 2]))
        rows = st.lists(_row_on_day(table, numbers), min_size=fewest, max_size=max_rows)
        for number, row in draw(rows):
            days.setdefault(number, []).append(row)
        dumps += [
            draw(dumps_of(table, START + timedelta(days=number), tuple(days[number])))
            for number in sorted(days)
        ]
    return SmallLake(tuple(dumps))


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
    table = table or draw(st.sampled_from(sorted(ROWS)))
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


def _invoices(dump_day: date) -> st.SearchStrategy[Row]:
    """Invoice lines dated up to 40 days before their dump, or one after it."""
    return st.fixed_dictionaries(
        {
            "invoice_id": st.sampled_from(INVOICES),
            "line_number": st.sampled_from([1, 2, 10]),
            "invoice_date": st.sampled_from([0, 0, 1, 2, 5, 9, 40, -1]).map(
                lambda age: dump_day - timedelta(days=age)
            ),
            "customer_id": st.sampled_from(CUSTOMERS),
            "customer_name": st.sampled_from(NAMES),
            "product_id": st.sampled_from(PRODUCTS),
            "product_name": st.sampled_from(["Database", "Cache", "Calls"]),
            "quantity": st.sampled_from(QUANTITIES),
            "unit_price": st.sampled_from([Decimal(0), Decimal(10), Decimal("12.5")]),
            "currency": st.sampled_from(["EUR", "USD"]),
            "term_months": st.sampled_from(TERMS),
        }
    )


def _entitlements(dump_day: date) -> st.SearchStrategy[Row]:
    """Originals, amendments and cancellations, starting up to 40 days before or after."""
    return st.fixed_dictionaries(
        {
            "entitlement_id": st.sampled_from(["ENT-1", "ENT-2", "ENT-3"]),
            "amendment": st.sampled_from([0, 1, 2]),
            "invoice_id": st.sampled_from([*INVOICES, None]),
            "customer_id": st.sampled_from(CUSTOMERS),
            "product_id": st.sampled_from(PRODUCTS),
            "quantity": st.sampled_from([*QUANTITIES, Decimal(10), Decimal(40)]),
            "unit": st.sampled_from(UNITS),
            "metering": st.sampled_from(["capacity", "consumable"]),
            "starts_on": st.sampled_from([0, 1, 3, 10, 40, -1, -5, -40]).map(
                lambda age: dump_day - timedelta(days=age)
            ),
            "length": st.sampled_from(SPANS),
        }
    ).map(_with_end)


def _with_end(row: Row) -> Row:
    """Turn a length in days into the day an entitlement ends on."""
    kept = {name: value for name, value in row.items() if name != "length"}
    return kept | {"ends_on": row["starts_on"] + timedelta(days=row["length"])}


def _telemetry(dump_day: date) -> st.SearchStrategy[Row]:
    """Usage of the dump's day."""
    midnight = datetime(dump_day.year, dump_day.month, dump_day.day)
    return st.fixed_dictionaries(
        {
            "event_id": st.sampled_from(["EV-1", "EV-2", "EV-3", "EV-4", "EV-5"]),
            "event_ts": st.sampled_from([0, 1, 12 * 3600, 86399]).map(
                lambda seconds: midnight + timedelta(seconds=seconds)
            ),
            "customer_id": st.sampled_from(CUSTOMERS),
            "deployment_id": st.sampled_from(DEPLOYMENTS),
            "product_id": st.sampled_from(PRODUCTS),
            "infrastructure": st.sampled_from(INFRASTRUCTURES),
            "quantity": st.sampled_from(QUANTITIES).map(float),
            "unit": st.sampled_from(UNITS),
        }
    )


ROWS: dict[str, Callable[[date], st.SearchStrategy[Row]]] = {
    "invoices": _invoices,
    "entitlements": _entitlements,
    "telemetry": _telemetry,
}
