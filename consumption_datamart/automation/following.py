"""When that is refreshed which is made of the mart, and which the planner does not know."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from consumption_datamart.automation.conditions import AwaitsRefresh
from consumption_datamart.automation.policies import AC
from consumption_datamart.planning import CurrentPlan, Node
from consumption_datamart.private.conditions import requested_before, subset


@dataclass(frozen=True)
class Mart:
    """What is asked about the mart.

    Attributes:
        plan: of the moment.
        nodes: the tables that are settled together, before readers see them.
    """

    plan: CurrentPlan
    nodes: Sequence[Node]

    def version(self, tables: Collection[str], tick: object) -> int | None:
        """The last publication that changed any of some tables, of which each was published.

        Returns:
            None, where one was not, the mart is not settled, or it cannot be told now.
        """
        ledger = self.plan.settled(self.nodes, tick)
        if ledger is None:
            return None
        versions = [[entry.changed for entry in ledger.of(name).values()] for name in tables]
        return max((max(each) for each in versions), default=0) if all(versions) else None


@dataclass(frozen=True)
class MartThere(dg.AutomationCondition[dg.AssetKey]):
    """True while the mart is settled, and all of these tables were published.

    Attributes:
        tables: their full names.
    """

    tables: tuple[str, ...] = ()
    mart: Mart | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "mart_is_settled"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """Asks the ledger."""
        version = self.mart and self.mart.version(self.tables, context.evaluation_time)
        return dg.AutomationResult(context, subset(context, set() if version is None else {""}))


@dataclass(frozen=True)
class MartNewer(MartThere):
    """True while the mart is settled, and any of these tables is newer than when it was asked for.

    By the ledger, and not by what Dagster has recorded: a build by the command counts, too. What
    becomes newer while the asset is being refreshed is not forgotten.
    """

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "mart_is_newer"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """Compares with the version that was there when the asset was last asked for."""
        now = self.mart and self.mart.version(self.tables, context.evaluation_time)
        offered, asked = json.loads(context.cursor or "[null, null]")
        if asked is None or requested_before(context):
            asked = offered
        is_newer = now is not None and asked is not None and now > asked
        seen = offered if now is None else now
        known = seen if asked is None else asked
        return dg.AutomationResult(
            context, subset(context, {""} if is_newer else set()), cursor=json.dumps([seen, known])
        )


def following(
    condition: Any, mart: Mart, tables: Collection[str], others: Collection[dg.AssetKey]
) -> Any:
    """A policy's condition for an asset that is made of tables of the mart, and of other assets.

    What the policy asks the planner is asked about these: whether any of them is newer than when
    the asset was last refreshed or asked for. It waits until the mart is settled, and nothing that
    it is made of is missing or being refreshed.

    Args:
        condition: of a policy; None stays None.
        mart: to ask.
        tables: of it, by full name.
        others: assets that are not the mart's, and that it is also made of.
    """
    if condition is None:
        return None
    named = tuple(sorted(tables))
    these = dg.AssetSelection.assets(*others)
    newer_mart: Any = MartNewer(named, mart)
    news: Any = AC.code_version_changed()
    ready: Any = MartThere(named, mart) & ~AC.in_progress()
    if others:
        news = news | AC.any_deps_updated().allow(these)
        ready = ready & ~AC.any_deps_missing().allow(these)
        ready = ready & ~AC.any_deps_in_progress().allow(these)
    newer = newer_mart | news.since(AC.newly_requested())
    never: Any = AC.missing() & ~AC.newly_requested().since(newer_mart | news)
    meant = {
        AwaitsRefresh(): (ready & (newer | never)).with_label("awaits_refresh"),
        AwaitsRefresh(only_missing=True): (ready & never).with_label("never_built"),
    }
    for asked, instead in meant.items():
        if condition == asked:
            return instead.with_label(condition.get_label())
        condition = condition.replace(asked, instead)
    return condition
