"""Rows for people or for programs: as a table, as JSON, or as CSV."""

import csv
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich import box
from rich.table import Table

from consumption_datamart.cli.options import RowsFormat
from consumption_datamart.cli.screen import Screen

NOTHING = "–"


def write_rows(
    rows: Sequence[Mapping[str, Any]],
    how: RowsFormat,
    title: str,
    *,
    columns: Sequence[str],
    long: Collection[str] = (),
    styles: Mapping[str, str] = {},
) -> None:
    """Writes rows to stdout.

    Args:
        rows: each with the same names; programs get all of them.
        how: the format.
        title: of the table.
        columns: names that a table shows, in order.
        long: those of them whose text may be broken.
        styles: of the rows of a table, by the value of any of their columns.
    """
    if how is RowsFormat.json:
        write_json(list(rows))
    elif how is RowsFormat.csv:
        names = list(rows[0]) if rows else list(columns)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_plain(row[name]) for name in names] for row in rows)
    else:
        table = plain_table(title)
        for name in columns:
            is_figure = any(isinstance(row[name], int | float) for row in rows)
            table.add_column(
                name.replace("_", " "),
                justify="right" if is_figure else "left",
                no_wrap=name not in long,
                overflow="fold",
            )
        for row in rows:
            style = next(
                (styles[v] for v in row.values() if isinstance(v, str) and v in styles), None
            )
            table.add_row(*(_shown(row[name]) for name in columns), style=style)
        Screen().print(table)


def write_json(found: Any) -> None:
    """Writes it to stdout as JSON; moments in UTC."""
    print(json.dumps(found, indent=2, ensure_ascii=False, default=_value))


def plain_table(title: str) -> Table:
    """A table as all commands have it."""
    return Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))


def moment(at: datetime | None) -> str:
    """`2026-09-30 06:05`."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M}"


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return value.isoformat() if isinstance(value, date) else value


def _shown(value: Any) -> str:
    if value is None or value in ((), [], ""):
        return NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _value(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON")
