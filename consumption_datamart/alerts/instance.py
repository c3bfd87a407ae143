"""Readings of what Dagster's instance holds: checks, runs, schedules and sensors."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from consumption_datamart.alerts.machine import BROKEN, ODD, Reading
from consumption_datamart.partitions import days_of_tags

RUNS = 200
"""Finished runs that are looked at."""
GAP = timedelta(minutes=3)
"""Without any tick for longer, the daemon was off."""
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
OK = 0.0


def check_readings(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetCheckKey]
) -> Iterator[Reading]:
    """The latest evaluation of each check; one that is being evaluated is unknown."""
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    for key, record in sorted(latest.items()):
        subject = f"{key.asset_key.to_user_string()}: {key.name}"
        if record.status is AssetCheckExecutionRecordStatus.PLANNED:
            yield Reading("check", subject, None, "")
        elif record.event is None or record.event.dagster_event is None:
            yield Reading("check", subject, BROKEN, "the check could not be evaluated")
        else:
            found = record.event.dagster_event.asset_check_evaluation_data
            severe = found.severity is dg.AssetCheckSeverity.ERROR
            value = OK if found.passed else BROKEN if severe else ODD
            fails = found.description or "the check fails"
            yield Reading("check", subject, value, "the check passes" if found.passed else fails)


def run_readings(instance: dg.DagsterInstance, build_job: str) -> Iterator[Reading]:
    """Whether the last run of each kind has failed.

    A failed run of some assets is made up for when all of them were made by later runs, on its
    days; one of the build job makes all. Other runs are made up for by one of the same job.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=FINISHED), limit=RUNS)
    failures: dict[str, tuple[dg.DagsterRun, frozenset[object]]] = {}
    for record in sorted(records, key=lambda each: each.end_time or 0):
        run = record.dagster_run
        if run.status is dg.DagsterRunStatus.FAILURE:
            failures[_subject(run)] = run, frozenset(run.asset_selection or [run.job_name])
            continue
        for subject, (failed, left) in failures.items():
            if _is_on_its_days(run, failed):
                made = run.asset_selection or (left if run.job_name == build_job else ())
                failures[subject] = failed, left - {*made, run.job_name}
    for subject, (run, left) in sorted(failures.items()):
        summary = f"run {run.run_id} has failed" if left else "later runs have succeeded"
        yield Reading("run", subject, BROKEN if left else OK, summary)


def automation_readings(
    instance: dg.DagsterInstance, names: Collection[str], silent: timedelta, now: datetime
) -> Iterator[Reading]:
    """Schedules and sensors that should be running: whether they are switched on, and tick.

    How long one has been silent counts only as far back as any of them ticked without a gap: after
    a night with the daemon off none is dead.
    """
    if instance.schedule_storage is None:  # an instance in memory has neither
        return
    states = {}
    for state in instance.all_instigator_state():
        if state.instigator_name in names:
            which = state.instigator_origin_id, state.selector_id
            ticks = instance.get_ticks(*which, after=(now - silent - GAP).timestamp())
            ticks = ticks or instance.get_ticks(*which, limit=1)
            at = [datetime.fromtimestamp(tick.timestamp, UTC) for tick in ticks]
            states[state.instigator_name] = state, at
    watching = _unbroken([tick for _, at in states.values() for tick in at], now)
    for name, (state, at) in sorted(states.items()):
        kind = state.instigator_type.value.lower()
        if not state.is_running:
            yield Reading("automation", name, ODD, f"the {kind} is switched off")
            continue
        last = max(at, default=None)
        is_dead = now - max(last or watching, watching) > silent
        told = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "ever"
        summary = f"the {kind} has not ticked {told}" if is_dead else f"the {kind} ticks"
        yield Reading("automation", name, BROKEN if is_dead else OK, summary)


def _unbroken(ticks: Collection[datetime], now: datetime) -> datetime:
    """Since when there was always a tick before long."""
    since = now
    for tick in sorted(ticks, reverse=True):
        if since - tick > GAP:
            break
        since = tick
    return since


def _subject(run: dg.DagsterRun) -> str:
    days = days_of_tags(run.tags)
    what = sorted(key.to_user_string() for key in run.asset_selection or ())
    names = [what[0] + (f" and {len(what) - 1} more" if what[1:] else "")] if what else []
    return " ".join(names or [run.job_name]) + (f" {days}" if days else "")


def _is_on_its_days(run: dg.DagsterRun, failed: dg.DagsterRun) -> bool:
    days, failed_days = days_of_tags(run.tags), days_of_tags(failed.tags)
    if days is None or failed_days is None:
        return True
    return failed_days.first in days and failed_days.last in days
