"""What a case is, and the words its lakes are written in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from consumption_datamart_tests.lakes import Row, day, noon, usage, write_dump

Write = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A small lake and what the spec says of it.

    For each table named, `expect` is the complete set of rows, in no order, in the columns that
    its dicts list; an empty list means an empty table.
    """

    name: str
    write: Write
    expect: dict[str, list[Row]]


def dump(
    table: str, number: int | str, rows: Sequence[Row | str | bytes] = (), **how: object
) -> Write:
    """Write a table's dump of the day with that number (or of that text); see write_dump."""
    dump_day = number if isinstance(number, str) else day(number)

    def write(lake: Path) -> None:
        write_dump(lake, table, dump_day, rows, **how)

    return write


def lake(*dumps: Write) -> Write:
    """Write several dumps."""

    def write(path: Path) -> None:
        for write_one in dumps:
            write_one(path)

    return write


def settings(text: str) -> Write:
    """Write the lake's own lake.toml."""

    def write(path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        (path / "lake.toml").write_text(text)

    return write


def used(number: int, quantity: float, **overrides: object) -> Row:
    """Usage at noon of the day with that number; its event is named after deployment and product.

    So one dump may hold usage of several deployments without naming events.
    """
    row = usage(event_ts=noon(number), quantity=float(quantity), **overrides)
    return {
        **row,
        "event_id": overrides.get("event_id", f"{row['deployment_id']}/{row['product_id']}"),
    }


def line(event_id: str, **texts: str) -> str:
    """A line of telemetry of day 5 in a CSV file, with some texts as they are given."""
    row = {"event_id": event_id, "event_ts": "2026-01-05T12:00:00", **texts}
    return ",".join(str(value) for value in (usage() | row).values())


def days(first: int, last: int) -> list[date]:
    """The days from one number to another, both included."""
    return [day(number) for number in range(first, last + 1)]


def table_of(columns: str, *rows: tuple) -> list[Row]:
    """Rows written as tuples under a line of column names."""
    return [dict(zip(columns.split(), row, strict=True)) for row in rows]


def span(first: int, last: int) -> Write:
    """Make first_day and last_day of a lake without invoices: two header-only dumps."""
    return lake(dump("invoices", first), dump("invoices", last))
