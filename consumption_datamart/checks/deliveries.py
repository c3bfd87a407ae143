"""Whether dumps look as those before them did, and come in."""

from collections.abc import Mapping
from datetime import date

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import Compared
from consumption_datamart.checks.usual import amount, between, usual

ENOUGH_ROWS = 20
"""So many rows have to be usual on a day for others to be unusual."""
BACK = 29
"""Days before a dump among which the dump before it is looked for."""


def volume(files: ir.Table) -> ir.Table:
    """Of each dump its rows, whatever became of them; see `compared`."""
    read = files.group_by(day=files.dump_day).aggregate(measured=files.rows_read.sum())
    return read.mutate(rows=ibis.literal(0))


def compared(series: Mapping[date, float], day: date) -> Compared:
    """How far the rows of a dump are from what is usual, as a share of that.

    Nothing is measured where too little is known, or few rows are usual.
    """
    before, number = usual(series, day), series[day]
    if before is None or before.high < ENOUGH_ROWS:
        return Compared(None)
    told = f"{amount(number)} rows, where {between(before, 'rows')}"
    return Compared(before.share(number), int(before.distance(number)), told)


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
