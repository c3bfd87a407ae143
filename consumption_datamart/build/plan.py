"""Which days a build is about."""

from dataclasses import dataclass
from datetime import date, timedelta

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports.windows import WINDOW_DAYS
from consumption_datamart.errors import LakeError
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse


@dataclass(frozen=True)
class BuildPlan:
    """The days that a build is about.

    Attributes:
        days: of all daily tables.
        reports_also: days after these whose 30-day windows contain one of them.
        start: first daily partition.
        through: last daily partition.
    """

    days: Days
    reports_also: Days | None
    start: date
    through: date


def plan_build(
    settings: Settings, warehouse: Warehouse, first: date | None, last: date | None
) -> BuildPlan:
    """Which days to build.

    Without bounds these are all days of the lake, and those that the warehouse has of a lake that
    was longer. A lake without dumps is built for one day, so that every table is there, empty.

    Raises:
        LakeError: the lake cannot be read, or the bounds hold none of its days.
    """
    lake = Lake(settings.lake)
    found = lake.dumps([spec.contract.table_name() for spec in LAKE]).dump_day
    none = Days(settings.start_day, settings.start_day)
    whole = none if found.empty else Days(found.min(), found.max())
    if first is None and last is None:
        days = whole.spanning(warehouse.span(ReportingDay, "day") or whole)
    else:
        days = Days(max(first or whole.first, whole.first), min(last or whole.last, whole.last))
    if days.first > days.last:
        raise LakeError(f"lake {lake.uri}: it has {whole}, none of the days asked for")
    after = Days(
        days.last + timedelta(days=1), min(days.extended(WINDOW_DAYS - 1).last, whole.last)
    )
    return BuildPlan(
        days=days,
        reports_also=after if after.first <= after.last else None,
        start=min(settings.start_day, days.first),
        through=max(days.last, whole.last),
    )
