"""Readings of breaking changes of tables' columns: one for each owner of what reads them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg

from consumption_datamart.alerts.machine import BROKEN, ODD, Reading
from consumption_datamart.schema.versions import Change, Reader
from consumption_datamart.warehouse import Warehouse
from consumption_datamart.warehouse.versions import Recorded, read_versions

WhoReads = Callable[[str, Sequence[Change], dg.DagsterInstance | None], Sequence[Reader]]
"""Of a table and its changes the assets that read what has changed."""
FOR = " for "
"""In a subject: whom it is told."""


def is_about_owner(subject: str, owner: str) -> bool:
    """Whether an alert is meant for an owner."""
    return subject.endswith(f"{FOR}{owner}")


def schema_readings(
    warehouse: Warehouse,
    who_reads: WhoReads,
    within: timedelta,
    now: datetime,
    instance: dg.DagsterInstance | None = None,
) -> Iterator[Reading]:
    """The breaking changes of the last days; earlier ones are over, as nothing can mend them.

    Args:
        warehouse: as readers see it.
        who_reads: is asked for each of them.
        within: how long one is told.
        now: in UTC, without a time zone.
        instance: Dagster's, if there is one.
    """
    for versions in read_versions(warehouse).values():
        for each in versions:
            if each.is_breaking and now - each.at < within:
                yield from _of_version(each, who_reads(each.table, each.changes, instance))


def _of_version(each: Recorded, readers: Sequence[Reader]) -> Iterator[Reading]:
    subject = f"{each.table.replace('.', '/', 1)} version {each.number}"
    what = "; ".join(str(change) for change in each.changes if change.is_breaking)
    if not readers:
        yield Reading("schema", subject, ODD, f"{what}; no asset reads it, others may")
    for owner in sorted({owner for reader in readers for owner in reader.owners or ("nobody",)}):
        own = [str(reader) for reader in readers if owner in (reader.owners or ("nobody",))]
        told = f"{what}; see whether this still suits {', '.join(own)}"
        yield Reading("schema", f"{subject}{FOR}{owner}", BROKEN, told)
