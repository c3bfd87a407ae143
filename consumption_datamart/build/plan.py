"""Which days a build is about."""

from dataclasses import dataclass
from datetime import date, timedelta

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.errors import LakeError
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse

ONE = timedelta(days=1)


@dataclass(frozen=True)
class BuildPlan:
    """The days that a build is about.

    Attributes:
        days: of all daily tables.
        start: first daily partition.
        through: last daily partition.
    """

    days: Days
    start: date
    through: date


def plan_build(
    settings: Settings, warehouse: Warehouse, first: date | None, last: date | None
) -> BuildPlan:
    """Which days to build.

    There are the days of the lake, and those that the warehouse has of a lake that was longer. A
    lake without dumps is built for one day, so that every table is there, empty. Days without any
    dump next to those asked for are built with them: nobody would ask for them.

    Raises:
        LakeError: the lake cannot be read, or the bounds hold none of its days.
    """
    lake = Lake(settings.lake)
    found = lake.dumps([spec.contract.table_name() for spec in LAKE]).dump_day
    none = Days(settings.start_day, settings.start_day)
    whole = none if found.empty else Days(found.min(), found.max())
    known = whole.spanning(warehouse.span(ReportingDay, "day") or whole)
    days = Days(max(first or known.first, known.first), min(last or known.last, known.last))
    around = {day for day in known.each() if day not in days} - set(found)
    while days.first - ONE in around:
        days = Days(days.first - ONE, days.last)
    while days.last + ONE in around:
        days = Days(days.first, days.last + ONE)
    if days.first > days.last:
        raise LakeError(f"lake {lake.uri}: it has {whole}, none of the days asked for")
    return BuildPlan(days, min(settings.start_day, known.first), known.last)
