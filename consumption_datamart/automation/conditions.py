"""The condition that asks the planner."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import dagster as dg

from consumption_datamart.automation.under_way import under_way
from consumption_datamart.planning.current import CurrentPlan, Following, Look
from consumption_datamart.planning.pending import NEVER_BUILT, Pending, Why
from consumption_datamart.private.conditions import (
    instance_of,
    partitions_of,
    requested_before,
    requested_now,
    subset,
)
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.warehouse.ledger import Day

DAILY = dg.AssetKey(raw_of(Telemetry).full_name().split("."))
"""An asset that has the mart's days."""
FOLLOWING = " following"
"""Of what follows: it is asked for again, once it is ready, if it was not tried."""
Causes = dict[str, set[str]]
"""Why it was asked for → the days (ISO) that were; '' stands for an asset without days."""


@dataclass(frozen=True)
class AwaitsRefresh(dg.AutomationCondition[dg.AssetKey]):
    """True of what the planner says is ready to be refreshed, once for each reason.

    So what fails is not asked for again and again, and what becomes newer while it is being
    refreshed is not forgotten.

    Attributes:
        only_missing: whether only what was never built counts.
        plan: to ask; given when the code location is assembled.
    """

    only_missing: bool = False
    label: str | None = field(default=None, compare=False)
    plan: CurrentPlan | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "never_built" if self.only_missing else "awaits_refresh"

    def with_label(self, label: str | None) -> "AwaitsRefresh":
        """The same, called by another name in the UI."""
        return replace(self, label=label)

    def get_label(self) -> str | None:
        """What the UI calls it."""
        return self.label

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """Asks the planner, and leaves out what was asked for already."""
        table, asked = ".".join(context.key.path), self._asked(context)
        running = partial(under_way, instance_of(context))
        look = self.plan.look(context.evaluation_time, running) if self.plan else None
        if look is None:
            return dg.AutomationResult(context, subset(context, set()), cursor=_state(asked, {}))
        as_a_whole = context.partitions_def is None
        waiting = {
            _name(day): _cause(why) for day, why in _of(look.waiting, table, as_a_whole).items()
        }
        following = {table: _followers(context, look, table)}
        offered: Causes = {}
        for found, suffix in ((following, FOLLOWING), (look.ready, "")):
            for day, why in _of(found, table, as_a_whole).items():
                cause = _cause(why) + suffix
                is_new = _name(day) not in asked.get(cause, ())
                if is_new and (not self.only_missing or why.reason == NEVER_BUILT):
                    offered.setdefault(cause, set()).add(_name(day))
        kept = {
            cause: {day for day in days if waiting.get(day) == cause}
            for cause, days in asked.items()
        }
        true = subset(context, set().union(*offered.values()))
        return dg.AutomationResult(context, true, cursor=_state(kept, offered))

    def _asked(self, context: Any) -> Causes:
        """What was asked for, for which reason: of what was offered, what was then requested."""
        kept, offered = json.loads(context.cursor or "[{}, {}]")
        requested = requested_before(context) or set()
        asked = {cause: set(days) for cause, days in kept.items()}
        for cause, days in offered.items():
            asked.setdefault(cause, set()).update(requested & set(days))
        return asked


def _followers(context: Any, look: Look, table: str) -> Mapping[Day, Why]:
    """What of a table follows what the same tick asks for, and will be in the same run.

    Of what it is to follow another policy may hold something back. A run has the mart's own days;
    what has other partitions, or is made of it, has another run.
    """
    periods, inputs = look.following.get(table, Following({}, {}))
    keys = {name: dg.AssetKey(name.split(".")) for name in inputs}
    partitions = [context.partitions_def, *(partitions_of(context, key) for key in keys.values())]
    if any(each not in (None, partitions_of(context, DAILY)) for each in partitions):
        return {}
    for name, days in inputs.items():
        asked = requested_now(context, keys[name])
        if not asked or (asked != {""} and not {_name(day) for day in days} <= asked):
            return {}
    return periods


def bound(condition: Any, plan: CurrentPlan) -> Any:
    """The condition, asking this plan wherever it asks any; None stays None."""
    for only_missing in (False, True):
        unbound = AwaitsRefresh(only_missing)
        if condition is not None:
            condition = (
                replace(condition, plan=plan)
                if condition == unbound
                else condition.replace(unbound, replace(unbound, plan=plan))
            )
    return condition


def asks_planner(condition: Any) -> bool:
    """Whether a condition, or None, asks the planner, which knows only tables with a model."""
    return condition is not None and any(
        condition == unbound or condition.replace(unbound, ~unbound) != condition
        for unbound in (AwaitsRefresh(False), AwaitsRefresh(True))
    )


def with_plan(
    assets: Iterable[dg.AssetsDefinition], plan: CurrentPlan
) -> list[dg.AssetsDefinition]:
    """The assets, whose policies ask this plan."""

    def asking(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.automation_condition is None:
            return spec
        condition = bound(spec.automation_condition, plan)
        return spec.replace_attributes(automation_condition=condition)

    return list(dg.map_asset_specs(asking, assets))


def _state(asked: Causes, offered: Causes) -> str:
    return json.dumps(
        [{cause: sorted(days) for cause, days in each.items() if days} for each in (asked, offered)]
    )


def _of(found: Pending, table: str, as_a_whole: bool) -> Mapping[Day, Why]:
    """What is said of a table; of one whose periods are no partitions in Dagster the latest."""
    periods = found.get(table, {})
    if not as_a_whole or not periods:
        return periods
    return {None: max(periods.values(), key=lambda why: why.version)}


def _name(day: Day) -> str:
    return "" if day is None else day.isoformat()


def _cause(why: Why) -> str:
    return f"{why.version} {why.dump}".strip()
