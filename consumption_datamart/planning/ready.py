"""What can be refreshed now, of what is to be: in which order tables follow each other."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from consumption_datamart.planning.graph import Node, in_order
from consumption_datamart.planning.pending import Pending, Why
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.ledger import Day, Ledger

EXTENT = (Dumps.full_name(), ReportingDay.full_name())
"""Tables that say which days the mart has."""
Running = Mapping[str, Collection[date]]
"""Full name → the days that runs are about to refresh of a table; none stand for all of it."""
Together = Callable[[Node, type[Table]], bool]
"""Whether a table can be refreshed in one run with one that it is made of."""


def ready(
    nodes: Sequence[Node],
    ledger: Ledger,
    waiting: Pending,
    tried: Pending | None = None,
    running: Running = MappingProxyType({}),
    together: Together = lambda _, __: False,
) -> dict[str, dict[Day, Why]]:
    """Of what is to be refreshed that which waits for nothing else.

    A table waits for all that it is made of, and a partition for the partitions that it is made of:
    for what is to be refreshed now, and for what will be in consequence. What has failed is not
    tried again before there is a new reason, and nobody waits for it but what cannot do without:
    where the mart cannot be made longer, that is each later period.

    Args:
        nodes: all tables.
        ledger: what was published.
        waiting: what is to be refreshed.
        tried: what was tried already, and why; by default what the ledger says has failed.
        running: what a run is refreshing; it is waited for.
        together: what has not to wait for what it is made of; nothing by default.
    """
    last = ledger.reporting.last if ledger.reporting else None
    stuck: dict[str, set[Day]] = {}
    moving: dict[str, set[Day]] = {}
    found: dict[str, dict[Day, Why]] = {}
    for node in sorted(in_order(nodes), key=lambda each: each.name not in EXTENT):
        name, closed = node.name, node.closed(ledger.pruned)
        # what is closed and was never built is built no more
        stuck[name] = {day for day in closed if day not in ledger.of(name)}
        moving[name], found[name] = _consequences(node, moving, ledger) - closed, {}
        inputs = [model for model in [*node.reads, *node.after] if model.full_name() in stuck]
        lacking = {
            model: stuck[model.full_name()] - ledger.of(model.full_name()).keys()
            for model in inputs
            if node.is_partitioned and node.is_held_up_by(model)
        }
        own = waiting.get(name, {})
        under_way = _under_way(node, running, moving[name] | own.keys())
        awaited = {
            model: moving[model.full_name()]
            - (found[model.full_name()].keys() if together(node, model) else set())
            for model in inputs
        }
        for day, why in own.items():
            is_beyond = not node.is_loaded and last is not None and day is not None and day > last
            if (
                _was_tried(name, day, why, ledger, tried)
                or _needs_any(node, day, lacking, last)
                or (is_beyond and any(stuck.get(each) for each in EXTENT))
            ):
                stuck[name].add(day)
                moving[name].discard(day)
                continue
            moving[name].add(day)
            if day not in under_way and not _needs_any(node, day, awaited, last):
                found[name][day] = why
        for day, why in _followers(node, found, together, ledger):
            is_free = day in moving[name] - own.keys() - under_way
            if is_free and not any(_needs_any(node, day, x, last) for x in (awaited, lacking)):
                found[name][day] = why
    return found


def offered(nodes: Sequence[Node], ledger: Ledger, waiting: Pending, running: Running) -> Pending:
    """What is ready, and what is certain to follow it and can do so in the same run.

    A run is about one range of days. Where all daily tables have the same days to refresh, as when
    a mart is first built, or when a day is new, tables with and without days go in one; else tables
    without days follow one another, and days the same days.

    Args:
        nodes: all tables.
        ledger: what was published.
        waiting: what is to be refreshed.
        running: see `ready`.
    """
    found = ready(nodes, ledger, waiting, running=running, together=lambda _, __: True)
    daily = {frozenset(found[node.name]) for node in nodes if node.grain is Grain.DAY}
    days = [Days.ranges(day for day in each if day) for each in daily if each]
    if len(days) == 1 and len(days[0]) == 1:
        return found
    return ready(nodes, ledger, waiting, running=running, together=_are_alike)


def _are_alike(node: Node, model: type[Table]) -> bool:
    """Whether neither has days, or a day is made of the same day."""
    if node.grain is model.grain() is Grain.DAY:
        return node.reads.get(model, 1) == 1
    return Grain.DAY not in (node.grain, model.grain())


def _followers(
    node: Node, found: Pending, together: Together, ledger: Ledger
) -> Iterator[tuple[Day, Why]]:
    """The partitions that are certain to be to be refreshed after those that are found.

    What is made of a table without days is not: that may come out as it was.
    """
    last = ledger.reporting.last if ledger.reporting else None
    built = ledger.of(node.name)
    for model in node.reads:
        if not built or model.grain() is Grain.NONE or not together(node, model):
            continue
        reason = f"{model.table_name()} is newer"
        for day, each in found.get(model.full_name(), {}).items():
            why = each._replace(reason=reason)
            if node.is_partitioned:
                reached = node.reached_from(model, day) if day else ()
                yield from ((period, why) for period in reached if period in built)
            elif (needed := node.needs(model, None, last)) is None or day in needed:
                yield None, why


def _under_way(node: Node, running: Running, periods: set[Day]) -> set[Day]:
    """What of the periods of a table runs are about to refresh."""
    days = running.get(node.name)
    if days is None:
        return set()
    if not days or not node.is_partitioned:
        return periods
    return periods & {node.grain.first(day) for day in days}


def _consequences(node: Node, moving: Mapping[str, set[Day]], ledger: Ledger) -> set[Day]:
    """The partitions that will be to be refreshed once what they are made of is.

    On which of them a change of a table without partitions shows is not known before: on any.
    """
    found: set[Day] = set()
    last = ledger.reporting.last if ledger.reporting else None
    for model in node.reads:
        days = moving.get(model.full_name(), set())
        if not days:
            continue
        if not node.is_partitioned:
            needed = node.needs(model, None, last)
            if needed is None or not days.isdisjoint(needed):
                found.add(None)
        elif None in days or days.issuperset(ledger.of(model.full_name())):
            found.update(ledger.of(node.name))
        elif model.grain() is node.grain and node.reads[model] == 1:
            found.update(days)
        else:
            found.update(d for day in days if day for d in node.reached_from(model, day))
    return found


def _was_tried(name: str, day: Day, why: Why, ledger: Ledger, tried: Pending | None) -> bool:
    if tried is not None:
        return tried.get(name, {}).get(day) == why
    failure = ledger.failed.get(name, {}).get(day)
    if failure is None:
        return False
    return failure.dump_version == why.dump if why.dump else why.version <= failure.version


def _needs_any(
    node: Node, day: Day, inputs: Mapping[type[Table], Collection[Day]], last: date | None
) -> bool:
    """Whether a partition, or a table without, needs any of some partitions of its inputs."""
    for model, days in inputs.items():
        if days:
            needed = node.needs(model, day, last)
            if needed is None or any(each in days for each in needed):
                return True
    return False
