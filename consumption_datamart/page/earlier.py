"""Commitments as they were: the figures of the specification, as of an earlier day."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.assets.reports.commitments import report_commitments
from consumption_datamart.schema.dimensions import (
    DimCustomer,
    DimEntitlement,
    DimProduct,
    EntitlementValue,
    ReportingDay,
)
from consumption_datamart.schema.facts import FactConsumptionDaily
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse

SHOWN = ("status", "annual_value_reporting", "unused_value", "overage_value")


def commitments_on(warehouse: Warehouse, day: date) -> pd.DataFrame:
    """What report_commitments would hold if a day were last_day (spec, section 8).

    Entitlements, invoices and rates are those that are known today: an increment says what is so,
    and not since when that was known.

    Args:
        warehouse: whose facts, which have all days, are read.
        day: not before its first.

    Returns:
        A row a commitment in force on that day: status, annual_value_reporting, unused_value,
        overage_value; values a year, in the reporting currency.
    """

    def until_then(model: type[Table]) -> ir.Table:
        rows = warehouse.table(model)
        return rows.filter(rows.day <= ibis.literal(day))

    rows = report_commitments(
        until_then(ReportingDay),
        warehouse.table(DimEntitlement),
        warehouse.table(EntitlementValue),
        until_then(FactConsumptionDaily),
        warehouse.table(DimCustomer),
        warehouse.table(DimProduct),
    )
    return warehouse.fetch(rows.select(*SHOWN))
