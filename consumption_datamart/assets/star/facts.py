"""The facts of invoices and consumption."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.flags import as_number
from consumption_datamart.schema.codes import flag
from consumption_datamart.schema.types import WIDE


def fact_invoice_line(raw_invoices: ir.Table, dim_customer: ir.Table) -> ir.Table:
    """Invoice lines, each with the customer as it was on the invoice's day (spec 3)."""
    lines, customers = raw_invoices, dim_customer
    then = lines.inner_join(
        customers,
        [
            "customer_id",
            customers.valid_from <= lines.invoice_date,
            customers.valid_to > lines.invoice_date,
        ],
    )
    return then.select(
        lines.source,
        lines.invoice_id,
        lines.line_number,
        customers.customer_key,
        lines.customer_id,
        lines.product_id,
        lines.quantity,
        lines.unit_price,
        lines.currency,
        lines.term_months,
        day=lines.invoice_date,
        amount=lines.quantity.cast(WIDE) * lines.unit_price.cast(WIDE),
    )


def fact_consumption_daily(
    fact_entitlement_daily: ir.Table, fact_usage_daily: ir.Table, dim_product: ir.Table
) -> ir.Table:
    """What each customer uses of each product on each day, against what it may (spec 3 and 7).

    Used is the sum over deployments: of the day's peaks for a product metered by capacity, of the
    day's totals for one metered by consumption. Rows are those with an entitlement or usage.
    """
    entitled = fact_entitlement_daily.select(
        "day",
        "customer_id",
        "product_id",
        "entitled_quantity",
        used_quantity=ibis.literal(0.0),
        unlimited=as_number(fact_entitlement_daily.is_unlimited),
        deployment_count=ibis.literal(0, "int64"),
        mismatches=ibis.literal(0, "int64"),
    )
    usage = fact_usage_daily.inner_join(dim_product, "product_id")
    used = usage.select(
        "day",
        "customer_id",
        "product_id",
        entitled_quantity=ibis.literal(0.0),
        used_quantity=(usage.metering == "capacity").ifelse(
            usage.peak_quantity, usage.total_quantity
        ),
        unlimited=ibis.literal(0, "int64"),
        deployment_count=ibis.literal(1, "int64"),
        mismatches=as_number((usage.unit_count > 1) | (usage.unit != usage.unit_right)),
    )
    both = ibis.union(entitled, used)
    sums = both.group_by("day", "customer_id", "product_id").aggregate(
        entitled_quantity=both.entitled_quantity.sum(),
        used_quantity=both.used_quantity.sum(),
        is_unlimited=both.unlimited.max() == 1,
        deployment_count=both.deployment_count.sum(),
        mismatches=both.mismatches.sum(),
    )
    rows = sums.filter(
        (sums.entitled_quantity > 0) | (sums.deployment_count > 0) | sums.is_unlimited
    )
    entitled_to = rows.is_unlimited.ifelse(ibis.null("float64"), rows.entitled_quantity)
    return rows.mutate(
        consumption_ratio=rows.used_quantity / entitled_to.nullif(0),
        meta__warnings=flag(
            {
                "unentitled_usage": (rows.entitled_quantity == 0) & ~rows.is_unlimited,
                "unit_mismatch": rows.mismatches > 0,
            }
        ),
    ).drop("mismatches")
