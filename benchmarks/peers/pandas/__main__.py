"""Builds the mart with pandas: `python -m benchmarks.peers.pandas LAKE FILE`."""

import sys
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.peers.pandas import reports, star
from benchmarks.peers.pandas.contract import LAKE_TABLES
from benchmarks.peers.pandas.raw import load


def build(lake: Path, file: Path) -> None:
    """Builds the mart of a lake whose dumps are single files, into a new DuckDB file."""
    raw, tables = {}, {}
    for name, table in LAKE_TABLES.items():
        raw[name], tables[f"lake.quarantine_{name}"] = load(lake / name, table)
        tables[f"lake.raw_{name}"] = raw[name]
    stems = {path.stem for path in lake.glob("*/*.*")}
    days = pd.date_range(min(stems), max(stems))
    tables |= {f"mart.{name}": frame for name, frame in _mart(**raw, days=days).items()}
    with duckdb.connect(file) as connection:
        connection.execute("CREATE SCHEMA lake; CREATE SCHEMA mart")
        for name, frame in tables.items():
            connection.register("frame", frame)
            connection.execute(f"CREATE TABLE {name} AS FROM frame")


def _mart(
    invoices: pd.DataFrame,
    entitlements: pd.DataFrame,
    telemetry: pd.DataFrame,
    days: pd.DatetimeIndex,
) -> dict[str, pd.DataFrame]:
    """The star and the reports."""
    customers = star.dim_customer(invoices, entitlements, telemetry)
    products = star.dim_product(invoices, entitlements, telemetry)
    terms = star.dim_entitlement(entitlements)
    usage = star.fact_usage_daily(telemetry)
    lines = star.fact_invoice_line(invoices, customers)
    entitled = star.fact_entitlement_daily(terms, days)
    consumption = star.fact_consumption_daily(entitled, usage, products)
    named = (customers, products)
    return {
        "dim_day": star.dim_day(),
        "dim_customer": customers.assign(
            valid_to=customers.valid_to.dt.strftime("%Y-%m-%d").where(
                ~customers.is_current, "9999-12-31"
            )
        ),
        "dim_product": products,
        "dim_deployment": star.dim_deployment(usage),
        "dim_entitlement": terms,
        "fact_invoice_line": lines,
        "fact_usage_daily": usage,
        "fact_entitlement_daily": entitled,
        "fact_consumption_daily": consumption,
        "report_consumption_daily": reports.report_consumption_daily(consumption, *named, days),
        "report_active_customers_by_product_daily": (
            reports.report_active_customers_by_product_daily(usage, *named, days)
        ),
        "report_renewals": reports.report_renewals(terms, consumption, lines, *named, days[-1]),
    }


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
