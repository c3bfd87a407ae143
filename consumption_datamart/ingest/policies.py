"""When a query is read by itself."""

from datetime import timedelta
from typing import Any

import dagster as dg

from consumption_datamart.automation import AwaitsRefresh
from consumption_datamart.automation.words import PolicyError, policy_of
from consumption_datamart.errors import LakeError
from consumption_datamart.lake.parsing import Ingest

AC: Any = dg.AutomationCondition
DEFAULT = "on_cron(30 0 * * *)"
HOURLY = "0 * * * *"
"""When a day that was asked for and is still missing is asked for again."""


def condition_of(one: Ingest, where: str, minutes: int) -> Any:
    """The condition of a query's policy; None: it is read by hand alone.

    At the policy's times it is true of the last days, which are read once more; and at any time of
    days that were never read. Where it is known what fills the database (`after`), the last days
    are read only when that was refreshed, and all once that is there and not being refreshed.

    Args:
        one: the query.
        where: the name of the sources file, for messages.
        minutes: interval of the settings.

    Raises:
        LakeError: there is no such policy, or not for a query.
    """
    entry = one.entry
    default = "eager" if entry.after else DEFAULT
    word = f"on_cron({entry.schedule})" if entry.schedule else entry.policy or default
    key = "schedule" if entry.schedule else "policy"
    try:
        condition: Any = policy_of(word)(minutes)
        if condition == AwaitsRefresh() and not entry.after:
            raise PolicyError(
                f"{word}: nobody tells when a database has changed; write at_most_every(5), or"
                " on_cron(30 0 * * *); or after, with the keys of the assets that fill it"
            )
    except PolicyError as error:
        raise LakeError(f"{where}: [[ingest]] {one.name}: {key}: {error}") from error
    if condition is None:
        return None
    asked_since = AC.newly_requested().since(AC.cron_tick_passed(HOURLY))
    never: Any = AC.missing() & ~asked_since
    last: Any = AC.in_latest_time_window(timedelta(days=entry.reread_days + 1))
    label = condition.get_label()
    asked, once = AwaitsRefresh(), AwaitsRefresh(only_missing=True)
    is_there: Any = ~AC.in_progress()
    if entry.after:
        last = last & AC.any_deps_updated().since(AC.newly_requested())
        failed = AC.execution_failed() & AC.cron_tick_passed(HOURLY).since(AC.newly_requested())
        never = never | failed
        is_there = is_there & ~AC.any_deps_missing() & ~AC.any_deps_in_progress()
    if condition == once:
        condition = never
    elif condition == asked:
        condition = last | never
    else:
        condition = condition.replace(asked, last).replace(once, never) | never
    return (condition & is_there).with_label(label)
