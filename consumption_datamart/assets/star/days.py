"""dim_day and reporting_period: which days there are, and which of them the mart is about."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.days import Days

CALENDAR = Days(date(2020, 1, 1), date(2039, 12, 31))


def dim_day() -> pd.DataFrame:
    """Calendar days with the names and numbers by which people group them (spec 3)."""
    days = pd.DataFrame({"day": pd.date_range(*CALENDAR)})
    parts = days.day.dt
    iso = parts.isocalendar()
    return days.assign(
        day_of_week=iso.day,
        day_name=parts.day_name(),
        is_weekend=iso.day >= 6,
        iso_year=iso.year,
        iso_week=iso.week,
        month=parts.month,
        month_name=parts.month_name(),
        quarter=parts.quarter,
        year=parts.year,
        month_start=days.day - pd.to_timedelta(parts.day - 1, unit="D"),
    )


def reporting_period(dumps: ir.Table) -> ir.Table:
    """first_day and last_day of the mart: one row, none for a lake without dumps (spec 3)."""
    period = dumps.aggregate(first_day=dumps.dump_day.min(), last_day=dumps.dump_day.max())
    return period.filter(period.first_day.notnull())
