"""Readings of breaking changes of tables' columns: one for each owner of what reads them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg

from consumption_datamart.alerts.machine import BROKEN, ODD, Reading
from consumption_datamart.alerts.store import AlertStore
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
    """The breaking changes of the last days, and the end of what was told so long ago.

    Nothing can mend a change that was made: it is over by itself. A reader that is not known here
    may be known to another who evaluates alerts; so nothing ends before its time.

    Args:
        warehouse: as readers see it.
        who_reads: is asked for each of them.
        within: how long one is told.
        now: in UTC, without a time zone.
        instance: Dagster's, if there is one.
    """
    found = [each for versions in read_versions(warehouse).values() for each in versions]
    breaking = [each for each in found if each.is_breaking]
    if not breaking:
        return
    for alert in AlertStore(warehouse).alerts().values():
        if alert.signal == "schema" and alert.is_open and now - alert.since >= within:
            yield Reading("schema", alert.subject, 0.0, f"over: {alert.summary}")
    for each in breaking:
        if now - each.at < within:
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
