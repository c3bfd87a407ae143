"""Periods as Dagster's partitions."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial

import dagster as dg

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain

DAYS_BUILT = "days built"
"""Metadata of a materialization of a table with days: how many of them it is about."""
PARTITION = "dagster/partition"
"""Dagster's tag of a run: the one partition that it is about."""
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
"""Its tags of a run over a range of partitions: the first, and the last."""


Partitions = Mapping[Grain, dg.TimeWindowPartitionsDefinition]
"""The partitions of tables, by their grain."""


def partitions(start: date, through: date | None = None) -> Partitions:
    """The days, weeks and months (UTC) from a start day to today, or to a later day if given."""
    today = datetime.now(UTC).date()
    last = max(today, through or today)
    found: dict[Grain, dg.TimeWindowPartitionsDefinition] = {}
    for grain, define in DEFINITIONS.items():
        first = grain.first(start)
        found[grain] = define(
            start_date=datetime(first.year, first.month, first.day),
            # the current period counts, though it is not over
            end_offset=len(list(grain.each(Days(today, last)))),
        )
    return found


DEFINITIONS: Mapping[Grain, Callable[..., dg.TimeWindowPartitionsDefinition]] = {
    Grain.DAY: dg.DailyPartitionsDefinition,
    Grain.WEEK: partial(dg.WeeklyPartitionsDefinition, day_offset=1),
    Grain.MONTH: dg.MonthlyPartitionsDefinition,
}


def days_of_run(context: dg.AssetExecutionContext, grain: Grain) -> Days | None:
    """The days that a run is about, in whole periods; None where it does not say, or has none."""
    days = None if grain is Grain.NONE else days_of_tags(context.run.tags)
    return days and grain.whole(days)


def range_tags(days: Days, grain: Grain = Grain.DAY) -> dict[str, str]:
    """The tags by which one run is about a range of partitions, as `days_of_run` reads them."""
    return {
        RANGE_START: grain.first(days.first).isoformat(),
        RANGE_END: grain.first(days.last).isoformat(),
    }


def days_of_tags(tags: Mapping[str, str]) -> Days | None:
    """The days that a run with these tags is about; None: it is about no days, or other things."""
    one = tags.get(PARTITION)
    first = tags.get(RANGE_START, one)
    last = tags.get(RANGE_END, one)
    if first is None or last is None:
        return None
    try:
        return Days(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:  # a team's asset may have partitions of any kind
        return None
