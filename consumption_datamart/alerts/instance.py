"""Readings of what Dagster's instance holds: checks, runs, schedules and sensors."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

import dagster as dg

from consumption_datamart.alerts.machine import BROKEN, ODD, Reading, Transition
from consumption_datamart.partitions import PARTITION, days_of_tags
from consumption_datamart.private import LatestCheck, instigators, planned
from consumption_datamart.runs import PAGE, all_runs

FORGOTTEN = timedelta(days=30)
"""How long ago a run was made that is no longer looked at: that it has failed is over then."""
GAP = timedelta(minutes=3)
"""Without any tick for longer, the daemon was off."""
OK = 0.0
ANOMALY = "anomaly"
"""The signal whose subjects are checks that alerts themselves evaluate."""


def check_readings(latest: Mapping[dg.AssetCheckKey, LatestCheck]) -> Iterator[Reading]:
    """The latest evaluation of each check; one that is being evaluated is unknown."""
    for key, each in sorted(latest.items()):
        subject, found = check_subject(key), each.evaluation
        if each.is_under_way:
            yield Reading("check", subject, None, "")
        elif found is None:
            yield Reading("check", subject, BROKEN, "the check could not be evaluated")
        else:
            severe = found.severity is dg.AssetCheckSeverity.ERROR
            value = OK if found.passed else BROKEN if severe else ODD
            fails = found.description or "the check fails"
            yield Reading("check", subject, value, "the check passes" if found.passed else fails)


def check_subject(key: dg.AssetCheckKey) -> str:
    """What an alert of a check is about: `mart/dim_day: model`."""
    return f"{key.asset_key.to_user_string()}: {key.name}"


def show_anomalies(instance: dg.DagsterInstance, transitions: Iterable[Transition]) -> None:
    """Lets Dagster's UI show, as their checks, the anomalies that have begun or ended."""
    for alert in (each.alert for each in transitions if each.alert.signal == ANOMALY):
        key, _, name = alert.subject.rpartition(": ")
        shown = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey.from_user_string(key),
            check_name=name,
            passed=not alert.is_open,
            severity=dg.AssetCheckSeverity.WARN,
            description=alert.summary if alert.is_open else None,
            metadata={},
        )
        instance.report_runless_asset_event(shown)


def run_readings(instance: dg.DagsterInstance, build_job: str, now: datetime) -> Iterator[Reading]:
    """Of each kind of run the last that has failed, and whether it was made up for.

    A failed run of some assets is made up for when all of them were made by later runs, on its
    days; one of the build job makes all. It may have made some of its days itself, and several
    runs the others. Other runs are made up for by one of the same job.
    """
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], created_after=now - FORGOTTEN)
    failures: dict[str, dg.RunRecord] = {}
    for record in all_runs(instance, failed):
        known = failures.setdefault(_subject(record.dagster_run), record)
        if _end(record) > _end(known):
            failures[_subject(record.dagster_run)] = record
    left = _not_made_up_for(instance, failures, build_job) if failures else {}
    for subject, record in sorted(failures.items()):
        is_failed = bool(left[subject]) and not _is_made_in_parts(instance, record)
        run_id = record.dagster_run.run_id
        summary = f"run {run_id} has failed" if is_failed else "later runs have succeeded"
        yield Reading("run", subject, BROKEN if is_failed else OK, summary)


def _not_made_up_for(
    instance: dg.DagsterInstance, failures: Mapping[str, dg.RunRecord], build_job: str
) -> Mapping[str, AbstractSet[object]]:
    """What of each failed run no later run has made: its assets, or its job."""
    first = datetime.fromtimestamp(min(map(_end, failures.values())), UTC)
    later = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=first)
    runs = {subject: record.dagster_run for subject, record in failures.items()}
    left: dict[str, set[object]] = {
        subject: {*(run.asset_selection or [run.job_name])} for subject, run in runs.items()
    }
    for record in all_runs(instance, later):
        run = record.dagster_run
        for subject, failed in runs.items():
            if _end(record) > _end(failures[subject]) and _is_on_its_days(run, failed):
                all_ = left[subject] if run.job_name == build_job else ()
                left[subject] -= {*(run.asset_selection or all_), run.job_name}
        if not any(left.values()):
            break
    return left


def _is_made_in_parts(instance: dg.DagsterInstance, failed: dg.RunRecord) -> bool:
    """Whether each partition that a failed run has left was made since it began."""
    run_id, began = failed.dagster_run.run_id, failed.start_time or _end(failed)
    by_itself = by_others = True
    for asset, partitions in planned(instance, run_id).items():
        made = dg.AssetRecordsFilter(
            asset, asset_partitions=sorted(partitions), after_timestamp=began
        )
        makers: dict[str, set[str]] = {each: set() for each in partitions}
        cursor, has_more = None, by_others  # else nothing more is to be known
        while has_more:
            page = instance.fetch_materializations(made, limit=PAGE, cursor=cursor)
            for record in page.records:
                makers[str(record.partition_key)].add(record.run_id)
            cursor, has_more = page.cursor, page.has_more
        by_itself = by_itself and all(run_id in each for each in makers.values())
        by_others = by_others and all(makers.values())
    # what has made all that it was to, and failed, has failed in something else
    return by_others and not by_itself


def _end(record: dg.RunRecord) -> float:
    return record.end_time or 0


def automation_readings(
    instance: dg.DagsterInstance, names: Mapping[str, bool], silent: timedelta, now: datetime
) -> Iterator[Reading]:
    """Schedules and sensors that should be running: whether they are switched on, and tick.

    Of one that ticks seldom, such as every night, nothing follows from its silence.

    How long one has been silent counts only as far back as any of them ticked without a gap: after
    a night with the daemon off none is dead.
    """
    states = {each.name: each for each in instigators(instance, names, now - silent - GAP)}
    watching = _unbroken([tick for state in states.values() for tick in state.ticks], now)
    for name, state in sorted(states.items()):
        kind = state.kind
        if not state.is_running:
            yield Reading("automation", name, ODD, f"the {kind} is switched off")
            continue
        last = max(state.ticks, default=None)
        is_dead = names[name] and now - max(last or watching, watching) > silent
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
    days = days_of_tags(run.tags) or run.tags.get(PARTITION)
    what = sorted(key.to_user_string() for key in run.asset_selection or ())
    names = [what[0] + (f" and {len(what) - 1} more" if what[1:] else "")] if what else []
    return " ".join(names or [run.job_name]) + (f" {days}" if days else "")


def _is_on_its_days(run: dg.DagsterRun, failed: dg.DagsterRun) -> bool:
    days, failed_days = days_of_tags(run.tags), days_of_tags(failed.tags)
    if days is None or failed_days is None:
        return run.tags.get(PARTITION) in (None, failed.tags.get(PARTITION))
    return failed_days.first in days and failed_days.last in days
