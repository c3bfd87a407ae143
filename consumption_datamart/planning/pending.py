"""What is stale, and why: what the lake has and what the ledger says was published, compared.

What is stale is decided here and nowhere else; it is pure.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from consumption_datamart.planning.graph import Node
from consumption_datamart.planning.news import LakeNews
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
"""Full name → the partitions of a table that are to be refreshed, None of one without."""


def pending(nodes: Sequence[Node], ledger: Ledger, news: LakeNews) -> Pending:
    """What is to be refreshed, by what has happened so far.

    A table without partitions is, when it was never built or by other code, or when anything that
    it is made of has a later version. A partitioned table holds all days of the lake; each of its
    periods is, likewise, by the partitions that it is made of, and by the changes of tables without
    partitions that show on it; but for those that are closed.
    """
    return {
        node.name: _pending_periods(node, ledger, news)
        if node.is_partitioned
        else _pending_whole(node, ledger, news)
        for node in nodes
    }


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


def _pending_periods(node: Node, ledger: Ledger, news: LakeNews) -> dict[Day, Why]:
    own, dumps = ledger.of(node.name), news.changed.get(node.name, {})
    days = news.days or ledger.reporting
    reasons: dict[date, str] = {}
    oldest = min((each.version for each in own.values()), default=0)
    for model in node.reads:
        for day, each in ledger.of(model.full_name()).items():
            if day is not None and each.changed > oldest:
                for target in node.reached_from(model, day):
                    if target in own and own[target].version < each.changed:
                        reasons.setdefault(target, f"{model.table_name()} is newer")
    for day, change in ledger.awaited.get(node.name, {}).items():
        if day in own:
            reasons.setdefault(day, f"{change.table.split('.')[-1]} has changed")
    reasons |= {day: OTHER_CODE for day, each in own.items() if day and not each.is_current}
    lacking = node.model.periods(days) if days else []
    reasons |= {day: NEVER_BUILT for day in lacking if day and day not in own}
    reasons |= dict.fromkeys(dumps, NEW_DUMP)
    closed = node.closed(ledger.pruned)
    return {
        day: Why(reason, max(_newest(node, ledger, day).values(), default=0), dumps.get(day, ""))
        for day, reason in sorted(reasons.items())
        if day not in closed
    }


def _newest(node: Node, ledger: Ledger, day: Day) -> dict[str, int]:
    """By what a table is made of: the latest version of it, or of what a partition needs of it."""
    found = {}
    last = ledger.reporting.last if ledger.reporting else None
    for model in node.reads:
        published = ledger.of(model.full_name())
        needed = node.needs(model, day, last)
        if needed is None:
            changes = [each.changed for each in published.values()]
        else:
            changes = [published[each].changed for each in needed if each in published]
        found[model.table_name()] = max(changes, default=0)
    return found
