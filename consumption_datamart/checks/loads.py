"""Checks of what was loaded: nothing is lost, and dumps look as they use to."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import Check, grouped, number
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import Dumps, files_of, quarantine_of, raw_of
from consumption_datamart.settings import Settings

WEEKS = 4
"""Weeks whose same weekday a day's rows are compared with."""
ENOUGH_WEEKS, ENOUGH_ROWS = 3, 20
"""What the comparison needs: so many of these days, and so many rows on one of them."""
BACK = 7 * WEEKS + 1


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


def volume(files: ir.Table) -> ir.Table:
    """Of each dump the distance of its rows from the median of the same weekday before it.

    Nothing is measured where fewer than three of the last four have a dump, or these have few rows.
    """
    dumps = files.group_by(day=files.dump_day).aggregate(read=files.rows_read.sum())
    dumps = dumps.mutate(n=number(dumps.day))
    before = [
        dumps.select(n=dumps.n + 7 * week, then=dumps.read, week=ibis.literal(week))
        for week in range(1, WEEKS + 1)
    ]
    history = ibis.union(*before)
    rank = {"group_by": history.n, "order_by": [history.then, history.week]}
    ranked = history.mutate(
        position=ibis.row_number().over(**rank),
        weeks=history.count().over(group_by=history.n),
    )
    # the median of an odd number is the middle, of an even number the mean of the two
    middle = ranked.filter(
        (ranked.position * 2 - (ranked.weeks - 1)).abs() <= 1, ranked.weeks >= ENOUGH_WEEKS
    )
    usual = middle.group_by("n").aggregate(median=middle.then.mean())
    found = dumps.left_join(usual, "n")
    enough = (found.median >= ENOUGH_ROWS).ifelse(found.median, ibis.null())
    far = (found.read - enough).abs()
    return found.select(found.day, measured=far / enough, rows=far.cast("int64"))


def changed_columns(files: ir.Table) -> ir.Table:
    """Of each dump whether its files have other columns than those of the dump before."""
    signature = files.unexpected_columns + " | " + files.missing_columns
    dumps = files.group_by(day=files.dump_day).aggregate(
        least=signature.min(), greatest=signature.max(), files=files.count()
    )
    in_order = ibis.window(order_by=dumps.day)
    before = dumps.mutate(
        was_least=dumps.least.lag().over(in_order), was_greatest=dumps.greatest.lag().over(in_order)
    )
    differs = (before.least != before.was_least) | (before.greatest != before.was_greatest)
    number = before.files.cast("int64")
    changed = differs.ifelse(number, ibis.literal(0, "int64"))
    return before.select("day", measured=changed, rows=changed)


def of_last(dumps: ir.Table, day: str | None) -> ir.Table:
    """What was measured of each day; of a table without days only that of the last dump."""
    if day is not None:
        return dumps
    last = dumps.aggregate(last=dumps.day.max())
    of_last = dumps.inner_join(last, dumps.day == last["last"])
    return of_last.select("measured", "rows")


def lateness(dumps: ir.Table, today: date, table: str, archived_after: int) -> ir.Table:
    """Days since the last dump of a table.

    They are counted until today; of a lake that ends long before, until its last day: it is an
    archive, whose tables may only be late against each other.

    Args:
        dumps: that the lake has.
        today: the date, UTC.
        table: of the lake.
        archived_after: days after which a lake that gets no dumps counts as an archive.
    """
    of_table = (dumps.lake_table == table).ifelse(dumps.dump_day, ibis.null("date"))
    found = dumps.aggregate(last=dumps.dump_day.max(), mine=of_table.max())
    now = ibis.literal(today)
    idle = now.delta(found["last"], unit="day")
    until = ((idle < 0) | (idle > archived_after)).ifelse(found["last"], now)
    return found.select(measured=until.delta(found.mine, unit="day"), rows=ibis.literal(0))
