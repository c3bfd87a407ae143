"""The daily reports (spec, section 4)."""

import ibis.expr.types as ir

from consumption_datamart.assets.reports.windows import (
    band,
    every_day,
    ratio,
    trailing_sums,
    with_names,
)


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
        dim_product: for the names.
    """
    facts = fact_consumption_daily.select(
        "day",
        "customer_id",
        "product_id",
        entitled_30d="entitled_quantity",
        used_30d="used_quantity",
    )
    sums = trailing_sums(every_day(days, reporting_day, facts), ["entitled_30d", "used_30d"])
    rows = sums.filter((sums.entitled_30d > 0) | (sums.used_30d > 0)).semi_join(days, "day")
    rows = rows.mutate(
        consumption_30d=ratio(rows.used_30d, rows.entitled_30d),
        band=band(rows.used_30d, rows.entitled_30d),
    )
    return with_names(rows, dim_customer, dim_product)


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
