"""Sums over the 30 days that end on a day, and what executives call them (spec 4 and 8)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.reports import WINDOW_DAYS

_STEP = 5
SUMS = ["entitled_30d", "used_30d", "used_limited_30d"]
"""Of a customer and product over the 30 days; further reports add them up."""


def every_day(days: ir.Table, reporting_day: ir.Table, facts: ir.Table) -> ir.Table:
    """A row for each customer and product of the facts on each day that a window needs.

    Args:
        days: the days that are reported.
        reporting_day: all days that there are.
        facts: day, customer_id, product_id and figures; of the reported days and the 29 before.

    Returns:
        The facts' rows, and rows of null figures for the absent days up to the last reported day.
    """
    first = facts.aggregate(first=facts.day.min())
    last = days.aggregate(last=days.day.max())
    span = first.cross_join(last)
    within = [reporting_day.day >= span.first, reporting_day.day <= span.last]
    calendar = reporting_day.join(span, within).select("day")
    owners = facts.select("customer_id", "product_id").distinct()
    grid = calendar.cross_join(owners)
    return grid.left_join(facts, ["day", "customer_id", "product_id"]).select(
        grid, *(name for name in facts.columns if name not in grid.columns)
    )


def trailing_sums(rows: ir.Table, figures: list[str]) -> ir.Table:
    """Replaces figures by their sums over the 30 days ending each day.

    Args:
        rows: of each customer and product a row for each of consecutive days; null counts as 0.
        figures: the columns to sum.

    The sums are made of six sums of five days each, all by addition: a sliding sum that subtracts
    what leaves the window drifts, and would make used of what is unused.
    """
    order = {"group_by": [rows.customer_id, rows.product_id], "order_by": rows.day}

    def sum_of(column: ir.NumericColumn, offsets: range) -> ir.NumericValue:
        terms = [column.lag(offset).over(**order).fill_null(0.0) for offset in offsets if offset]
        return sum(terms, start=column.fill_null(0.0))

    fives = rows.mutate(**{name: sum_of(rows[name], range(_STEP)) for name in figures})
    order = {"group_by": [fives.customer_id, fives.product_id], "order_by": fives.day}
    steps = range(0, WINDOW_DAYS, _STEP)
    return fives.mutate(**{name: sum_of(fives[name], steps) for name in figures})


def trailing_count(rows: ir.Table, column: ir.BooleanColumn) -> ir.IntegerValue:
    """On how many of the 30 days ending each day a column holds; rows as of `trailing_sums`."""
    window = ibis.window(
        group_by=[rows.customer_id, rows.product_id],
        order_by=rows.day,
        preceding=WINDOW_DAYS - 1,
        following=0,
    )
    return column.sum().over(window)


def with_consumption(rows: ir.Table, silence_unknown: ir.BooleanColumn) -> ir.Table:
    """Adds consumption_30d and band to sums of 30 days (spec 4 and 8).

    Thresholds are met to 9 decimals, so that the last bit of a sum, in which engines may differ,
    moves nobody into another band.

    Args:
        rows: has entitled_30d, used_30d, used_limited_30d, days_reported and is_unlimited.
        silence_unknown: whether missing telemetry says nothing of the row's product.
    """
    entitled = rows.is_unlimited.ifelse(ibis.null("float64"), rows.entitled_30d.nullif(0))
    consumption = (rows.used_limited_30d / entitled).round(9)
    is_silent = (rows.used_30d == 0) & (rows.days_reported == 0) & silence_unknown
    band = ibis.cases(
        (rows.is_unlimited, "unlimited"),
        (rows.entitled_30d == 0, "unentitled"),
        (is_silent, "no_telemetry"),
        (rows.used_30d == 0, "unused"),
        (consumption >= 1.0, "over"),
        (consumption >= 0.7, "healthy"),
        (consumption >= 0.3, "low"),
        else_="at_risk",
    )
    return rows.mutate(consumption_30d=rows.used_limited_30d / entitled, band=band)


def with_names(
    rows: ir.Table, dim_customer: ir.Table, dim_product: ir.Table, *more: str
) -> ir.Table:
    """Adds customer_name, as of the row's day, product_name, and more columns of dim_product."""
    customers = dim_customer.select("customer_id", "customer_name", "valid_from", "valid_to")
    named = rows.inner_join(
        customers,
        [
            "customer_id",
            customers.valid_from <= rows.day,
            customers.valid_to > rows.day,
        ],
    ).select(*rows.columns, "customer_name")
    return named.inner_join(dim_product.select("product_id", "product_name", *more), "product_id")
