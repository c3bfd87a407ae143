"""What runs are about at the moment, so that it is not asked for once more."""

from datetime import UTC, date, datetime

import dagster as dg

from consumption_datamart.partitions import days_of_tags
from consumption_datamart.runs import UNFINISHED, all_runs

BEGAN = datetime.now(UTC)
"""When this process did: the code server, of which runs are children."""


def under_way(instance: dg.DagsterInstance, began: datetime = BEGAN) -> dict[str, set[date]]:
    """What runs wait to refresh, or are refreshing: by the key of the asset, with dots, the days.

    A run that has started under an earlier code server may have died with it, and nobody would say
    so: it is not counted. At worst it is done twice.

    Args:
        instance: Dagster's.
        began: when the code server did.

    Returns:
        No days stand for all of an asset: it has none, or a run does not say which.
    """
    found: dict[str, set[date]] = {}
    for record in all_runs(instance, dg.RunsFilter(statuses=UNFINISHED)):
        run = record.dagster_run
        if run.status is not dg.DagsterRunStatus.QUEUED and record.update_timestamp < began:
            continue
        days = days_of_tags(run.tags)
        for key in run.asset_selection or ():
            name = ".".join(key.path)
            if days is None or found.get(name) == set():
                found[name] = set()
            else:
                found[name] = found.get(name, set()) | set(days.each())
    return found
