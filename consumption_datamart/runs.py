"""Dagster's runs, as they are asked for by job and by how they ended."""

from collections.abc import Iterator

import dagster as dg

ENDED = {
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
}
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in ENDED]
PAGE = 500
"""Runs that are read at once."""


def is_any(instance: dg.DagsterInstance, runs: dg.RunsFilter) -> bool:
    """Whether there is such a run."""
    return bool(instance.get_run_records(runs, limit=1))


def is_under_way(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of a job waits, or has begun and not ended."""
    return is_any(instance, dg.RunsFilter(job_name=job, statuses=UNFINISHED))


def all_runs(instance: dg.DagsterInstance, runs: dg.RunsFilter) -> Iterator[dg.RunRecord]:
    """All such runs, those made last first; no more are read than are taken."""
    last = None
    while page := instance.get_run_records(runs, limit=PAGE, cursor=last):
        yield from page
        last = page[-1].dagster_run.run_id
