"""The reports, table by table."""

from consumption_datamart.assets.reports.daily import (
    report_active_customers_by_product_daily,
    report_consumption_daily,
)
from consumption_datamart.assets.reports.renewals import report_renewals
from consumption_datamart.assets.reports.windows import WINDOW_DAYS
from consumption_datamart.factories import TableSpec
from consumption_datamart.schema import reports

REPORTS = (
    TableSpec(
        reports.ReportConsumptionDaily,
        report_consumption_daily,
        windows={"fact_consumption_daily": WINDOW_DAYS},
        group="reports",
    ),
    TableSpec(
        reports.ReportActiveCustomersByProductDaily,
        report_active_customers_by_product_daily,
        windows={"fact_usage_daily": WINDOW_DAYS},
        group="reports",
    ),
    TableSpec(reports.ReportRenewals, report_renewals, group="reports"),
)
