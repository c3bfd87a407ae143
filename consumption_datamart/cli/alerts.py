"""How `alerts` writes the alerts that are open, and the history of all."""

from collections.abc import Collection

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from consumption_datamart.alerts.machine import Alert

STYLES = {"alarm": "bold red", "warning": "yellow", "recovered": "green", "ok": "green"}


def write_open(alerts: Collection[Alert]) -> None:
    """Writes the open alerts to stdout, the worst and latest first."""
    found = [alert for alert in alerts if alert.is_open]
    if not found:
        Console().print("No alert is open.")
        return
    found.sort(key=lambda alert: (alert.state != "alarm", -alert.since.timestamp()))
    table = _table("Open alerts", ["state", "since (UTC)"], ["what"])
    for alert in found:
        since = f"{alert.since:%Y-%m-%d %H:%M}"
        what = f"{alert.signal} {alert.subject}: {alert.summary}"
        table.add_row(alert.state.value, since, what, style=STYLES[alert.state.value])
    Console().print(table)


def write_history(history: pd.DataFrame) -> None:
    """Writes every transition to stdout, in the order of the rows."""
    if history.empty:
        Console().print("No line was ever crossed.")
        return
    table = _table("Alerts", ["at (UTC)", "state"], ["what", "not told yet"])
    for row in history.itertuples():
        table.add_row(
            f"{row.crossed_at:%Y-%m-%d %H:%M}",
            f"{row.state_before} → {row.state}",
            f"{row.signal} {row.subject}: {row.summary}",
            row.undelivered.replace(",", ", "),
            style=STYLES[row.state],
        )
    Console().print(table)


def _table(title: str, short: list[str], long: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in short + long:
        table.add_column(name, no_wrap=name in short)
    return table
