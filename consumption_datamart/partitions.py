"""Days as Dagster's partitions."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import dagster as dg

from consumption_datamart.schema.days import Days

DAYS_BUILT = "days built"
"""Metadata of a materialization of a table with days: how many of them it is about."""
PARTITION = "dagster/partition"
"""Dagster's tag of a run: the one partition that it is about."""
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
"""Its tags of a run over a range of partitions: the first, and the last."""


def daily_partitions(start: date, through: date | None = None) -> dg.DailyPartitionsDefinition:
    """One partition a day (UTC), from a start day to today, or to a later day if given."""
    today = datetime.now(UTC).date()
    ahead = max((through - today).days, 0) if through else 0
    return dg.DailyPartitionsDefinition(
        start_date=datetime(start.year, start.month, start.day), end_offset=1 + ahead
    )


def days_of_run(context: dg.AssetExecutionContext, *, partitioned: bool) -> Days | None:
    """The days that a run is about: its range of partitions; None for what is not partitioned."""
    if not partitioned:
        return None
    range_ = context.partition_key_range
    return Days(date.fromisoformat(range_.start), date.fromisoformat(range_.end))


def range_tags(days: Days) -> dict[str, str]:
    """The tags by which one run is about a range of partitions, as `days_of_run` reads them."""
    return {
        RANGE_START: days.first.isoformat(),
        RANGE_END: days.last.isoformat(),
    }


def days_of_tags(tags: Mapping[str, str]) -> Days | None:
    """The days that a run with these tags is about; None: it is about no days."""
    one = tags.get(PARTITION)
    first = tags.get(RANGE_START, one)
    last = tags.get(RANGE_END, one)
    if first is None or last is None:
        return None
    return Days(date.fromisoformat(first), date.fromisoformat(last))
