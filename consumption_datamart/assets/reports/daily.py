"""The daily reports by customer and product (spec, sections 4 and 8)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.reports.windows import (
    SUMS,
    every_day,
    trailing_count,
    trailing_sums,
    with_consumption,
    with_names,
)
from consumption_datamart.schema.codes import ABSENT
from consumption_datamart.schema.reports import WINDOW_DAYS


def report_consumption_daily(
    days: ir.Table,
    reporting_day: ir.Table,
    fact_consumption_daily: ir.Table,
    dim_customer: ir.Table,
    dim_product: ir.Table,
) -> ir.Table:
    """Consumption over the 30 days ending each day, by customer and product, with its band.

    Args:
        days: the days to report.
        reporting_day: all days that there are.
        fact_consumption_daily: of those days and the 29 before each.
        dim_customer: for the names, as of the day.
        dim_product: for the names, and of which of them silence says nothing.
    """
    rows = fact_consumption_daily
    nothing = ibis.literal(0.0)
    facts = rows.select(
        "day",
        "customer_id",
        "product_id",
        "is_unlimited",
        entitled_30d=rows.is_unlimited.ifelse(nothing, rows.entitled_quantity),
        used_30d="used_quantity",
        used_limited_30d=rows.is_unlimited.ifelse(nothing, rows.used_quantity),
        is_reported=rows.deployment_count > 0,
    )
    grid = every_day(days, reporting_day, facts)
    flags = {name: grid[name].fill_null(False) for name in ("is_unlimited", "is_reported")}
    grid = grid.mutate(**flags)
    grid = grid.mutate(days_reported=trailing_count(grid, grid.is_reported)).drop("is_reported")
    sums = trailing_sums(grid, SUMS).semi_join(days, "day")
    sums = sums.filter((sums.entitled_30d > 0) | (sums.used_30d > 0) | sums.is_unlimited)
    named = with_names(sums, dim_customer, dim_product, "silence_unknown")
    return with_consumption(named, named.silence_unknown).drop("silence_unknown")


def report_active_customers_by_product_daily(
    days: ir.Table,
    reporting_day: ir.Table,
    fact_usage_daily: ir.Table,
    dim_customer: ir.Table,
    dim_product: ir.Table,
) -> ir.Table:
    """Customers that used a product on any of the 30 days ending each day.

    Args:
        days: the days to report.
        reporting_day: all days that there are.
        fact_usage_daily: of those days and the 29 before each.
        dim_customer: for the names, as of the day.
        dim_product: for the names.
    """
    used = fact_usage_daily.filter(fact_usage_daily.total_quantity > 0)
    active = used.group_by("day", "customer_id", "product_id").aggregate(
        days_active=used.count().cast("float64")
    )
    sums = trailing_sums(every_day(days, reporting_day, active), ["days_active"])
    rows = sums.filter(sums.days_active > 0).drop("days_active").semi_join(days, "day")
    return with_names(rows, dim_customer, dim_product)


def report_band_changes(
    days: ir.Table,
    reporting_day: ir.Table,
    report_consumption_daily: ir.Table,
    dim_customer: ir.Table,
    dim_product: ir.Table,
) -> ir.Table:
    """Customers and products whose band differs from that 30 days before (spec 8).

    Args:
        days: the days to report; before the 31st day of the mart there is nothing to compare.
        reporting_day: all days that there are.
        report_consumption_daily: of those days and the 30 before each.
        dim_customer: for the names, as of the day.
        dim_product: for the names.
    """
    calendar = reporting_day.mutate(
        day_before=reporting_day.day.lag(WINDOW_DAYS).over(order_by=reporting_day.day)
    )
    calendar = calendar.filter(calendar.day_before.notnull()).semi_join(days, "day")
    report = report_consumption_daily.select(
        "customer_id", "product_id", "band", "consumption_30d", at="day"
    )
    owner = ["day", "customer_id", "product_id"]
    nothing = {"text": ibis.null("string"), "number": ibis.null("float64")}
    now = calendar.inner_join(report, calendar.day == report["at"]).select(
        *owner,
        "band",
        "consumption_30d",
        band_before=nothing["text"],
        consumption_before=nothing["number"],
    )
    then = calendar.inner_join(report, calendar.day_before == report["at"])
    then = then.select(
        *owner,
        band=nothing["text"],
        consumption_30d=nothing["number"],
        band_before=then.band,
        consumption_before=then.consumption_30d,
    )
    both = ibis.union(now, then)
    figures = ("band", "consumption_30d", "band_before", "consumption_before")
    rows = both.group_by(owner).aggregate(**{name: both[name].max() for name in figures})
    rows = rows.mutate(
        band=rows.band.fill_null(ABSENT), band_before=rows.band_before.fill_null(ABSENT)
    )
    return with_names(rows.filter(rows.band != rows.band_before), dim_customer, dim_product)
