"""What the lake has that was not loaded as it is now."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pandas as pd

from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.listing import Listing
from consumption_datamart.lake.loaded import Loaded, changed_days, kept_days, read_loaded
from consumption_datamart.lake.sources import Source
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import REQUIRED_TABLES, Contract
from consumption_datamart.schema.raw import Declarations, Dumps, raw_of
from consumption_datamart.warehouse import Ledger, Warehouse
from consumption_datamart.warehouse.ledger import Day, Failure
from consumption_datamart.warehouse.pruning import Pruned
from consumption_datamart.warehouse.rows import day_of

GONE = "gone"
"""Version of a dump that is no longer there."""
AS_LOADED = "as loaded"
"""Version of the dumps of a table without days that are again as they were loaded."""
NO_DAY = date.min
"""Stands for the day of what is of no day."""


@dataclass(frozen=True)
class LakeNews:
    """How the lake differs from what was loaded.

    Attributes:
        changed: full name of a table that is made of the lake → day → version of the dump, for each
            dump that is new, restated or gone, or is another than the one that could not be loaded.
        dumped: days that have any dump.
        days: from the first to the last of these; None: the lake has none.
    """

    changed: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    dumped: frozenset[date] = frozenset()
    days: Days | None = None

    def since(self, ledger: Ledger, version: int) -> "LakeNews":
        """What is left of it, once some of it was loaded by publications after a version."""

        def is_left(table: str, day: date) -> bool:
            published = ledger.of(table)
            found = published.get(None, published.get(day))
            return found is None or found.version <= version

        left = {
            table: {day: dump for day, dump in days.items() if is_left(table, day)}
            for table, days in self.changed.items()
        }
        return replace(self, changed=left)


def not_loaded(news: LakeNews, ledger: Ledger) -> list[str]:
    """The dumps that have changed on days whose raw rows were pruned, a line a table."""
    found = []
    for table, closed in sorted(ledger.pruned.items()):
        dumps = news.changed.get(table, {})
        if changed := Days.ranges(day for day in closed if dumps.get(day, GONE) != GONE):
            found.append(
                f"{table}: dumps of {', '.join(map(str, changed))} have changed, and are not loaded"
                " because their rows were pruned; consumption-datamart prune --reopen DAY lets the"
                " next build load one"
            )
    return found


def lake_news(
    warehouse: Warehouse, listing: Listing, contracts: Sequence[type[Contract]], ledger: Ledger
) -> LakeNews:
    """Compares the lake with what was loaded; opens a file only to see whether it says the same.

    Args:
        warehouse: that the lake is loaded into.
        listing: of the lake.
        contracts: of the lake's tables.
        ledger: of the warehouse.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    loaded = read_loaded(warehouse)
    changed: dict[str, dict[date, str]] = {}
    for contract in contracts:
        sources = listing.sources.of(contract)
        versions = dump_versions([file for source in sources for file in listing.of(source)])
        days: set[date] = set()
        for source in sources:
            days |= changed_days(listing, source, loaded.get(source.key, {}))
        for table, name in loaded:
            if table == contract.table_name() and (table, name) not in listing.files:
                days |= {day for day, _ in loaded[table, name]}
        raw = raw_of(contract).full_name()
        news = {day: versions.get(day, GONE) for day in days}
        changed[raw] = _replaced(ledger.failed.get(raw, {}), versions, news) | news
    dumps = listed_dumps(listing, loaded, ledger)
    changed[Dumps.full_name()] = _unlisted(
        warehouse, list(dumps.itertuples(index=False, name=None))
    )
    changed[Declarations.full_name()] = _undeclared(warehouse, listing.sources.declarations())
    required = dumps[dumps.lake_table.isin(REQUIRED_TABLES)]
    dumped = frozenset(required.dump_day)
    whole = Days(min(dumped), max(dumped)) if dumped else None
    return LakeNews(changed, dumped, whole)


def _replaced(
    failed: Mapping[Day, Failure], versions: Mapping[date, str], news: Mapping[date, str]
) -> dict[date, str]:
    """The dumps that are there instead of those that could not be loaded.

    One that was put back as it had been loaded is nothing new, but its failure is to be over.
    """
    now = {day: versions.get(day, GONE) for day in failed if day is not None}
    found = {day: v for day, v in now.items() if failed[day].dump_version not in ("", v)}
    whole = failed.get(None)
    if whole is not None and not news and whole.dump_version not in ("", AS_LOADED):
        found[NO_DAY] = AS_LOADED
    return found


def listed_dumps(
    listing: Listing, loaded: Mapping[tuple[str, str], Loaded], ledger: Ledger
) -> pd.DataFrame:
    """The dumps as `lake.dumps` has them: also those that are gone, but kept as they were loaded.

    Args:
        listing: of the lake.
        loaded: what was loaded, by table and source.
        ledger: of the warehouse.
    """
    kept = [
        (*source.key, day, 0, 0)
        for source in listing.sources.all
        for day in sorted(_kept(listing, source, loaded.get(source.key, {}), ledger.pruned))
    ]
    found = listing.dumps()
    return pd.concat([found, pd.DataFrame(kept, columns=found.columns)]) if kept else found


def _kept(listing: Listing, source: Source, loaded: Loaded, pruned: Pruned) -> set[date]:
    there, closed = {file.day for file in listing.of(source)}, pruned.get(_raw(source), ())
    gone = {day for day, _ in loaded if day in closed and day not in there}
    return gone | kept_days(listing, source, loaded, pruned)


def _raw(source: Source) -> str:
    return raw_of(source.contract).full_name()


def _unlisted(warehouse: Warehouse, listed: Collection[Any]) -> dict[date, str]:
    """The days on which the lake has other dumps than `lake.dumps` says."""
    stored = warehouse.find(Dumps)
    known = set() if stored is None else set(stored.itertuples(index=False, name=None))
    differing: dict[date, list[str]] = defaultdict(list)
    for each in set(listed) ^ {
        (table, source, day_of(day), int(files), int(size))
        for table, source, day, files, size in known
    }:
        differing[each[2]].append(str(each))
    return {day: _hash(*sorted(found)) for day, found in differing.items()}


def _undeclared(warehouse: Warehouse, declared: pd.DataFrame) -> dict[date, str]:
    """A version of what the sources file declares, where the warehouse has something else."""
    stored, said = warehouse.find(Declarations), set(declared.itertuples(index=False, name=None))
    if stored is not None and set(stored.itertuples(index=False, name=None)) == said:
        return {}
    return {NO_DAY: _hash(*map(str, sorted(said)))}


def dump_versions(files: Sequence[DumpFile]) -> dict[date, str]:
    """A version of each day's dump that changes whenever the store says that a file has changed."""
    parts: dict[date, list[str]] = defaultdict(list)
    for file in files:
        parts[file.day].append(f"{file.source} {file.name} {file.stamp}")
    return {day: _hash(*sorted(found)) for day, found in parts.items()}


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
