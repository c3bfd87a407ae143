"""Runs, their events and their logs that are older than they are to be kept."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from consumption_datamart.partitions import days_of_tags
from consumption_datamart.private import delete_compute_logs
from consumption_datamart.runs import ENDED, all_runs
from consumption_datamart.settings import Settings


def prune_instance(
    settings: Settings, instance: dg.DagsterInstance, now: datetime | None = None
) -> int:
    """Deletes runs with their events, and what runs have written to their logs.

    Runs stay that Dagster's pages need: the last of each asset, and those of days, which it takes
    for never built without them.

    Args:
        settings: how long what is kept.
        instance: Dagster's.
        now: in UTC; by default the clock's.

    Returns:
        How many runs were deleted.
    """
    now = now or datetime.now(UTC)
    runs = 0
    if settings.keep_compute_logs_days is not None:
        for run in _ended(instance, now - timedelta(days=settings.keep_compute_logs_days)):
            delete_compute_logs(instance, run.run_id)
    if settings.keep_runs_days is not None:
        needed = {each.asset_entry.last_run_id for each in instance.get_asset_records()}
        for run in _ended(instance, now - timedelta(days=settings.keep_runs_days)):
            if run.run_id not in needed and days_of_tags(run.tags) is None:
                delete_compute_logs(instance, run.run_id)
                instance.delete_run(run.run_id)
                runs += 1
    return runs


def _ended(instance: dg.DagsterInstance, before: datetime) -> list[dg.DagsterRun]:
    only = dg.RunsFilter(statuses=list(ENDED), created_before=before)
    return [record.dagster_run for record in all_runs(instance, only)]
