"""Checks of what was loaded: nothing is lost, and dumps look as they use to."""

from datetime import date

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import Check, grouped
from consumption_datamart.checks.deliveries import (
    BACK,
    WEEKS,
    changed_columns,
    of_last,
    volume,
)
from consumption_datamart.lake.sources import Source
from consumption_datamart.lateness import allowed_days, lateness
from consumption_datamart.schema.raw import Dumps, files_of, quarantine_of, raw_of
from consumption_datamart.settings import Settings

LATE = "late_"
"""How the names of checks begin that dumps come in."""


def load_checks(source: Source, settings: Settings) -> list[Check]:
    """The checks of what is loaded of a source into raw, quarantine and files tables."""
    contract = source.contract
    raw, files, day = raw_of(contract), files_of(contract), contract.day_column()
    kept = {"files": files, "raw": raw, "quarantine": quarantine_of(contract)}

    def own(rows: ir.Table) -> ir.Table:
        return rows.filter(rows.source == ibis.literal(source.name))

    def accounted(files: ir.Table, raw: ir.Table, quarantine: ir.Table) -> ir.Table:
        return rows_accounted(own(files), own(raw), own(quarantine), day)

    def share(files: ir.Table) -> ir.Table:
        return quarantined_share(own(files), day)

    def usual(files: ir.Table) -> ir.Table:
        return of_last(volume(own(files)), day)

    def same(files: ir.Table) -> ir.Table:
        return of_last(changed_columns(own(files)), day)

    return [
        Check(
            _name("rows_accounted", source),
            raw,
            "Of each file rows read = kept + quarantined + superseded, and so many rows are there.",
            accounted,
            kept,
            is_blocking=True,
        ),
        Check(
            _name("quarantined_share", source),
            quarantine_of(contract),
            "Few of the rows that were read were set aside.",
            share,
            {"files": files},
            limit=settings.quarantined_share,
            kind="warnings",
        ),
        Check(
            _name("volume", source),
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
            _name("same_columns", source),
            files,
            "The dump has the columns that the dump before it had: files where they differ.",
            same,
            {"files": files},
            kind="delivery",
            windows={"files": BACK},
        ),
    ]


def late_check(source: Source, settings: Settings) -> Check:
    """The check that a source's dumps come in."""

    def days_late(dumps: ir.Table, today: date) -> ir.Table:
        found = lateness(dumps, today, *source.key, settings.archived_after_days)
        return found.select(measured=found.days, rows=ibis.literal(0))

    return Check(
        _name(f"{LATE}{source.table}", source),
        Dumps,
        f"Days that {source.label} has had no dump, until today; until the lake's last day where"
        f" that is more than {settings.archived_after_days} days ago.",
        days_late,
        {"dumps": Dumps},
        limit=late_after(source, settings) or 0,
        kind="freshness",
    )


def late_after(source: Source, settings: Settings) -> int | None:
    """Days without a dump after which a source is late; None: it never is."""
    own = source.entry.late_after_days if source.entry else None
    return allowed_days(source.table, own, settings)


def _name(name: str, source: Source) -> str:
    """Of a check; with the source's name where there is more than the table's own."""
    return name if source.name == source.table else f"{name}_{source.name}"


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
