"""The planner: from what the lake has and what the ledger says was published to what is to do.

All of it is pure. What is stale is decided here and nowhere else: `build` executes the plan, its
dry run prints it, and the automation conditions ask it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from consumption_datamart.planning.graph import Node, in_order
from consumption_datamart.planning.news import LakeNews
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.warehouse.ledger import Day, Ledger

NEVER_BUILT = "it was never built"
OTHER_CODE = "it was built by other code"
NEW_DUMP = "a dump is new, changed or gone"


class Why(NamedTuple):
    """Why a table, or a day of it, is to be refreshed; equal as long as nothing else has happened.

    Attributes:
        reason: in words.
        version: the latest of what it is made of.
        dump: version of the dump that is to be loaded, '' where none is.
    """

    reason: str
    version: int
    dump: str = ""


Pending = Mapping[str, Mapping[Day, Why]]
"""Full name → the days of a table that are to be refreshed, None of one without days."""


@dataclass(frozen=True)
class Step:
    """A table, or days of it, to refresh.

    Attributes:
        table: its full name.
        days: consecutive ones; None of a table without days, and where they are not known yet.
        reason: in words.
    """

    table: str
    days: Days | None
    reason: str


def pending(nodes: Sequence[Node], ledger: Ledger, news: LakeNews) -> Pending:
    """What is to be refreshed, by what has happened so far.

    A table without days is, when it was never built or by other code, or when anything that it is
    made of has a later version. A daily table holds all days of the lake; each of them is,
    likewise, by the days of the daily tables that it is made of, and by the changes of tables
    without days that show on it.
    """
    return {
        node.name: _pending_days(node, ledger, news)
        if node.is_daily
        else _pending_whole(node, ledger, news)
        for node in nodes
    }


def ready(
    nodes: Sequence[Node], ledger: Ledger, waiting: Pending, tried: Pending | None = None
) -> dict[str, dict[Day, Why]]:
    """Of what is to be refreshed that which waits for nothing else.

    A table without days waits for all that it is made of; a day for the days of its windows, and
    for tables without days. What has failed is not tried again before there is a new reason, and
    nobody waits for it but the days that cannot do without.

    Args:
        nodes: all tables.
        ledger: what was published.
        waiting: what is to be refreshed.
        tried: what was tried already, and why; by default what the ledger says has failed.
    """
    stuck: dict[str, set[Day]] = {}
    found: dict[str, dict[Day, Why]] = {}
    for node in in_order(nodes):
        stuck[node.name], found[node.name] = set(), {}
        lacking, awaited = {}, {}
        for model, window in node.reads.items():
            name = model.full_name()
            behind = stuck.get(name, set())
            lacking[name] = window, {day for day in behind if day not in ledger.of(name)}
            awaited[name] = window, waiting.get(name, {}).keys() - behind
        for day, why in waiting.get(node.name, {}).items():
            if _was_tried(node.name, day, why, ledger, tried) or (
                day is not None and _needs_any(day, lacking)
            ):
                stuck[node.name].add(day)
            elif not _needs_any(day, awaited):
                found[node.name][day] = why
    return found


def with_followers(nodes: Sequence[Node], waiting: Pending, offered: Pending) -> Pending:
    """What is ready, and the days that can follow it in the same run.

    A daily table that is made of nothing but daily tables, day by day, is refreshed with them, on
    the same days, unless it waits for others.

    Args:
        nodes: all tables.
        waiting: what is to be refreshed.
        offered: what is ready.
    """
    found = dict(offered)
    for node in in_order(nodes):
        inputs = [model.full_name() for model in node.reads]
        day_by_day = [bool(model.day_column()) and days == 1 for model, days in node.reads.items()]
        if not node.is_daily or not inputs or not all(day_by_day):
            continue
        follows = {day: why for name in inputs for day, why in found.get(name, {}).items()}
        held_up = any(waiting.get(name, {}).keys() - follows.keys() for name in inputs)
        if not held_up and waiting.get(node.name, {}).keys() <= follows.keys():
            found[node.name] = follows
    return found


def project(nodes: Sequence[Node], ledger: Ledger, news: LakeNews) -> list[Step]:
    """All that will be refreshed, as far as it can be told before anything is.

    On which days the change of a table without days shows is known only once it is refreshed.
    """
    waiting, steps = pending(nodes, ledger, news), []
    planned: dict[str, dict[Day, str]] = {}
    for node in in_order(nodes):
        own = {day: why.reason for day, why in waiting[node.name].items()}
        changing = []
        for model, window in node.reads.items():
            first = planned.get(model.full_name())
            if not first:
                continue
            if not node.is_daily:
                own.setdefault(None, f"{model.table_name()} is refreshed")
            elif None not in first:
                for day in _reached(first, window, news.days):
                    own.setdefault(day, f"{model.table_name()} is refreshed")
            elif model is not ReportingDay:
                changing.append(model.table_name())
        planned[node.name] = own
        steps += _steps(node.name, own)
        if changing:
            reason = f"on the days that a change of {' or '.join(changing)} shows"
            steps.append(Step(node.name, None, reason))
    return steps


def _pending_whole(node: Node, ledger: Ledger, news: LakeNews) -> dict[Day, Why]:
    own, newest = ledger.of(node.name).get(None), _newest(node, ledger, None)
    version = max(newest.values(), default=0)
    dumps = news.changed.get(node.name, {})
    newer = [name for name, each in newest.items() if own and each > own.version]
    if own is None:
        reason = NEVER_BUILT
    elif not own.is_current:
        reason = OTHER_CODE
    elif dumps:
        reason = NEW_DUMP
    elif newer:
        reason = ", ".join(f"{name} is newer" for name in newer)
    else:
        return {}
    return {None: Why(reason, version, "".join(dumps[day] for day in sorted(dumps)))}


def _pending_days(node: Node, ledger: Ledger, news: LakeNews) -> dict[Day, Why]:
    own, dumps = ledger.of(node.name), news.changed.get(node.name, {})
    days = news.days or ledger.reporting
    known = days.spanning(ledger.reporting or days) if days else None
    reasons: dict[date, str] = {}
    oldest = min((each.version for each in own.values()), default=0)
    for model, window in node.reads.items():
        name = model.full_name()
        for day, each in ledger.of(name).items():
            if day is not None and each.version > oldest:
                for target in _reached([day], window, known):
                    if target in own and own[target].version < each.version:
                        reasons.setdefault(target, f"{model.table_name()} is newer")
    for day, change in ledger.awaited.get(node.name, {}).items():
        if day in own:
            reasons.setdefault(day, f"{change.table.split('.')[-1]} has changed")
    reasons |= {day: OTHER_CODE for day, each in own.items() if day and not each.is_current}
    reasons |= {day: NEVER_BUILT for day in (days.each() if days else ()) if day not in own}
    reasons |= dict.fromkeys(dumps, NEW_DUMP)
    return {
        day: Why(reason, max(_newest(node, ledger, day).values(), default=0), dumps.get(day, ""))
        for day, reason in sorted(reasons.items())
    }


def _newest(node: Node, ledger: Ledger, day: Day) -> dict[str, int]:
    """By what a table is made of: the latest version of it, or of the days that a day needs."""
    found = {}
    for model, window in node.reads.items():
        published = ledger.of(model.full_name())
        if day is None or None in published:
            versions = [each.version for each in published.values()]
        else:
            needed = (day - timedelta(days=back) for back in range(window))
            versions = [published[each].version for each in needed if each in published]
        found[model.table_name()] = max(versions, default=0)
    return found


def _was_tried(name: str, day: Day, why: Why, ledger: Ledger, tried: Pending | None) -> bool:
    if tried is not None:
        return tried.get(name, {}).get(day) == why
    failure = ledger.failed.get(name, {}).get(day)
    if failure is None:
        return False
    return failure.dump_version == why.dump if why.dump else why.version <= failure.version


def _needs_any(day: Day, inputs: Mapping[str, tuple[int, Collection[Day]]]) -> bool:
    """Whether a day, or a table without days, needs any of some days of what it is made of."""
    for window, days in inputs.values():
        if days and (day is None or None in days):
            return True
        in_window = () if day is None else (day - timedelta(days=n) for n in range(window))
        if any(each in days for each in in_window):
            return True
    return False


def _reached(days: Iterable[Day], window: int, within: Days | None) -> Iterator[date]:
    """The days that have any of some days in their window: they themselves, and later ones."""
    for day in days:
        if day is not None:
            yield day
            for forward in range(1, window):
                target = day + timedelta(days=forward)
                if within is None or target <= within.last:
                    yield target


def _steps(table: str, reasons: Mapping[Day, str]) -> list[Step]:
    """Days with one reason together."""
    steps = [Step(table, None, reasons[None])] if None in reasons else []
    for reason in dict.fromkeys(reasons.values()):
        days = [day for day, each in reasons.items() if day is not None and each == reason]
        steps += [Step(table, range_, reason) for range_ in Days.ranges(days)]
    return steps
