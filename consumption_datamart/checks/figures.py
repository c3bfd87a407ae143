"""Whether tables hold as much as usual, and take as long: by the figures of their publications."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import NamedTuple, Protocol

import ibis
import pandas as pd

from consumption_datamart.checks.deliveries import ENOUGH_ROWS
from consumption_datamart.checks.usual import BACK, amount, between, usual
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.warehouse import Warehouse

ROWS, SECONDS = "usual_rows", "usual_seconds"
MEANINGS = {
    ROWS: "The last day has as many rows as are usual on that weekday, or at a month's end: how far"
    " it is from that, as a share.",
    SECONDS: "It was made in the time that is usual on that weekday, or at a month's end: how many"
    " times as long it took.",
}
"""Names of the two checks, and what they require."""
NOTABLE_SECONDS = 5.0
"""By so much longer a table has to take for anybody to care."""


class Tolerance(Protocol):
    """What settings say of what is still usual."""

    @property
    def volume_tolerance(self) -> float:
        """How far rows may be from what is usual, as a share."""

    @property
    def run_time_factor(self) -> float:
        """How many times the usual time a table may take."""


class Found(NamedTuple):
    """What one of the two checks says of a table.

    Attributes:
        table: its full name.
        name: of the check.
        measured: see `MEANINGS`; None: too little is known.
        limit: the most that may be.
        told: what is unusual, in a sentence; empty where nothing is.
    """

    table: str
    name: str
    measured: float | None
    limit: float
    told: str

    @property
    def passed(self) -> bool:
        """Whether nothing is unusual."""
        return not self.told


def has_rows(table: str) -> bool:
    """Whether rows of a table are compared: of what was loaded the check `volume` does that."""
    return not table.startswith("lake.")


def has_seconds(table: str) -> bool:
    """Whether its time is compared: of the tables of a load that of the raw one stands for all."""
    return not table.startswith(("lake.files_", "lake.quarantine_", "monitoring."))


def compared(
    warehouse: Warehouse, limits: Tolerance, now: datetime | None = None
) -> list[Found] | None:
    """What the two checks say of each table, of its last day and its last publication.

    Args:
        warehouse: as readers see it.
        limits: what is still usual.
        now: in UTC; by default the clock's.

    Returns:
        None, where nothing was ever published.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    since = (now or datetime.now(UTC)).replace(tzinfo=None) - timedelta(days=BACK)
    figures = warehouse.table(Figure)
    recent = figures.filter(
        figures.figure.isin(["rows", "seconds"]),
        figures.published_at >= ibis.literal(since),
        # a first build publishes years of days at once
        figures.built_day.isnull() | (figures.built_day >= ibis.literal(since.date())),
    )
    # summed up here: so simple a query takes less time to write than any other
    columns = ["built_table", "figure", "published_at", "built_day", "number"]
    rows = warehouse.find(Figure, recent.select(columns))
    if rows is None:
        return None
    of_rows: dict[str, dict[date, float]] = defaultdict(dict)
    runs: dict[str, dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
    rows = rows.sort_values("published_at", kind="stable")
    moments = pd.DatetimeIndex(pd.to_datetime(rows.published_at)).to_pydatetime()
    days = pd.DatetimeIndex(pd.to_datetime(rows.built_day)).to_pydatetime()
    names, figures_, numbers = rows.built_table, rows.figure, rows.number
    for table, figure, at, day, number in zip(names, figures_, moments, days, numbers, strict=True):
        if figure == "seconds":
            runs[table][at].append(number)
        else:  # the last publication of a day counts
            of_rows[table][(at if pd.isna(day) else day).date()] = float(number)
    found = [
        _rows(name, of_rows[name], limits.volume_tolerance) for name in of_rows if has_rows(name)
    ]
    return found + [
        _seconds(name, runs[name], limits.run_time_factor) for name in runs if has_seconds(name)
    ]


def _rows(table: str, series: Mapping[date, float], tolerance: float) -> Found:
    day = max(series)
    before, number = usual(series, day), series[day]
    if before is None or before.high < ENOUGH_ROWS:
        return Found(table, ROWS, None, tolerance, "")
    share, told = before.share(number), ""
    if share > tolerance:
        told = f"{amount(number)} rows on {day}, where {between(before, 'rows')}"
    return Found(table, ROWS, share, tolerance, told)


def _seconds(table: str, runs: Mapping[datetime, Sequence[float]], factor: float) -> Found:
    """Of the last publication, whose seconds are in shares of its days, and those of as many."""
    at = max(runs)
    number, by_date = sum(runs[at]), defaultdict(list)
    for when, shares in runs.items():
        # of about as many days
        if len(shares).bit_length() == len(runs[at]).bit_length():
            by_date[when.date()].append(sum(shares))
    before = usual({day: median(times) for day, times in by_date.items()}, at.date())
    if before is None:
        return Found(table, SECONDS, None, factor, "")
    times, told = number / before.high if before.high else 1.0, ""
    if times > factor and before.distance(number) > NOTABLE_SECONDS:
        told = (
            f"it took {amount(number)} seconds at {at:%Y-%m-%d %H:%M} UTC, where"
            f" {between(before, 'seconds')}"
        )
    return Found(table, SECONDS, times, factor, told)
