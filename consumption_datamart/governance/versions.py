"""The versions of an asset's columns, and whom each change concerns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consumption_datamart.definitions import catalog_of
from consumption_datamart.governance.of_dagster import instance_of
from consumption_datamart.governance.view import View
from consumption_datamart.lineage import Defined, Downstream
from consumption_datamart.schema.versions import Change, Reader
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of
from consumption_datamart.warehouse.versions import Recorded, read_versions


@dataclass(frozen=True)
class Told:
    """A change of an asset's columns.

    Attributes:
        change: what it is.
        readers: assets that read what has changed, of a breaking change, by the code as it is now.
    """

    change: Change
    readers: Sequence[Reader] = ()


@dataclass(frozen=True)
class ToldVersion:
    """A version of an asset's columns.

    Attributes:
        number: counted from 1.
        at: when it was first there, in UTC; of the first version when it was first looked at.
        columns: how many.
        frozen: number of what was agreed upon with readers; None: it was not frozen.
        changes: since the version before.
    """

    number: int
    at: datetime
    columns: int
    frozen: int | None
    changes: Sequence[Told] = field(default_factory=tuple)


def versions_of(view: View, settings: Settings, key: str) -> list[ToldVersion]:
    """The versions of an asset that is a table of the warehouse, the earliest first.

    Raises:
        WarehouseError: the warehouse cannot be opened.
        DatamartError: Dagster's instance cannot be opened.
    """
    table = view.all[key].table
    found = table and read_versions(warehouse_of(settings).released(), table).get(table)
    if not found:
        return []
    if not any(each.is_breaking for each in found):
        return [_told(each, {}) for each in found]
    defined = [
        Defined(each.key, each.owners, frozenset(each.upstream)) for each in view.all.values()
    ]
    downstream = Downstream(catalog_of(settings), lambda: defined)
    with instance_of(settings) as instance:
        readers = {
            (each.number, change): downstream(each.table, [change], instance)
            for each in found
            for change in each.changes
            if change.is_breaking
        }
    return [_told(each, readers) for each in found]


def _told(each: Recorded, readers: dict[tuple[int, Change], list[Reader]]) -> ToldVersion:
    version = each.version
    return ToldVersion(
        each.number,
        each.at,
        len(version.columns),
        version.frozen,
        [Told(change, readers.get((each.number, change), ())) for change in each.changes],
    )
