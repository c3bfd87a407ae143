"""The reports, table by table."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import ibis.expr.types as ir

from consumption_datamart.assets.reports.commitments import report_commitments
from consumption_datamart.assets.reports.daily import (
    report_active_customers_by_product_daily,
    report_band_changes,
    report_consumption_daily,
)
from consumption_datamart.assets.reports.renewals import report_renewals
from consumption_datamart.assets.reports.totals import (
    report_account_consumption_daily,
    report_portfolio_daily,
)
from consumption_datamart.automation import at_most_every
from consumption_datamart.factories import TableSpec
from consumption_datamart.schema import reports
from consumption_datamart.schema.table import Table

NAMES = {
    "dim_customer": ("customer_id", "customer_name"),
    "dim_product": ("product_id", "product_name"),
}
SILENCE = {"dim_product": ("product_id", "silence_unknown")}


def _report(
    model: type[Table],
    compute: Callable[..., ir.Table],
    windows: Mapping[str, int] = MappingProxyType({}),
    columns: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> TableSpec:
    """A report: refreshed at most every few minutes, and expected to be fresh."""
    return TableSpec(
        model,
        compute,
        windows=windows,
        columns=columns,
        group="reports",
        policy=at_most_every(),
        is_watched=True,
    )


REPORTS = (
    _report(
        reports.ReportConsumptionDaily,
        report_consumption_daily,
        windows={"fact_consumption_daily": reports.WINDOW_DAYS},
        columns={**NAMES, "dim_product": (*NAMES["dim_product"], "silence_unknown")},
    ),
    _report(
        reports.ReportActiveCustomersByProductDaily,
        report_active_customers_by_product_daily,
        windows={"fact_usage_daily": reports.WINDOW_DAYS},
        columns=NAMES,
    ),
    _report(
        reports.ReportAccountConsumptionDaily, report_account_consumption_daily, columns=SILENCE
    ),
    _report(reports.ReportPortfolioDaily, report_portfolio_daily),
    _report(
        reports.ReportBandChanges,
        report_band_changes,
        windows={"report_consumption_daily": reports.WINDOW_DAYS + 1},
        columns=NAMES,
    ),
    _report(reports.ReportRenewals, report_renewals, windows={"report_consumption_daily": 1}),
    _report(reports.ReportCommitments, report_commitments),
)
