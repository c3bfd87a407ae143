"""The check that a frozen table's columns are not changed in a way that breaks its readers."""

from collections.abc import Callable, Sequence

import ibis

from consumption_datamart.checks.check import Check, Compared, Fetch
from consumption_datamart.schema.monitoring import TableVersion
from consumption_datamart.schema.table import Table
from consumption_datamart.schema.versions import Change, breaches, version_of
from consumption_datamart.warehouse.versions import last_version

FROZEN = "frozen"
"""Name of the check."""
WhoReads = Callable[[Sequence[Change]], Sequence[str]]
"""What reads what has changed, a few words each."""


def frozen_checks(model: type[Table], who_reads: WhoReads) -> list[Check]:
    """The check of a table that is frozen; none of any other.

    It fails before anything is published, so that readers keep the table as it was.

    Args:
        model: the table.
        who_reads: is asked only where there is a breaking change.
    """
    number, name = model.frozen(), model.full_name()
    if number is None:
        return []

    def judge(fetch: Fetch) -> Compared:
        rows = fetch(TableVersion)
        before = last_version(fetched for fetched in rows if fetched[0] == name)
        wrong = breaches(before, version_of(model))
        if not wrong:
            return Compared(0.0)
        what = "; ".join(map(str, wrong))
        readers = ", ".join(who_reads(wrong)) or "nobody who is known here"
        told = (
            f"{what}, but the table is frozen as {number}; it concerns {readers}. Take the"
            f" change back, or, once they agree, write _frozen = {number + 1} in {model.__name__}"
        )
        return Compared(float(len(wrong)), told=told)

    return [
        Check(
            FROZEN,
            model,
            "The table is frozen: its columns, key and grain are as its readers know them.",
            lambda: ibis.memtable({}),
            {},
            is_blocking=True,
            judge=judge,
        )
    ]
