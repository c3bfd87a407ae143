"""The policies by which assets refresh themselves; a team adds its own here.

A policy is a function from what is refreshed to Dagster's condition for it. It is chosen in the
asset's spec: `policy=eager`, `policy=at_most_every(15)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from consumption_datamart.automation.conditions import DaysTouched, Observed, Requested

AC: Any = dg.AutomationCondition
Condition = dg.AutomationCondition[Any]


@dataclass(frozen=True)
class Target:
    """An asset that a policy is for.

    Attributes:
        is_daily: whether it is partitioned by day.
        is_loaded: whether it is made of the lake, which is observed, not built.
        whole: keys of the assets without days that it is made of.
        apart: keys of the assets that it is made of and that are not built in the same run: of
            another grain, or read over several days.
        minutes: the interval of `at_most_every`, where none is given; the settings have the same.
    """

    is_daily: bool
    is_loaded: bool = False
    whole: tuple[dg.AssetKey, ...] = ()
    apart: tuple[dg.AssetKey, ...] = ()
    minutes: int = 5

    @property
    def is_of_whole(self) -> bool:
        """Whether it has days, and is made of assets that have none."""
        return self.is_daily and bool(self.whole)


DAILY = dg.AssetSelection.tag("grain", "event") | dg.AssetSelection.tag("grain", "day")
"""Assets that are partitioned by day."""

Policy = Callable[[Target], Condition | None]


def eager(target: Target) -> Condition:
    """As soon as anything that it is made of is newer; of a daily table just the days concerned."""
    together = AC.any_deps_match(AC.will_be_requested()).ignore(_only(target.apart))
    return ((_newer(target) | together) & _may_run(target)).with_label("eager")


def at_most_every(minutes: int | None = None) -> Policy:
    """When anything that it is made of is newer, but not again within so many minutes.

    What was never built is built at once. Ticks are by the clock, in UTC: with 5 they are at 0:00,
    0:05, 0:10 …, and all that became newer since the last refresh is refreshed in the next.

    Args:
        minutes: a divisor of 60, or of 24 hours; by default that of the settings.

    Raises:
        ValueError: ticks so far apart would not be evenly spaced.
    """

    def at_most_every(target: Target) -> Condition:
        interval = target.minutes if minutes is None else minutes
        due = _due(every(interval)) | AC.missing()
        return _when(due, target).with_label(f"at_most_every({interval})")

    if minutes is not None:
        every(minutes)
    return at_most_every


def on_cron(schedule: str) -> Policy:
    """At the times of a cron schedule (UTC), if anything that it is made of is newer."""

    def on_cron(target: Target) -> Condition:
        return _when(_due(schedule), target).with_label(f"on_cron({schedule})")

    return on_cron


def on_missing(target: Target) -> Condition:
    """Once, when what it is made of is there; never again by itself."""
    ready = _newer(target) if target.is_daily else ~AC.any_deps_missing() & ~AC.execution_failed()
    return (AC.missing() & ready & _may_run(target) & _settled(target)).with_label("on_missing")


def manual(_: Target) -> None:
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


def _due(schedule: str) -> Any:
    """The schedule's time has come since the target was last asked for."""
    return AC.cron_tick_passed(schedule).since(AC.newly_requested())


def _when(due: Any, target: Target) -> Any:
    """Once it is due, if anything is newer, and all that it is made of has caught up."""
    return _newer(target) & due & _may_run(target) & _settled(target)


def _newer(target: Target) -> Condition:
    """Something that it is made of was updated since it was last built or asked for.

    A daily table follows daily ones day by day. Of an asset without days it takes only the days
    that the asset's publication says its change touches.
    """
    if target.is_loaded:
        return _unanswered(AC.any_deps_match(Observed()))
    updated = AC.any_deps_match(AC.newly_updated())
    if not target.is_of_whole:
        return _unanswered(updated)
    return _unanswered(updated.ignore(_only(target.whole))) | _unanswered(DaysTouched())


def _unanswered(event: Any) -> Any:
    """The event is later than the target's last build, and later than it was last asked for.

    Not `since_last_handled`: where both were within one tick, that forgets the event, even the
    later one; the times of events are lost wherever conditions are joined by `|`.
    """
    return event.since(AC.newly_updated()) & event.since(AC.newly_requested())


def _may_run(target: Target) -> Condition:
    """Nothing that it is made of is about to change, and no run that just did goes on with it.

    Dimensions have to be there. A daily table also waits until they have caught up, so that its
    rows find theirs.
    """
    passing_by = AC.any_deps_match(AC.newly_updated() & AC.executed_with_root_target())
    idle = ~passing_by & ~AC.any_deps_in_progress() & ~AC.in_progress()
    asked_apart = AC.any_deps_match(Requested()).allow(_only(target.apart))
    lacks = AC.missing() & ~AC.will_be_requested()
    if target.is_daily:
        lacks = lacks | _is_behind() | AC.any_deps_match(Requested())
    return idle & ~asked_apart & ~AC.any_deps_match(lacks).allow(_only(target.whole))


def _settled(target: Target) -> Condition:
    """All that it is made of has caught up with what that is made of."""
    whole, of_days = _only(target.whole), AC.any_deps_match(_is_behind(DAILY))
    return ~(
        AC.any_deps_match(_is_behind()).allow(whole)
        | of_days.ignore(whole)
        | AC.any_deps_match(Requested())
    )


def _is_behind(only: dg.AssetSelection | None = None) -> Condition:
    """Of something that the target is made of: it is yet to be asked for.

    Args:
        only: what it is made of that counts. Of a daily table that is what has days; what has none
            would put all its days behind.
    """
    updated = AC.any_deps_match(AC.newly_updated())
    return _unanswered(updated if only is None else updated.allow(only))


def _only(keys: Sequence[dg.AssetKey]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*keys)
