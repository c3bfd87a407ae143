"""What was loaded of which files: so that what has not changed need not be loaded again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.listing import Listing
from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.versions import Contents, contents
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.monitoring import LoadedFile
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.warehouse import Transaction, Warehouse, rows_of
from consumption_datamart.warehouse.pruning import Pruned
from consumption_datamart.warehouse.rows import day_of


def write_down(
    transaction: Transaction,
    source: Source,
    found: Sequence[tuple[DumpFile, str]],
    days: Days | None,
    siblings: Sequence[str] = (),
) -> None:
    """Keeps which files were loaded, and what they held; forgets what was loaded before of them.

    Args:
        transaction: in which they are loaded.
        source: that they are loaded from.
        found: the files, and the hash of what each held before it was loaded: a file that changes
            meanwhile is then taken for changed.
        days: that were loaded; None: all.
        siblings: the other sources of the table; what is known of any further one is struck out.
    """
    transaction.upgrade(LoadedFile)
    known = transaction.slice(LoadedFile)
    before = known.lake_table == ibis.literal(source.table)
    if siblings:
        before &= ~known.source.isin(siblings)
    if days is not None:
        before &= known.dump_day.between(*days)
    transaction.delete(LoadedFile, before)
    rows = [(*source.key, file.day, file.name, file.stamp, content) for file, content in found]
    transaction.append(LoadedFile, rows)


class LoadedAs(NamedTuple):
    """A file as it was loaded.

    Attributes:
        stamp: that the store gave it.
        content: hash of what it held.
    """

    stamp: str
    content: str


Loaded = Mapping[tuple[date, str], LoadedAs]
"""By the day that it was loaded for, and the file's name."""


def loaded_files(transaction: Transaction, source: Source) -> Loaded:
    """What was loaded of a source."""
    transaction.upgrade(LoadedFile)
    rows = transaction.slice(LoadedFile)
    found = transaction.rows(rows.filter(_is_of(rows, source)).select(_COLUMNS))
    return {(day_of(day), file): LoadedAs(stamp, content) for file, day, stamp, content in found}


def read_loaded(warehouse: Warehouse) -> dict[tuple[str, str], Loaded]:
    """What was loaded of all sources, by table and name of the source."""
    found: dict[tuple[str, str], dict[tuple[date, str], LoadedAs]] = defaultdict(dict)
    if not warehouse.exists(LoadedFile):
        return {}
    with warehouse.reader() as backend:
        rows = rows_of(backend, warehouse.table(LoadedFile))
    for table, source, day, file, stamp, content in rows:
        found[table, source][day_of(day), file] = LoadedAs(stamp, content)
    return dict(found)


def forget_files(
    transaction: Transaction,
    contracts: Sequence[type[Contract]],
    pruned: Pruned,
    days: Days | None = None,
) -> None:
    """Makes the next load of some lake tables load all dumps anew, or those of some days.

    Args:
        transaction: in which it is written down.
        contracts: of the tables.
        pruned: days that are left out.
        days: of the dumps.
    """
    transaction.upgrade(LoadedFile)
    for contract in contracts:
        rows = transaction.slice(LoadedFile)
        wanted = rows.lake_table == ibis.literal(contract.table_name())
        if closed := sorted(pruned.get(raw_of(contract).full_name(), ())):
            wanted &= ~rows.dump_day.isin(closed)
        if days is not None:
            wanted &= rows.dump_day.between(*days)
        transaction.delete(LoadedFile, wanted)


def changed_days(listing: Listing, source: Source, loaded: Loaded) -> set[date]:
    """The days whose dump is not as it was loaded: new, restated, taken away, or never loaded.

    A file is read only where the store tells that it is another than the one that was loaded.

    Args:
        listing: of the lake.
        source: whose dumps they are.
        loaded: what was loaded of it.
    """
    files = listing.of(source)
    known: Contents = {name: each for (_, name), each in loaded.items()}
    now = contents(listing.lake, files, known)
    there = {(file.day, file.name) for file in files}
    changed = {
        day
        for day, name in there
        if (day, name) not in loaded or now[name] != loaded[day, name].content
    }
    return changed | {day for day, _ in loaded.keys() - there}


def kept_days(listing: Listing, source: Source, loaded: Loaded, pruned: Pruned) -> set[date]:
    """The days that have no dump any more, and that are nevertheless kept as they were loaded.

    A source that had dumps and now has none, or has lost more than half of at least four days since
    it was loaded, is more likely broken than emptied (spec, section 6). Pruned days do not count.
    """
    closed = pruned.get(raw_of(source.contract).full_name(), frozenset())
    before = {day for day, _ in loaded if day not in closed}
    gone = before - {file.day for file in listing.of(source)}
    many = len(gone) == len(before) or (len(before) >= ENOUGH_DAYS and len(gone) * 2 > len(before))
    return gone if many and not listing.lake.accepts_deletions else set()


def _is_of(rows: ir.Table, source: Source) -> ir.BooleanValue:
    is_of_table = rows.lake_table == ibis.literal(source.table)
    return is_of_table & (rows.source == ibis.literal(source.name))


ENOUGH_DAYS = 4
_COLUMNS = ("file", "dump_day", "stamp", "content")
