"""How `quarantine` shows what was set aside."""

from collections.abc import Iterable

import pandas as pd
from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen
from consumption_datamart.quarantine import Quarantined

SHOWN = 40
"""Files that are listed; a mart of years has thousands."""


def show(found: Quarantined) -> None:
    """Writes how many rows go back to whom, of which files, and a few of them, to stdout."""
    console, counts = Screen(), found.counts
    if counts.empty:
        console.print("Nothing is in quarantine.")
        return
    console.print(
        _table(
            f"In quarantine: {counts.rows.sum():,} rows",
            ("back to", "table", "reason", "rows"),
            _totals(counts),
        )
    )
    files = counts.head(SHOWN)[["dump_day", "file", "reason", "rows"]]
    console.print(
        _table("Of these files", ("dump day", "file", "reason", "rows"), files.to_numpy().tolist())
    )
    if len(counts) > SHOWN:
        rest = counts[SHOWN:].rows
        console.print(f"… and {rest.sum():,} rows of {len(rest):,} more; --export writes all.\n")
    console.print(
        _table("Such as", ("reason", "file", "row"), found.examples.drop(columns="lake_table"))
    )


def _totals(counts: pd.DataFrame) -> list[list[object]]:
    by = ["owner", "lake_table", "reason"]
    total = counts.groupby(by, as_index=False).rows.sum()
    return list(total.sort_values("rows", ascending=False).to_numpy().tolist())


def _table(title: str, names: Iterable[str], rows: pd.DataFrame | list[list[object]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in names:
        if name == "rows":
            table.add_column(name, justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold")
    for row in rows.to_numpy().tolist() if isinstance(rows, pd.DataFrame) else rows:
        table.add_row(*map(_written, row))
    return table


def _written(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)
