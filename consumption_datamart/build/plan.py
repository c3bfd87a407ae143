"""Which days a build is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.errors import LakeError
from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.lake.loaded import changed_days
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import Dumps, raw_of
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
        is_anew: whether all of these days are built, or only what has changed.
        changes: full name of a table that is made of the lake → days whose dump has changed.
    """

    days: Days
    start: date
    through: date
    is_anew: bool
    changes: Mapping[str, set[date]] = field(default_factory=dict)


def plan_build(
    settings: Settings,
    warehouse: Warehouse,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
) -> BuildPlan:
    """Which days to build: all that are asked for, or those that have changed.

    There are the days of the lake, and those that the warehouse has of a lake that was longer. A
    lake without dumps is built for one day, so that every table is there, empty. Days without any
    dump next to those asked for are built with them: nobody would ask for them.

    Raises:
        LakeError: the lake cannot be read, or the bounds hold none of its days.
    """
    lake = Lake(settings.lake)
    files = {spec.contract: lake.files(spec.contract.table_name()) for spec in LAKE}
    found = {file.day for listed in files.values() for file in listed}
    none = Days(settings.start_day, settings.start_day)
    whole = Days(min(found), max(found)) if found else none
    built = warehouse.span(ReportingDay, "day")
    known = whole.spanning(built or whole)
    if built and not (full or first or last):
        changes = _changes(warehouse, lake, files)
        changed = set().union(*changes.values())
        if changed:
            known = known.spanning(Days(min(changed), max(changed)))
        start = min(settings.start_day, known.first)
        return BuildPlan(known, start, known.last, False, changes)
    days = Days(max(first or known.first, known.first), min(last or known.last, known.last))
    around = {day for day in known.each() if day not in days} - found
    while days.first - ONE in around:
        days = Days(days.first - ONE, days.last)
    while days.last + ONE in around:
        days = Days(days.first, days.last + ONE)
    if days.first > days.last:
        raise LakeError(f"lake {lake.uri}: it has {whole}, none of the days asked for")
    return BuildPlan(days, min(settings.start_day, known.first), known.last, True)


def _changes(
    warehouse: Warehouse, lake: Lake, files: Mapping[type[Contract], Sequence[DumpFile]]
) -> dict[str, set[date]]:
    """By the tables' full names: the days whose dump is not as it was loaded."""
    found = {
        raw_of(contract).full_name(): changed_days(warehouse, lake, contract, listed)
        for contract, listed in files.items()
    }
    return found | {Dumps.full_name(): set().union(*found.values())}
