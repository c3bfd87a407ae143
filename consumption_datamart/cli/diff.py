"""How `diff` and `build --preview` are written."""

import json
from collections import Counter
from dataclasses import asdict

from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen
from consumption_datamart.comparison import Comparison, TableDifference

SHOWN = 20
"""Customers that are named, where there are more."""
CELLS = 4
"""Columns that are named of a table."""


def write(comparison: Comparison, format: str) -> None:
    """Writes a comparison to stdout.

    Args:
        comparison: of two warehouses, or of one before and after a build.
        format: `table` or `json`.
    """
    console = Screen()
    if format == "json":
        print(json.dumps(asdict(comparison), indent=2))
        return
    if not comparison:
        console.print("They are the same.")
        return
    console.print(_tables(comparison))
    for what, title in (("band", "In another band on the last day"), ("status", "Commitments")):
        found = [move for move in comparison.moves if move.what == what]
        if found:
            ways = Counter(f"{move.before} → {move.after}" for move in found)
            told = ", ".join(f"{count} {way}" for way, count in ways.most_common())
            console.print(f"{title}: {told}", highlight=False, soft_wrap=True)
            for move in found[:SHOWN]:
                line = f"  {move.customer}, {move.product}: {move.before} → {move.after}"
                console.print(line, highlight=False, soft_wrap=True)
            if len(found) > SHOWN:
                console.print(f"  and {len(found) - SHOWN} more: --format json shows all")
    console.print("Money, in the reporting currency:")
    for money in comparison.money:
        change = money.after - money.before
        line = f"  {money.what}: {money.before:,.0f} → {money.after:,.0f} ({change:+,.0f})"
        console.print(line, highlight=False)


def _tables(comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("table", no_wrap=True)
    for name in ("added", "removed", "changed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("in columns", overflow="fold")
    for each in comparison.tables:
        counts = (f"{n:,}" if n else "" for n in (each.added, each.removed, each.changed))
        table.add_row(each.table.removeprefix("mart."), *counts, _columns(each))
    return table


def _columns(difference: TableDifference) -> str:
    if difference.is_in != "both":
        return f"only the {difference.is_in} has it"
    most = sorted(difference.cells.items(), key=lambda cell: -cell[1])
    named = [f"{name} {count:,}" for name, count in most[:CELLS]]
    more = [f"and {len(most) - CELLS} more"] if len(most) > CELLS else []
    return ", ".join([*difference.columns, *named, *more])
