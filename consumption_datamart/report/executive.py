"""The executives' answer: who consumes how much of what, and which renewals are at risk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from consumption_datamart.errors import WarehouseError
from consumption_datamart.report.caveats import caveats
from consumption_datamart.schema.reports import ReportConsumptionDaily, ReportRenewals
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse


@dataclass(frozen=True)
class ExecutiveReport:
    """Two tables.

    Attributes:
        day: that consumption is reported for.
        last_day: that renewals are reported for.
        consumption: report_consumption_daily of the day, the highest consumption first.
        renewals: report_renewals that are at risk, the soonest first.
        as_of: when the state that it shows was released, or last published where each table is
            seen at once, in UTC; None: the warehouse does not say.
        caveats: what is wrong with it, a line each.
    """

    day: date
    last_day: date
    consumption: pd.DataFrame
    renewals: pd.DataFrame
    as_of: datetime | None = None
    caveats: Sequence[str] = ()


def executive_report(settings: Settings, day: date | None = None) -> ExecutiveReport:
    """Reads the report from the warehouse.

    Args:
        settings: where the warehouse is.
        day: to report consumption for; by default the last.

    Raises:
        WarehouseError: the warehouse cannot be opened, is not built, or does not have the day.
    """
    warehouse = open_warehouse(settings.warehouse, settings.memory_limit).released()
    if not warehouse.exists(ReportingDay) or not warehouse.exists(ReportRenewals):
        raise WarehouseError(
            f"warehouse {warehouse.url}: the mart is not built; run consumption-datamart build"
        )
    period = warehouse.span(ReportingDay, "day")
    if period is None:
        raise WarehouseError(f"warehouse {warehouse.url}: the mart is empty; its lake had no dumps")
    day = day or period.last
    if day not in period:
        raise WarehouseError(f"--day {day}: the mart has {period}")
    rows = warehouse.table(ReportConsumptionDaily)
    consumption = warehouse.fetch(
        rows.filter(rows.day == day).order_by(
            rows.consumption_30d.desc(nulls_first=True), "customer_id", "product_id"
        )
    )
    renewals = warehouse.table(ReportRenewals)
    # of an earlier version's warehouse, too, which has no column `source`
    names = [name for name in ReportRenewals.ibis_schema() if name != "source"]
    at_risk = renewals.filter(renewals.at_risk).order_by("ends_on", "entitlement_id")
    return ExecutiveReport(
        day,
        period.last,
        consumption,
        warehouse.fetch(at_risk.select(names)),
        warehouse.as_of(),
        caveats(settings, day),
    )
