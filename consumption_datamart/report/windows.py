"""What was used and entitled in the 30 days, as it is told."""

from consumption_datamart.report.reading import Record
from consumption_datamart.report.reasons import CONSUMABLE


def used_of(row: Record, days: int) -> float:
    """What was used: of a consumable the sum, else the average a day; in the product's unit.

    Args:
        row: of a daily report of consumption, with metering.
        days: days of the 30 that the mart has.
    """
    of_limited = has_limit(row) and row["used_limited_30d"] is not None
    return _told(row, row["used_limited_30d"] if of_limited else row["used_30d"], days)


def entitled_of(row: Record, days: int) -> float:
    """What was entitled with a limit, likewise."""
    return _told(row, row["entitled_30d"], days)


def has_limit(row: Record) -> bool:
    """Whether anything was entitled that has a limit."""
    return bool(row["entitled_30d"]) and not row.get("is_unlimited")


def _told(row: Record, value: float, days: int) -> float:
    return value if row["metering"] == CONSUMABLE else value / days
