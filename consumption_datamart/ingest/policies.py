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
    days that were never read.

    Args:
        one: the query.
        where: the name of the sources file, for messages.
        minutes: interval of the settings.

    Raises:
        LakeError: there is no such policy, or not for a query.
    """
    entry = one.entry
    word = f"on_cron({entry.schedule})" if entry.schedule else entry.policy or DEFAULT
    key = "schedule" if entry.schedule else "policy"
    try:
        condition: Any = policy_of(word)(minutes)
        if condition == AwaitsRefresh():
            raise PolicyError(
                f"{word}: nobody tells when a database has changed; write at_most_every(5), or"
                " on_cron(30 0 * * *)"
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
    if condition == once:
        condition = never
    else:
        condition = condition.replace(asked, last).replace(once, never) | never
    return (condition & ~AC.in_progress()).with_label(label)
