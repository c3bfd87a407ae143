"""How `alerts` writes the alerts that are open, and the history of all."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from rich import box
from rich.table import Table

from consumption_datamart.alerts.machine import Alert
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.cli.screen import Screen
from consumption_datamart.errors import WarehouseError
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, warehouse_of

STYLES = {"alarm": "bold red", "warning": "yellow", "recovered": "green", "ok": "green"}
LONG = timedelta(days=1)
"""How long ago alerts may have been evaluated, where nothing was built since."""
WHAT_TO_DO = "run consumption-datamart build, or Dagster's daemon"


@dataclass(frozen=True)
class Evaluated:
    """Since when it is known which alerts are open.

    Attributes:
        url: of the warehouse.
        is_there: whether it is built.
        at: when alerts were last evaluated, in UTC; None: never.
        built_at: as of when the mart is, in UTC; None: it does not say.
    """

    url: str
    is_there: bool
    at: datetime | None
    built_at: datetime | None

    @classmethod
    def of(cls, warehouse: Warehouse) -> "Evaluated":
        """Reads it from a warehouse as readers see it.

        Raises:
            WarehouseError: the warehouse cannot be opened.
        """
        at = AlertStore(warehouse).evaluated_at()
        return cls(warehouse.url, warehouse.is_there(), at, warehouse.as_of())

    def told(self, what: str) -> list[str]:
        """Lines that say it as of then, and that it is out of date where it is.

        Raises:
            WarehouseError: alerts were never evaluated, so that nobody can say it.
        """
        if self.at is None and not self.is_there:
            raise WarehouseError(
                f"warehouse {self.url}: the mart is not built; run consumption-datamart build"
            )
        if self.at is None:
            raise WarehouseError(f"warehouse {self.url}: alerts were never evaluated; {WHAT_TO_DO}")
        lines = [f"{what}as of {self.at:%Y-%m-%d %H:%M} UTC."]
        since = ""
        if self.built_at is not None and self.built_at > self.at:
            since = f", though the mart was built at {self.built_at:%Y-%m-%d %H:%M} UTC"
        if since or datetime.now(UTC).replace(tzinfo=None) - self.at > LONG:
            lines.append(f"Alerts have not been evaluated since{since}: {WHAT_TO_DO}.")
        return lines


def show(settings: Settings, *, is_history: bool) -> None:
    """Writes the alerts to stdout that are open, or the history of all.

    Raises:
        WarehouseError: the warehouse cannot be opened, or alerts were never evaluated.
    """
    released = warehouse_of(settings).released()
    book, evaluated = AlertStore(released), Evaluated.of(released)
    if is_history:
        write_history(book.history(), evaluated)
    else:
        write_open(book.alerts().values(), evaluated)


def write_open(alerts: Collection[Alert], evaluated: Evaluated) -> None:
    """Writes the open alerts to stdout, the worst and latest first, and as of when they are.

    Raises:
        WarehouseError: none is open, as they were never evaluated.
    """
    found = [alert for alert in alerts if alert.is_open]
    if not found:
        _lines(evaluated.told("No alert is open, "))
        return
    found.sort(key=lambda alert: (alert.state != "alarm", -alert.since.timestamp()))
    table = _table("Open alerts", ["state", "since (UTC)"], ["what"])
    for alert in found:
        since = f"{alert.since:%Y-%m-%d %H:%M}"
        what = f"{alert.signal} {alert.subject}: {alert.summary}"
        table.add_row(alert.state.value, since, what, style=STYLES[alert.state.value])
    Screen().print(table)
    _as_of(evaluated)


def write_history(history: pd.DataFrame, evaluated: Evaluated) -> None:
    """Writes every transition to stdout, in the order of the rows, and as of when that is.

    Raises:
        WarehouseError: there is none, as they were never evaluated.
    """
    if history.empty:
        _lines(evaluated.told("No line was ever crossed, "))
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
    Screen().print(table)
    _as_of(evaluated)


def _as_of(evaluated: Evaluated) -> None:
    if evaluated.at is not None:  # an earlier version did not write that down
        _lines([line[0].upper() + line[1:] for line in evaluated.told("")])


def _lines(lines: Collection[str]) -> None:
    for line in lines:
        Screen().print(line, highlight=False, soft_wrap=True)


def _table(title: str, short: list[str], long: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in short + long:
        table.add_column(name, no_wrap=name in short)
    return table
