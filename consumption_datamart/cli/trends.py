"""How `trends` shows figures over time."""

from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen
from consumption_datamart.report.amounts import number
from consumption_datamart.trends import CHARTS, series_of

BLOCKS, SIGNS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
"""From nothing to the greatest; the other where the screen has no such signs."""
POINTS, FEW_POINTS = 30, 12
"""Points of a line, on a wide and on a narrow screen."""


def show(found: pd.DataFrame) -> None:
    """Writes each chart to stdout as a table: a line a series, with its last points as blocks.

    Args:
        found: as `trends.figures` gives them. Series of nothing are left out.
    """
    screen = Screen()
    blocks = SIGNS if screen.options.ascii_only else BLOCKS
    points = POINTS if screen.width >= 100 else FEW_POINTS
    for name, chart in CHARTS.items():
        table = Table(title=chart.title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
        table.add_column("series", overflow="fold")
        table.add_column(f"last {points}", no_wrap=True)
        for head in ("most", "last"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("on", no_wrap=True)
        for each in series_of(found, name):
            line = sparkline(each.numbers[-points:], blocks)
            last, at = number(each.numbers[-1]), f"{each.at:%Y-%m-%d}"
            table.add_row(each.name, line, number(each.most), last, at)
        if not table.rows:
            table.add_row("none", "", "", "", "")
        screen.print(table)
        screen.print(f"In {chart.unit}; on: {chart.when}.\n", style="dim")


def sparkline(numbers: Sequence[float], blocks: str = BLOCKS) -> str:
    """`▁▂█▅`: a block each, from 0 to the greatest. The lowest is 0, and nothing else is."""
    most, steps = max(numbers, default=0.0), len(blocks) - 2
    return "".join(blocks[1 + int(each / most * steps) if each > 0 else 0] for each in numbers)
