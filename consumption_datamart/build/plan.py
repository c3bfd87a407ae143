"""Which days a build is about."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from consumption_datamart.definitions import NO_LAKE
from consumption_datamart.errors import LakeError
from consumption_datamart.planning import LakeNews
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import REQUIRED
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Ledger

ONE = timedelta(days=1)
MADE_OF_DAYS = [raw_of(contract).full_name() for contract in REQUIRED]
"""Tables whose dumps say which days there are."""


@dataclass(frozen=True)
class BuildPlan:
    """The days that a build is about.

    Attributes:
        days: of all daily tables.
        start: first daily partition.
        through: last daily partition.
        is_anew: whether all of these days are built, or only what is to be refreshed.
        news: how the lake differs from what was loaded.
    """

    days: Days
    start: date
    through: date
    is_anew: bool
    news: LakeNews


def plan_build(
    settings: Settings,
    ledger: Ledger,
    news: LakeNews,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
) -> BuildPlan:
    """Which days to build: all that are asked for, or those that are to be refreshed.

    There are the days of the lake, and those that the warehouse has of a lake that was longer. A
    lake without dumps is built for one day, so that every table is there, empty. Days without any
    dump next to those asked for are built with them: nobody would ask for them.

    Raises:
        LakeError: the bounds hold none of the lake's days.
    """
    empty = settings.start_day or NO_LAKE
    whole = news.days or Days(empty, empty)
    known = whole.spanning(ledger.reporting or whole)
    changed = [day for name in MADE_OF_DAYS for day in news.changed.get(name, ())]
    loaded = known.spanning(Days(min(changed), max(changed)) if changed else known)
    start, through = min(settings.start_day or loaded.first, loaded.first), loaded.last
    if ledger.reporting and not (full or first or last):
        return BuildPlan(known, start, through, False, replace(news, days=known))
    days = Days(max(first or known.first, known.first), min(last or known.last, known.last))
    around = {day for day in known.each() if day not in days and day not in news.dumped}
    while days.first - ONE in around:
        days = Days(days.first - ONE, days.last)
    while days.last + ONE in around:
        days = Days(days.first, days.last + ONE)
    if days.first > days.last:
        raise LakeError(f"lake {settings.lake}: it has {whole}, none of the days asked for")
    # what is asked for is built whatever is new; of all else only what lies beside the lake's days
    beside = {
        table: {day: dump for day, dump in dumps.items() if day not in known}
        for table, dumps in news.changed.items()
    }
    return BuildPlan(days, start, through, True, LakeNews(beside, days=days))
