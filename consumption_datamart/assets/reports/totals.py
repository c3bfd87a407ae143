"""report_consumption_daily summed up: by account tree, and by product (spec, section 8)."""

import ibis.expr.types as ir

from consumption_datamart.assets.reports.windows import SUMS, with_consumption
from consumption_datamart.schema.codes import BANDS


def report_account_consumption_daily(
    report_consumption_daily: ir.Table, dim_account: ir.Table, dim_product: ir.Table
) -> ir.Table:
    """Consumption of each product by all customers of an account tree.

    Where some customers are entitled without limit and some are not, sums are of those who are not.

    Args:
        report_consumption_daily: of the days to report.
        dim_account: the top of each customer's tree, with its name as of the day.
        dim_product: of which products silence says nothing.
    """
    found = report_consumption_daily.inner_join(
        dim_account,
        [
            "customer_id",
            dim_account.valid_from <= report_consumption_daily.day,
            dim_account.valid_to > report_consumption_daily.day,
        ],
    )
    key = ["day", "top_customer_id", "top_customer_name", "product_id", "product_name"]
    limited = ~found.is_unlimited
    rows = found.group_by(key).aggregate(
        customers=found.count(),
        is_unlimited=found.is_unlimited.all(),
        days_reported=found.days_reported.max(),
        **{name: found[name].sum() for name in SUMS},
        **{f"limited_{name}": found[name].sum(where=limited).fill_null(0.0) for name in SUMS},
    )
    sums = {name: rows.is_unlimited.ifelse(rows[name], rows[f"limited_{name}"]) for name in SUMS}
    rows = rows.select(*key, "customers", "is_unlimited", "days_reported", **sums)
    silence = dim_product.select("product_id", "silence_unknown")
    rows = rows.inner_join(silence, "product_id")
    return with_consumption(rows, rows.silence_unknown).drop("silence_unknown")


def report_portfolio_daily(report_consumption_daily: ir.Table) -> ir.Table:
    """Consumption of each product by all customers, and how many are in each band.

    Args:
        report_consumption_daily: of the days to report.

    Returns:
        One row a day and product; sums are of customers who are not entitled without limit.
    """
    rows = report_consumption_daily
    limited = ~rows.is_unlimited
    found = rows.group_by("day", "product_id", "product_name").aggregate(
        customers=rows.count(),
        **{name: rows[name].sum(where=limited).fill_null(0.0) for name in SUMS},
        **{band: (rows.band == band).sum() for band in BANDS},
    )
    return found.mutate(consumption_30d=found.used_limited_30d / found.entitled_30d.nullif(0))
