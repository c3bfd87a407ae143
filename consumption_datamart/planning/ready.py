"""What can be refreshed now, of what is to be: in which order tables follow each other."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from consumption_datamart.planning.graph import Node, in_order
from consumption_datamart.planning.pending import Pending, Why
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.ledger import Day, Ledger

EXTENT = (Dumps.full_name(), ReportingDay.full_name())
"""Tables that say which days the mart has."""


def ready(
    nodes: Sequence[Node], ledger: Ledger, waiting: Pending, tried: Pending | None = None
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
        awaited = {model: moving[model.full_name()] for model in inputs}
        for day, why in waiting.get(name, {}).items():
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
            if not _needs_any(node, day, awaited, last):
                found[name][day] = why
    return found


def with_followers(nodes: Sequence[Node], waiting: Pending, offered: Pending) -> Pending:
    """What is ready, and the partitions that can follow it in the same run.

    A table that is made of nothing but tables of the same grain, period by period, is refreshed
    with them, unless it waits for others.

    Args:
        nodes: all tables.
        waiting: what is to be refreshed.
        offered: what is ready.
    """
    found = dict(offered)
    for node in in_order(nodes):
        inputs = [model.full_name() for model in node.reads]
        alike = [model.grain() is node.grain and n == 1 for model, n in node.reads.items()]
        if not node.is_partitioned or not inputs or not all(alike) or node.after:
            continue
        follows = {day: why for name in inputs for day, why in found.get(name, {}).items()}
        held_up = any(waiting.get(name, {}).keys() - follows.keys() for name in inputs)
        if not held_up and waiting.get(node.name, {}).keys() <= follows.keys():
            found[node.name] = follows
    return found


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
