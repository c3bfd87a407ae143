"""The expected content of every table, computed naively from the spec alone."""

from datetime import date
from pathlib import Path

from consumption_datamart_tests import oracle_groups as groups
from consumption_datamart_tests import oracle_mart as mart
from consumption_datamart_tests import oracle_reports as reports
from consumption_datamart_tests.oracle_accounts import dim_customer
from consumption_datamart_tests.oracle_commitments import report_commitments
from consumption_datamart_tests.oracle_entitlements import dim_entitlement, fact_entitlement_daily
from consumption_datamart_tests.oracle_lake import lake_tables
from consumption_datamart_tests.oracle_money import entitlement_value
from consumption_datamart_tests.oracle_products import (
    deployment_monthly,
    dim_deployment,
    dim_product,
)
from consumption_datamart_tests.oracle_renewals import report_renewals
from consumption_datamart_tests.oracle_settings import settings_of
from consumption_datamart_tests.oracle_tables import Raw, Row, days_between

Tables = dict[str, list[Row]]


def expected_tables(lake: Path) -> Tables:
    """Compute every table of the spec's sections 2 to 4, 7 and 8 from the files of a lake.

    Keys are "lake.<table>" and "mart.<table>"; rows come in no particular order.
    """
    tables, settings = lake_tables(lake), settings_of(lake)
    result: Tables = {}
    for name, rows in tables.raw.items():
        result[f"lake.raw_{name}"] = rows
        result[f"lake.quarantine_{name}"] = tables.quarantine[name]
    raw, days = tables.raw, []
    if tables.dump_days:
        days = list(days_between(min(tables.dump_days), max(tables.dump_days)))

    products = dim_product(raw, settings.silence_unknown)
    entitlements = dim_entitlement(raw, days[-1]) if days else []
    star = {
        "dim_customer": dim_customer(raw),
        "dim_product": products,
        "dim_entitlement": entitlements,
        "entitlement_value": entitlement_value(raw, settings.currency, days[-1]) if days else [],
        "fact_usage_daily": mart.fact_usage_daily(raw),
        "fact_entitlement_daily": fact_entitlement_daily(entitlements, days),
    }
    star["fact_consumption_daily"] = mart.fact_consumption_daily(
        star["fact_entitlement_daily"], star["fact_usage_daily"], products
    )
    beside = {
        "dim_day": mart.dim_day(),
        "dim_deployment": dim_deployment(raw),
        "deployment_monthly": deployment_monthly(raw),
        "usage_by_unit_daily": mart.usage_by_unit_daily(raw),
        "fact_invoice_line": mart.fact_invoice_line(raw, star["dim_customer"]),
    }
    for name, rows in (star | beside | _reports(raw, star, days)).items():
        result[f"mart.{name}"] = rows
    return result


def _reports(raw: Raw, star: Tables, days: list[date]) -> Tables:
    """The reports, of a lake's raw tables and the tables of the star."""
    customers, values = star["dim_customer"], star["entitlement_value"]
    consumption = star["fact_consumption_daily"]
    products = {row["product_id"]: row for row in star["dim_product"]}
    report = reports.report_consumption_daily(consumption, customers, products, days)
    as_of_last_day = {"report_renewals": [], "report_commitments": []}
    if days:
        as_of_last_day = {
            "report_renewals": report_renewals(raw, report, values, customers, products, days[-1]),
            "report_commitments": report_commitments(
                star["dim_entitlement"], consumption, values, customers, products, days
            ),
        }
    return as_of_last_day | {
        "report_consumption_daily": report,
        "report_active_customers_by_product_daily": (
            reports.report_active_customers_by_product_daily(
                star["fact_usage_daily"], customers, products, days
            )
        ),
        "report_account_consumption_daily": groups.report_account_consumption_daily(
            report, customers, products
        ),
        "report_portfolio_daily": groups.report_portfolio_daily(report, products),
        "report_band_changes": reports.report_band_changes(report, customers, products, days),
    }
