"""What the lake has that was not loaded as it is now."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.lake.loaded import changed_days
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import Dumps, raw_of
from consumption_datamart.warehouse import Ledger, Warehouse
from consumption_datamart.warehouse.rows import day_of

Listed = tuple[str, date, int, int]
"""Lake table, day, number of files, size in bytes."""
GONE = "gone"
"""Version of a dump that is no longer there."""


@dataclass(frozen=True)
class LakeNews:
    """How the lake differs from what was loaded.

    Attributes:
        changed: full name of a table that is made of the lake → day → version of the dump, for each
            dump that is new, restated or gone.
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


def lake_news(warehouse: Warehouse, lake: Lake, contracts: Sequence[type[Contract]]) -> LakeNews:
    """Compares the lake with what was loaded; opens a file only to see whether it says the same.

    Raises:
        LakeError: the lake cannot be read.
        WarehouseError: the warehouse cannot be opened.
    """
    changed: dict[str, dict[date, str]] = {}
    dumped: set[date] = set()
    listed: set[Listed] = set()
    for contract in contracts:
        files = lake.files(contract.table_name())
        versions = dump_versions(files)
        dumped |= versions.keys()
        listed |= _listed(contract.table_name(), files)
        days = changed_days(warehouse, lake, contract, files)
        changed[raw_of(contract).full_name()] = {day: versions.get(day, GONE) for day in days}
    changed[Dumps.full_name()] = _unlisted(warehouse, listed)
    whole = Days(min(dumped), max(dumped)) if dumped else None
    return LakeNews(changed, frozenset(dumped), whole)


def _listed(table: str, files: Sequence[DumpFile]) -> set[Listed]:
    """The dumps of a table, as `lake.dumps` has them."""
    found: dict[date, list[int]] = defaultdict(list)
    for file in files:
        found[file.day].append(file.size)
    return {(table, day, len(sizes), sum(sizes)) for day, sizes in found.items()}


def _unlisted(warehouse: Warehouse, listed: set[Listed]) -> dict[date, str]:
    """The days on which the lake has other dumps than `lake.dumps` says."""
    stored = warehouse.find(Dumps)
    known = set() if stored is None else set(stored.itertuples(index=False, name=None))
    differing = listed ^ {
        (table, day_of(day), int(files), int(size)) for table, day, files, size in known
    }
    return {
        each[1]: _hash(*sorted(str(other) for other in differing if other[1] == each[1]))
        for each in differing
    }


def dump_versions(files: Sequence[DumpFile]) -> dict[date, str]:
    """A version of each day's dump that changes whenever the store says that a file has changed."""
    parts: dict[date, list[str]] = defaultdict(list)
    for file in files:
        parts[file.day].append(f"{file.name} {file.stamp}")
    return {day: _hash(*sorted(found)) for day, found in parts.items()}


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
