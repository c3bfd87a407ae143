"""The expected content of every table, computed naively from the spec alone."""

from pathlib import Path

from consumption_datamart_tests import oracle_mart as mart
from consumption_datamart_tests import oracle_reports as reports
from consumption_datamart_tests.oracle_lake import lake_tables

Row = dict[str, object]


def expected_tables(lake: Path) -> dict[str, list[Row]]:
    """Compute every table of the spec's sections 2 to 4 from the files of a lake.

    Keys are "lake.<table>" and "mart.<table>"; rows come in no particular order.
    """
    tables = lake_tables(lake)
    result: dict[str, list[Row]] = {}
    for name, rows in tables.raw.items():
        result[f"lake.raw_{name}"] = rows
        result[f"lake.quarantine_{name}"] = tables.quarantine[name]
    first_day, last_day = min(tables.dump_days, default=None), max(tables.dump_days, default=None)
    days = list(mart.days_between(first_day, last_day)) if first_day else []

    raw = tables.raw
    customers = mart.dim_customer(raw)
    products = mart.dim_product(raw)
    product_names = {product["product_id"]: product["product_name"] for product in products}
    invoice_lines = mart.fact_invoice_line(raw, customers)
    usage = mart.fact_usage_daily(raw)
    entitlements = mart.fact_entitlement_daily(raw, days)
    consumption = mart.fact_consumption_daily(entitlements, usage, products)
    renewals = (
        reports.report_renewals(raw, consumption, invoice_lines, customers, product_names, last_day)
        if last_day
        else []
    )
    return result | {
        "mart.dim_day": mart.dim_day(),
        "mart.dim_customer": customers,
        "mart.dim_product": products,
        "mart.usage_by_unit_daily": mart.usage_by_unit_daily(raw),
        "mart.deployment_monthly": mart.deployment_monthly(raw),
        "mart.dim_deployment": mart.dim_deployment(raw),
        "mart.fact_invoice_line": invoice_lines,
        "mart.fact_usage_daily": usage,
        "mart.fact_entitlement_daily": entitlements,
        "mart.fact_consumption_daily": consumption,
        "mart.report_consumption_daily": reports.report_consumption_daily(
            consumption, customers, product_names, days
        ),
        "mart.report_active_customers_by_product_daily": (
            reports.report_active_customers_by_product_daily(usage, customers, product_names, days)
        ),
        "mart.report_renewals": renewals,
    }
