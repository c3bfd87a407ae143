"""Whether dumps look as those before them did, and come in."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import number

WEEKS = 4
"""Weeks whose same weekday a day's rows are compared with."""
ENOUGH_WEEKS, ENOUGH_ROWS = 3, 20
"""What the comparison needs: so many of these days, and so many rows on one of them."""
BACK = 7 * WEEKS + 1


def volume(files: ir.Table) -> ir.Table:
    """Of each dump the distance of its rows from the median of the same weekday before it.

    Nothing is measured where fewer than three of the last four have a dump, or these have few rows.
    """
    dumps = files.group_by(day=files.dump_day).aggregate(read=files.rows_read.sum())
    dumps = dumps.mutate(n=number(dumps.day))
    before = [dumps.select(n=dumps.n + 7 * week, then=dumps.read) for week in range(1, WEEKS + 1)]
    history = ibis.union(*before)
    weeks = history.group_by("n").aggregate(
        number=history.count(),
        total=history.then.sum(),
        least=history.then.min(),
        greatest=history.then.max(),
    )
    weeks = weeks.filter(weeks.number >= ENOUGH_WEEKS)
    # of three or four numbers the median is the mean of all but the least and the greatest
    median = (weeks.total - weeks.least - weeks.greatest).cast("float64") / (weeks.number - 2)
    usual = weeks.select("n", median=median)
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
