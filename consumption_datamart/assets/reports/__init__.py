"""The reports, table by table."""

from consumption_datamart.assets.reports.daily import (
    report_active_customers_by_product_daily,
    report_consumption_daily,
)
from consumption_datamart.assets.reports.renewals import report_renewals
from consumption_datamart.automation import at_most_every
from consumption_datamart.factories import TableSpec
from consumption_datamart.schema import reports

NAMES = {
    "dim_customer": ("customer_id", "customer_name"),
    "dim_product": ("product_id", "product_name"),
}

REPORTS = (
    TableSpec(
        reports.ReportConsumptionDaily,
        report_consumption_daily,
        windows={"fact_consumption_daily": reports.WINDOW_DAYS},
        columns=NAMES,
        group="reports",
        policy=at_most_every(),
        is_watched=True,
    ),
    TableSpec(
        reports.ReportActiveCustomersByProductDaily,
        report_active_customers_by_product_daily,
        windows={"fact_usage_daily": reports.WINDOW_DAYS},
        columns=NAMES,
        group="reports",
        policy=at_most_every(),
        is_watched=True,
    ),
    TableSpec(
        reports.ReportRenewals,
        report_renewals,
        windows={"fact_consumption_daily": reports.WINDOW_DAYS},
        group="reports",
        policy=at_most_every(),
        is_watched=True,
    ),
)
