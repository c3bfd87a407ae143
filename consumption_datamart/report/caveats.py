"""What a reader must know of a report: what could not be refreshed, and what has not come in."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import ibis
import pandas as pd

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.alerts import Alert
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Ledger, Warehouse, open_warehouse, read_ledger

PATIENCE = 1.0
"""Seconds to wait for who writes to the warehouse: a report does not wait for a build."""
UNFINISHED = timedelta(hours=1)
"""How long what was built may wait for the rest before readers are told of it."""
WINDOW = timedelta(days=30 - 1)
"""What a report sums up ends on its day, and begins so long before."""
RANGES = 3
"""Ranges of days that a line names; it counts the others."""
RAW = "lake.raw_"


def caveats(settings: Settings, day: date, now: datetime | None = None) -> list[str]:
    """What is wrong with a report, a line each; nothing where all is well.

    Args:
        settings: where the warehouse is, and when a dump is late.
        day: that is reported.
        now: in UTC, without a time zone; by default the clock's.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    now = now or datetime.now(UTC).replace(tzinfo=None)
    warehouse = open_warehouse(settings.warehouse, settings.memory_limit)
    lines = [*_failed_builds(warehouse)]
    try:
        # what has failed is not released
        source = warehouse.waiting_at_most(PATIENCE)
        ledger, dumps = read_ledger(source), _dumps(source)
        lines += [*_failed_tables(ledger), *_unfinished(source, now)]
    except WarehouseError:
        source = warehouse.released()
        ledger, dumps = read_ledger(source), _dumps(source)
        lines.append(
            "What could not be refreshed is not known now: another process is writing to the"
            " warehouse, or its file cannot be read."
        )
    found: dict[str, set[date]] = {
        name.removeprefix(RAW): set() for name in ledger.published if name.startswith(RAW)
    }
    for row in () if dumps is None else dumps.itertuples():
        source = getattr(
            row, "source", row.lake_table
        )  # a warehouse of an earlier version has none
        name = row.lake_table if source == row.lake_table else f"{row.lake_table} '{source}'"
        if row.files:  # of what is kept though its dump is gone there is none
            found.setdefault(name, set()).add(pd.Timestamp(row.dump_day).date())
    for name in [name for name in found if not found[name]]:
        if any(other.startswith(f"{name} '") for other in found):
            del found[name]
    if any(found.values()):
        lines += _late(found, settings, now.date())
        lines += _missing(found, ledger, day)
    return lines


def _dumps(warehouse: Warehouse) -> pd.DataFrame | None:
    """The dumps, by the columns that a warehouse of an earlier version has, too."""
    if not warehouse.exists(Dumps):
        return None
    with warehouse.reader() as backend:
        lacking = warehouse.difference(backend, Dumps).added
    there = [name for name in Dumps.ibis_schema() if name not in lacking]
    return warehouse.find(Dumps, warehouse.table(Dumps).select(there))


def _failed_builds(warehouse: Warehouse) -> Iterator[str]:
    book = warehouse.operations()
    rows = book.table(Alert)
    found = book.find(Alert, rows.filter(rows.signal == "build", rows.level > 0))
    for row in () if found is None else found.itertuples():
        yield f"Builds fail since {row.since:%Y-%m-%d %H:%M} UTC, first so: {row.summary}"


def _failed_tables(ledger: Ledger) -> Iterator[str]:
    for table, days in sorted(ledger.failed.items()):
        ranges = _ranges(day for day in days if day)
        yield f"{table}{ranges and ' '}{ranges} could not be refreshed: it is as it was before."


def _unfinished(warehouse: Warehouse, now: datetime) -> Iterator[str]:
    seen, rows = warehouse.released().as_of(), warehouse.table(Figure)
    if seen is None:
        return
    later = rows.filter(rows.published_at > ibis.literal(seen))
    found = warehouse.find(Figure, later.aggregate(first=later.published_at.min()))
    if found is None or pd.isna(found["first"][0]):
        return
    if now - found["first"][0] > UNFINISHED:
        yield (
            f"What was built since {found['first'][0]:%Y-%m-%d %H:%M} UTC is not shown: the build"
            " was broken off, is under way, or something in it has failed."
        )


def _late(found: dict[str, set[date]], settings: Settings, today: date) -> Iterator[str]:
    """By the rule of the check `late_<table>`, see `checks.deliveries.lateness`."""
    newest = max(day for days in found.values() for day in days)
    is_archive = not 0 <= (today - newest).days <= settings.archived_after_days
    until, of = (newest, "before that of others") if is_archive else (today, "ago")
    for table, days in sorted(found.items()):
        if not days:
            yield f"{table}: the lake has no dump of it."
        elif (behind := (until - max(days)).days) > _allowed(table, settings):
            yield f"{table} is late: its last dump is of {max(days)}, {behind} days {of}."


def _allowed(name: str, settings: Settings) -> int:
    is_daily = name.split(" ", maxsplit=1)[0] == Telemetry.table_name()
    return settings.late_after_days if is_daily else settings.posted_late_after_days


def _missing(found: dict[str, set[date]], ledger: Ledger, day: date) -> Iterator[str]:
    """Of tables with a dump for each day: those without, between the first and the last."""
    for table, days in sorted(found.items()):
        if days and any(ledger.of(f"{RAW}{table.split(' ')[0]}")):
            asked = Days(max(min(days), day - WINDOW), min(max(days), day))
            if ranges := _ranges(each for each in asked.each() if each not in days):
                yield f"{table} has no dump of {ranges}: the report is without it."


def _ranges(days: Iterable[date]) -> str:
    ranges = Days.ranges(days)
    more = f" and {len(ranges) - RANGES} more" if ranges[RANGES:] else ""
    return ", ".join(map(str, ranges[:RANGES])) + more
