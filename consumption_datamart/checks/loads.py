"""Checks of what was loaded: nothing is lost, and dumps look as they use to."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import Check, grouped
from consumption_datamart.checks.deliveries import (
    BACK,
    WEEKS,
    changed_columns,
    lateness,
    of_last,
    volume,
)
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import Dumps, files_of, quarantine_of, raw_of
from consumption_datamart.settings import Settings


def load_checks(contract: type[Contract], settings: Settings) -> list[Check]:
    """The checks of a lake table's raw, quarantine and files tables."""
    raw, files, day = raw_of(contract), files_of(contract), contract.day_column()
    kept = {"files": files, "raw": raw, "quarantine": quarantine_of(contract)}

    def accounted(files: ir.Table, raw: ir.Table, quarantine: ir.Table) -> ir.Table:
        return rows_accounted(files, raw, quarantine, day)

    def share(files: ir.Table) -> ir.Table:
        return quarantined_share(files, day)

    def usual(files: ir.Table) -> ir.Table:
        return of_last(volume(files), day)

    def same(files: ir.Table) -> ir.Table:
        return of_last(changed_columns(files), day)

    return [
        Check(
            "rows_accounted",
            raw,
            "Of each file rows read = kept + quarantined + superseded, and so many rows are there.",
            accounted,
            kept,
            is_blocking=True,
        ),
        Check(
            "quarantined_share",
            quarantine_of(contract),
            "Few of the rows that were read were set aside.",
            share,
            {"files": files},
            limit=settings.quarantined_share,
            kind="warnings",
        ),
        Check(
            "volume",
            raw,
            f"As many rows as on that weekday in the last {WEEKS} weeks: how far from their median,"
            " as a share of it.",
            usual,
            {"files": files},
            limit=settings.volume_tolerance,
            kind="delivery",
            windows={"files": BACK},
        ),
        Check(
            "same_columns",
            files,
            "The dump has the columns that the dump before it had: files where they differ.",
            same,
            {"files": files},
            kind="delivery",
            windows={"files": BACK},
        ),
    ]


def late_checks(tables: Sequence[str], settings: Settings) -> list[Check]:
    """For each lake table the check that its dumps come in."""

    def late(table: str) -> Check:
        def days_late(dumps: ir.Table, today: date) -> ir.Table:
            return lateness(dumps, today, table, settings.archived_after_days)

        return Check(
            f"late_{table}",
            Dumps,
            f"Days that {table} has had no dump, until today; until the lake's last day where that"
            f" is more than {settings.archived_after_days} days ago.",
            days_late,
            {"dumps": Dumps},
            limit=settings.late_after_days,
            kind="freshness",
        )

    return [late(table) for table in tables]


def rows_accounted(
    files: ir.Table, raw: ir.Table, quarantine: ir.Table, day: str | None
) -> ir.Table:
    """Rows that went missing, or came from nowhere, between the files and the tables.

    Args:
        files: that were loaded.
        raw: the kept rows.
        quarantine: the rows that were set aside.
        day: column of the day; None: all together.
    """
    lost = files.rows_read - files.rows_kept - files.rows_quarantined - files.rows_superseded
    parts = [
        grouped(files, day).aggregate(
            lost=lost.abs().sum(), raw=files.rows_kept.sum(), aside=files.rows_quarantined.sum()
        ),
        grouped(raw, day).aggregate(lost=0, raw=-raw.count(), aside=0),
        grouped(quarantine, day).aggregate(lost=0, raw=0, aside=-quarantine.count()),
    ]
    typed = [part.mutate(**{n: part[n].cast("int64") for n in _FATES}) for part in parts]
    both = ibis.union(*typed)
    total = both.group_by("day") if day else both
    found = total.aggregate(**{name: both[name].sum() for name in _FATES})
    off = (found.lost + found.raw.abs() + found.aside.abs()).fill_null(0)
    return found.mutate(measured=off, rows=off)


_FATES = ("lost", "raw", "aside")


def quarantined_share(files: ir.Table, day: str | None) -> ir.Table:
    """Rows set aside ÷ rows read; nothing is measured where none were read."""
    found = grouped(files, day).aggregate(
        rows=files.rows_quarantined.sum(), read=files.rows_read.sum()
    )
    return found.mutate(measured=found["rows"].cast("float64") / found.read.nullif(0))
