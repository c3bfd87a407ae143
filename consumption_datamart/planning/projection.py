"""The dry run: all that will be refreshed, told beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumption_datamart.planning.graph import Node, in_order
from consumption_datamart.planning.news import LakeNews
from consumption_datamart.planning.pending import pending
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.warehouse.ledger import Day, Ledger


@dataclass(frozen=True)
class Step:
    """A table, or days of it, to refresh.

    Attributes:
        table: its full name.
        days: of consecutive partitions; None of a table without, and where they are not known yet.
        reason: in words.
    """

    table: str
    days: Days | None
    reason: str


def project(nodes: Sequence[Node], ledger: Ledger, news: LakeNews) -> list[Step]:
    """All that will be refreshed, as far as it can be told before anything is.

    On which days the change of a table without days shows is known only once it is refreshed.
    """
    waiting, steps = pending(nodes, ledger, news), []
    last = news.days.last if news.days else None
    planned: dict[str, dict[Day, str]] = {}
    for node in in_order(nodes):
        own = {day: why.reason for day, why in waiting[node.name].items()}
        changing = []
        for model in node.reads:
            first = planned.get(model.full_name(), {})
            reason = f"{model.table_name()} is refreshed"
            if not node.is_partitioned:
                needed = node.needs(model, None, last)
                if first and (needed is None or first.keys() & set(needed)):
                    own.setdefault(None, reason)
            elif None not in first:
                for day in first:
                    for reached in node.reached_from(model, day) if day else ():
                        if news.days is None or reached <= news.days.last:
                            own.setdefault(reached, reason)
            elif model is not ReportingDay:
                changing.append(model.table_name())
        planned[node.name] = own
        steps += _steps(node, own)
        if changing:
            reason = f"on the days that a change of {' or '.join(changing)} shows"
            steps.append(Step(node.name, None, reason))
    return steps


def _steps(node: Node, reasons: Mapping[Day, str]) -> list[Step]:
    """Consecutive partitions with one reason together."""
    steps = [Step(node.name, None, reasons[None])] if None in reasons else []
    for reason in dict.fromkeys(reasons.values()):
        periods = [day for day, each in reasons.items() if day is not None and each == reason]
        steps += [Step(node.name, days, reason) for days in node.grain.ranges(periods)]
    return steps
