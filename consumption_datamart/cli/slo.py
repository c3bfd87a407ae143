"""How `slo` shows the objectives."""

import pandas as pd
from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen


def show(found: pd.DataFrame) -> None:
    """Writes a line for each objective to stdout: red where it is missed, yellow where it burns.

    `good` is of the days that were measured, `left` what is left of the days that may be bad, and
    `burns` how fast it goes: at 1 it lasts for just the period.
    """
    table = Table(
        title="Objectives, over 28 days", title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0)
    )
    table.add_column("kind", no_wrap=True)
    for name in ("target", "good", "left", "burns"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("table", overflow="fold")
    for row in found.itertuples():
        is_measured = row.days_measured > 0
        table.add_row(
            row.kind,
            f"{row.target:.0%}",
            f"{row.days_good}/{row.days_measured}",
            f"{row.budget_left:.0%}" if is_measured else "–",
            f"{row.burn_rate:.1f}" if is_measured else "–",
            row.objective_table.split(".")[-1],
            style="red" if row.budget_left < 0 else "yellow" if row.burn_rate > 1 else None,
        )
    Screen().print(table)
