"""dim_day and reporting_day: which days there are, and which of them the mart is about."""

from datetime import date

import pandas as pd

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import REQUIRED_TABLES

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


def reporting_day(dumps: pd.DataFrame) -> pd.DataFrame:
    """Days from first_day to last_day of the mart; none for a lake without dumps (spec 3)."""
    found = dumps.dump_day[dumps.lake_table.isin(REQUIRED_TABLES)]
    days = [] if found.empty else pd.date_range(found.min(), found.max())
    return pd.DataFrame({"day": pd.Series(days, dtype="datetime64[ns]")})
