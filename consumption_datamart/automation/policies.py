"""The policies by which assets refresh themselves; a team adds its own here.

A policy is a function that gives Dagster's condition for an asset. It is chosen in the asset's
spec: `policy=eager`, `policy=at_most_every(15)`. All of them ask the planner what is ready; they
only say when to ask.
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from consumption_datamart.automation.conditions import AwaitsRefresh
from consumption_datamart.schema.table import Table

AC: Any = dg.AutomationCondition
Condition = dg.AutomationCondition[Any]
MINUTES = 5
"""The interval of `at_most_every`, where none is given; the settings have the same."""

Policy = Callable[[int], Condition | None]
"""From the interval of the settings, in minutes, to the condition; None: never by itself."""


def eager(_: int = MINUTES) -> Condition:
    """As soon as anything that it is made of is newer; of a daily table just the days concerned."""
    return AwaitsRefresh().with_label("eager")


def at_most_every(minutes: int | None = None) -> Policy:
    """When anything that it is made of is newer, but not again within so many minutes.

    What was never built is built at once. Ticks are by the clock, in UTC: with 5 they are at 0:00,
    0:05, 0:10 …, and all that became newer since the last refresh is refreshed in the next.

    Args:
        minutes: a divisor of 60, or of 24 hours; by default that of the settings.

    Raises:
        ValueError: ticks so far apart would not be evenly spaced.
    """

    def at_most_every(of_settings: int = MINUTES) -> Condition:
        interval = of_settings if minutes is None else minutes
        due: Any = AwaitsRefresh() & _due(every(interval))
        return (due | AwaitsRefresh(only_missing=True)).with_label(f"at_most_every({interval})")

    if minutes is not None:
        every(minutes)
    return at_most_every


def on_cron(schedule: str) -> Policy:
    """At the times of a cron schedule (UTC), if anything that it is made of is newer."""

    def on_cron(_: int = MINUTES) -> Condition:
        due: Any = AwaitsRefresh() & _due(schedule)
        return due.with_label(f"on_cron({schedule})")

    return on_cron


def on_missing(_: int = MINUTES) -> Condition:
    """Once, when what it is made of is there; never again by itself."""
    return AwaitsRefresh(only_missing=True).with_label("on_missing")


def once_built(model: type[Table]) -> Condition:
    """Once, when a table that it depends on is there: what is then refreshed by a schedule."""
    is_there: Any = ~AC.missing()
    awaited = AC.any_deps_match(is_there).allow(dg.AssetSelection.assets(_key(model)))
    found: Any = AC.missing() & awaited & ~AC.in_progress()
    return found.with_label("once_built")


def after_others(model: type[Table], minutes: int = MINUTES) -> Condition:
    """When anything that it is made of was refreshed, once nothing of that is being refreshed.

    Not again within so many minutes, and first when a table is there that it is made of. It is for
    what the planner does not know: no table.

    Args:
        model: of that table, which has no days: of those that have, some may always be missing.
        minutes: a divisor of 60, or of 24 hours.
    """
    is_there: Any = AC.any_deps_match(~AC.missing()).allow(dg.AssetSelection.assets(_key(model)))
    is_quiet: Any = ~AC.any_deps_in_progress() & ~AC.in_progress()
    newer: Any = AC.any_deps_updated().since(AC.newly_requested() | AC.newly_updated())
    never: Any = AC.missing() & ~AC.newly_requested().since(AC.any_deps_updated())
    found: Any = is_there & is_quiet & (never | (newer & _due(every(minutes))))
    return found.with_label(f"after_others({minutes})")


def fetched_at(schedule: str) -> Condition:
    """At the times of a cron schedule (UTC), and once at first; for what is fetched from outside.

    What has failed is tried again at the next of these times.
    """
    first: Any = AC.missing() & ~AC.execution_failed()
    found: Any = (first | _due(schedule)) & ~AC.in_progress()
    return found.with_label(f"fetched_at({schedule})")


def after_fetch() -> Condition:
    """When anything that it is made of was refreshed, and none of that is missing.

    For a table that is made of what the planner does not know: of what was fetched.
    """
    newer: Any = AC.any_deps_updated().since(AC.newly_requested() | AC.newly_updated())
    never: Any = AC.missing() & ~AC.execution_failed()
    is_there: Any = ~AC.any_deps_missing() & ~AC.any_deps_in_progress()
    found: Any = (newer | never) & is_there & ~AC.in_progress()
    return found.with_label("after_fetch")


def manual(_: int = MINUTES) -> None:
    """Never by itself."""


def every(minutes: int) -> str:
    """The cron schedule of evenly spaced ticks.

    Raises:
        ValueError: there is none for so many minutes.
    """
    if 0 < minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *"
    hours, rest = divmod(minutes, 60)
    if rest == 0 and hours and 24 % hours == 0:
        return f"0 */{hours} * * *" if hours < 24 else "0 0 * * *"
    raise ValueError(
        f"{minutes} minutes: no even ticks; take a divisor of 60, or hours that divide a day"
    )


def _key(model: type[Table]) -> dg.AssetKey:
    return dg.AssetKey([model.schema_name(), model.table_name()])


def _due(schedule: str) -> Any:
    """The schedule's time has come since the target was last asked for."""
    return AC.cron_tick_passed(schedule).since(AC.newly_requested())
