"""The periods of entitlements whose quantity is for each month, quarter or year anew (spec 7)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.calendar import in_month, in_steps, month_number

MONTHS = {"month": 1, "quarter": 3, "year": 12}
BLOCK = 256
"""Numbers are counted in blocks of so many, so that few are looked at in vain."""
WAY_BACK = 12 * 10_000
"""Months, whole quarters and years of them, that keep a difference of months from being negative;
division rounds another way below."""


def periods(terms: ir.Table, last_day: ir.Table) -> ir.Table:
    """Splits terms by the periods that they share days with.

    Args:
        terms: in force on days valid_from ≤ day < valid_to, with a period and its anchor, the day
            from which periods are counted.
        last_day: the last day of the mart, column `day`, one row.

    Returns:
        The terms, each once for each period that begins on or before last_day, and once for the
        first, whenever it begins; with period_starts_on and period_ends_on, and valid_from and
        valid_to limited to the period.
    """
    rows = terms.cross_join(last_day.select(until="day"))
    step = ibis.cases(*((rows.period == name, months) for name, months in MONTHS.items()), else_=1)
    rows = rows.mutate(step=step.cast("int64"), anchor_month=month_number(rows.anchor))
    apart = month_number(rows.valid_from) - rows.anchor_month + WAY_BACK
    # it may be in the period before, where that one's day of the month is not reached
    first = apart // rows.step - WAY_BACK // rows.step - 1
    end = ibis.least(rows.valid_to, ibis.greatest(rows.until, rows.valid_from))
    spanned = month_number(end) - month_number(rows.valid_from)
    rows = rows.mutate(first=first, most=spanned // rows.step + 2)
    blocks, places = _numbers("block"), _numbers("place")
    each = rows.inner_join(blocks, blocks.block * BLOCK <= rows.most)
    each = each.inner_join(places, each.block * BLOCK + places.place <= each.most)
    month = each.anchor_month + (each.first + each.block * BLOCK + each.place) * each.step
    each = each.select(*terms.columns, "until", month=month, next_month=month + each.step)
    each = in_steps(each)
    each = in_steps(
        each.mutate(
            period_starts_on=in_month(each.month, each.anchor.day()),
            period_ends_on=in_month(each.next_month, each.anchor.day()),
        )
    )
    begins = ibis.greatest(each.valid_from, each.period_starts_on)
    ceases = ibis.least(each.valid_to, each.period_ends_on)
    found = each.filter(
        begins < ceases,
        (each.period_starts_on <= each.until) | (each.period_starts_on <= each.valid_from),
    )
    return found.select(
        *(name for name in terms.columns if name not in ("valid_from", "valid_to")),
        "period_starts_on",
        "period_ends_on",
        valid_from=ibis.greatest(found.valid_from, found.period_starts_on),
        valid_to=ibis.least(found.valid_to, found.period_ends_on),
    )


def _numbers(name: str) -> ir.Table:
    """The numbers from 0 to 255."""
    digits = ibis.union(*(ibis.literal(n, "int64").name("digit").as_table() for n in range(4)))
    tables = [digits.rename({f"digit{place}": "digit"}) for place in range(4)]
    rows = tables[0].cross_join(*tables[1:])
    return rows.select(**{name: sum(rows[f"digit{place}"] * 4**place for place in range(4))})
