"""report_renewals: what ends soon, and how it is used (spec, section 4)."""

import ibis.expr.types as ir

from consumption_datamart.assets.reports.windows import band, ratio, with_names
from consumption_datamart.schema.reports import RENEWAL_DAYS, WINDOW_DAYS


def report_renewals(
    reporting_day: ir.Table,
    dim_entitlement: ir.Table,
    fact_consumption_daily: ir.Table,
    fact_invoice_line: ir.Table,
    dim_customer: ir.Table,
    dim_product: ir.Table,
) -> ir.Table:
    """Amendments in force on last_day that end within 90 days, with consumption and value.

    Args:
        reporting_day: the last of which is last_day.
        dim_entitlement: amendments and the days on which they are in force.
        fact_consumption_daily: of the 30 days ending on last_day, at least.
        fact_invoice_line: gives the annual value, by the invoice that an amendment names.
        dim_customer: for the names, as of last_day.
        dim_product: for the names.
    """
    today = reporting_day.aggregate(day=reporting_day.day.max())
    terms = dim_entitlement.cross_join(today)
    days_left = terms.ends_on.delta(terms.day, unit="day")
    ending = terms.filter(
        terms.valid_from <= terms.day,
        terms.valid_to > terms.day,
        terms.quantity > 0,
        days_left <= RENEWAL_DAYS,
    ).mutate(days_left=days_left)
    rows = with_names(ending, dim_customer, dim_product)
    rows = rows.left_join(
        _consumption(fact_consumption_daily, today), ["customer_id", "product_id"], rname="{name}_c"
    )
    rows = rows.left_join(_value(fact_invoice_line), ["invoice_id", "product_id"], rname="{name}_v")
    used, entitled = rows.used_30d.fill_null(0.0), rows.entitled_30d.fill_null(0.0)
    rows = rows.mutate(consumption_30d=ratio(used, entitled), band=band(used, entitled))
    return rows.mutate(at_risk=rows.band.isin(["unused", "at_risk"]))


def _consumption(facts: ir.Table, today: ir.Table) -> ir.Table:
    """Sums of the 30 days ending today, by customer and product."""
    recent = facts.rename(fact_day="day").cross_join(today)
    age = recent.day.delta(recent.fact_day, unit="day")
    recent = recent.filter(recent.fact_day <= recent.day, age < WINDOW_DAYS)
    return recent.group_by("customer_id", "product_id").aggregate(
        entitled_30d=recent.entitled_quantity.sum(), used_30d=recent.used_quantity.sum()
    )


def _value(lines: ir.Table) -> ir.Table:
    """What each invoice asks for a year of each product; null where no line has a term."""
    yearly = lines.amount.cast("float64") / lines.term_months.nullif(0) * 12
    return lines.group_by("invoice_id", "product_id").aggregate(
        annual_value=yearly.sum(), currency=lines.currency.min()
    )
