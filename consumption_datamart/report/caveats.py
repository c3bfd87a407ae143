"""What a reader must know of a report: what could not be refreshed, and what has not come in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import ibis
import pandas as pd

from consumption_datamart.errors import WarehouseError
from consumption_datamart.lateness import Lateness, all_lateness, name_of
from consumption_datamart.schema.alerts import Alert
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import REQUIRED_TABLES
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Ledger, Warehouse, read_ledger, warehouse_of

PATIENCE = 1.0
"""Seconds to wait for who writes to the warehouse: a report does not wait for a build."""
UNFINISHED = timedelta(hours=1)
"""How long what was built may wait for the rest before readers are told of it."""
WINDOW = timedelta(days=30 - 1)
"""What a report sums up ends on its day, and begins so long before."""
RANGES = 3
"""Ranges of days that a line names; it counts the others."""
RAW = "lake.raw_"
Delivered = dict[tuple[str, str], set[date]]
"""By lake table and source: the days that have a dump."""


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
    warehouse = warehouse_of(settings)
    lines = [*_failed_builds(warehouse), *_held_back(warehouse)]
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
    found: Delivered = defaultdict(set)
    for row in () if dumps is None else dumps.itertuples():
        if (
            row.files and row.lake_table in REQUIRED_TABLES
        ):  # of what is kept though its dump is gone there is none
            # a warehouse of an earlier version has no sources
            key = row.lake_table, getattr(row, "source", row.lake_table)
            found[key].add(pd.Timestamp(row.dump_day).date())
    raw = [name.removeprefix(RAW) for name in ledger.published if name.startswith(RAW)]
    for table in set(raw) & set(REQUIRED_TABLES) - {table for table, _ in found}:
        found[table, table] = set()
    if any(found.values()):
        lines += _late(all_lateness(source, settings, now.date()))
        lines += _missing(found, ledger, day)
    return lines


def _dumps(warehouse: Warehouse) -> pd.DataFrame | None:
    """The dumps, by the columns that a warehouse of an earlier version has, too."""
    if not warehouse.exists(Dumps):
        return None
    with warehouse.reader() as backend:
        there = warehouse.columns_there(backend, Dumps)
    return warehouse.find(Dumps, warehouse.table(Dumps).select(there))


def _failed_builds(warehouse: Warehouse) -> Iterator[str]:
    book = warehouse.operations()
    rows = book.table(Alert)
    found = book.find(Alert, rows.filter(rows.signal == "build", rows.level > 0))
    for row in () if found is None else found.itertuples():
        yield f"Builds fail since {row.since:%Y-%m-%d %H:%M} UTC, first so: {row.summary}"


def _held_back(warehouse: Warehouse) -> Iterator[str]:
    with suppress(WarehouseError):  # the engine has no releases
        if warehouse.releases.are_held:
            yield (
                "Readers were taken back to an earlier release; newer ones are held back until"
                " consumption-datamart rollback --undo."
            )


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


def _late(found: Sequence[Lateness]) -> Iterator[str]:
    """By the rule of the check `late_<table>`."""
    for each in found:
        of = "before that of others" if each.is_archive else "ago"
        if each.last is None:
            yield f"{each.name}: the lake has no dump of it."
        elif each.days > each.allowed:
            yield f"{each.name} is late: its last dump is of {each.last}, {each.days} days {of}."


def _missing(found: Delivered, ledger: Ledger, day: date) -> Iterator[str]:
    """Of tables with a dump for each day: those without, between the first and the last."""
    for (table, source), days in sorted(found.items()):
        if days and any(ledger.of(f"{RAW}{table}")):
            asked = Days(max(min(days), day - WINDOW), min(max(days), day))
            if ranges := _ranges(each for each in asked.each() if each not in days):
                yield f"{name_of(table, source)} has no dump of {ranges}: the report is without it."


def _ranges(days: Iterable[date]) -> str:
    ranges = Days.ranges(days)
    more = f" and {len(ranges) - RANGES} more" if ranges[RANGES:] else ""
    return ", ".join(map(str, ranges[:RANGES])) + more
