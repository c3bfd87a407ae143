"""Whether tables hold as much as usual, and take as long: by the figures of their publications."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
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


class Limits(NamedTuple):
    """What is still usual; the settings have the same.

    Attributes:
        rows: how far they may be from what is usual, as a share.
        run_time: how many times the usual time a table may take.
    """

    rows: float = 0.5
    run_time: float = 3.0


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
    warehouse: Warehouse, limits: Limits, now: datetime | None = None
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
        figures.figure.isin(["rows", "seconds"]), figures.published_at >= ibis.literal(since)
    )
    rows = warehouse.find(Figure, _summed(recent))
    if rows is None:
        return None
    of_rows: dict[str, dict[date, float]] = defaultdict(dict)
    runs: dict[str, list[tuple[datetime, float, int]]] = defaultdict(list)
    for row in rows.itertuples(index=False):
        if row.figure == "seconds":
            at: datetime = pd.Timestamp(row.published_at).to_pydatetime()
            runs[row.built_table].append((at, row.number, int(row.days)))
        elif has_rows(row.built_table):
            of_rows[row.built_table][pd.Timestamp(row.day).date()] = row.number
    found = [_rows(table, series, limits.rows) for table, series in of_rows.items()]
    timed = {table: each for table, each in runs.items() if has_seconds(table)}
    return found + [_seconds(table, each, limits.run_time) for table, each in timed.items()]


def _summed(recent: ir.Table) -> ir.Table:
    """The last rows of each day of a table, and the seconds of each publication; earliest first."""
    rows = recent.filter(recent.figure == "rows")
    day = rows.built_day.fill_null(rows.published_at.date())
    rows = rows.mutate(day=day)
    newest = rows.published_at.max().over(group_by=[rows.built_table, rows.day])
    latest = rows.mutate(newest=newest).filter(lambda t: t.published_at == t.newest)
    seconds = recent.filter(recent.figure == "seconds")
    times = seconds.group_by("built_table", "figure", "published_at").aggregate(
        number=seconds.number.sum(), days=seconds.built_day.nunique()
    )
    same = ("built_table", "figure", "published_at", "day", "number", "days")
    none = {"day": ibis.null("date")}
    both = ibis.union(
        latest.mutate(days=ibis.literal(0, "int64")).select(*same),
        times.mutate(days=times.days.cast("int64"), **none).select(*same),
    )
    return both.order_by("published_at")


def _rows(table: str, series: Mapping[date, float], tolerance: float) -> Found:
    day = max(series)
    before, number = usual(series, day), series[day]
    if before is None or before.high < ENOUGH_ROWS:
        return Found(table, ROWS, None, tolerance, "")
    share, told = before.share(number), ""
    if share > tolerance:
        told = f"{amount(number)} rows on {day}, where {between(before, 'rows')}"
    return Found(table, ROWS, share, tolerance, told)


def _seconds(table: str, runs: list[tuple[datetime, float, int]], factor: float) -> Found:
    """Of the last publication; those are like it that were of about as many days."""
    at, number, days = runs[-1]
    series = dict(_by_date((when, n) for when, n, of in runs if _alike(of, days)))
    before = usual(series, at.date())
    if before is None:
        return Found(table, SECONDS, None, factor, "")
    times, told = number / before.high if before.high else 1.0, ""
    if times > factor and before.distance(number) > NOTABLE_SECONDS:
        told = (
            f"it took {amount(number)} seconds at {at:%Y-%m-%d %H:%M} UTC, where"
            f" {between(before, 'seconds')}"
        )
    return Found(table, SECONDS, times, factor, told)


def _alike(days: int, others: int) -> bool:
    return days.bit_length() == others.bit_length()


def _by_date(runs: Iterator[tuple[datetime, float]]) -> Iterator[tuple[date, float]]:
    by_date: dict[date, list[float]] = defaultdict(list)
    for at, number in runs:
        by_date[at.date()].append(number)
    yield from ((day, median(numbers)) for day, numbers in by_date.items())
