"""The only user of Dagster's private API, for what there is no public way to.

Each function tells the private thing that it stands on. When Dagster changes one,
`consumption_datamart_tests/test_private_calls.py` fails, and this package alone is to be mended.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster_shared.record import copy


@dataclass(frozen=True)
class LatestCheck:
    """What became of the latest evaluation of a check.

    Attributes:
        is_under_way: whether it is being evaluated now.
        evaluation: its result; None: it is under way, or could not be evaluated.
    """

    is_under_way: bool
    evaluation: dg.AssetCheckEvaluation | None


@dataclass(frozen=True)
class Instigator:
    """A schedule or a sensor that an instance knows.

    Attributes:
        name: of the schedule or sensor.
        kind: "schedule" or "sensor".
        is_running: whether it is switched on.
        ticks: when it has ticked, as far back as was asked; where it has not, the last time before.
    """

    name: str
    kind: str
    is_running: bool
    ticks: Sequence[datetime]


def latest_checks(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetCheckKey]
) -> dict[dg.AssetCheckKey, LatestCheck]:
    """The latest evaluation of each of these checks; a check that never was evaluated is left out.

    Private: `event_log_storage.get_latest_asset_check_execution_by_key` and its records. The public
    methods of an instance do not know checks.
    """
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    found = {}
    for key, record in latest.items():
        is_under_way = record.status is AssetCheckExecutionRecordStatus.PLANNED
        event = record.event.dagster_event if record.event else None
        is_told = event is not None and not is_under_way
        evaluation = event.asset_check_evaluation_data if event and is_told else None
        found[key] = LatestCheck(is_under_way, evaluation)
    return found


def planned(instance: dg.DagsterInstance, run_id: str) -> dict[dg.AssetKey, set[str]]:
    """The partitions that a run was to make of each asset; those without partitions are left out.

    Private: `all_logs` and the data of its events. Of planned materializations only the last of an
    asset is public.
    """
    found: dict[dg.AssetKey, set[str]] = {}
    wanted = {dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
    for entry in instance.all_logs(run_id, of_type=wanted):
        data = entry.get_dagster_event().asset_materialization_planned_data
        of_several = data.partitions_subset.get_partition_keys() if data.partitions_subset else ()
        if keys := {*of_several, *([data.partition] if data.partition else [])}:
            found.setdefault(data.asset_key, set()).update(keys)
    return found


def kept(instance: dg.DagsterInstance, name: str) -> str | None:
    """The text that is kept in an instance under a name; None: there is none.

    Private: `daemon_cursor_storage`. The public cursors belong to one sensor each, while this is
    written by a run and read by a schedule.
    """
    return instance.daemon_cursor_storage.get_cursor_values({name}).get(name)


def keep(instance: dg.DagsterInstance, name: str, text: str) -> None:
    """Keeps a text in an instance under a name, for `kept`, in place of what was kept before.

    Private: `daemon_cursor_storage`, see `kept`.
    """
    instance.daemon_cursor_storage.set_cursor_values({name: text})


def delete_compute_logs(instance: dg.DagsterInstance, run_id: str) -> None:
    """Deletes what a run has written to its logs, if there is any of it.

    Private: `compute_log_manager`.
    """
    instance.compute_log_manager.delete_logs(prefix=[run_id])


def instigators(
    instance: dg.DagsterInstance, names: Collection[str], since: datetime
) -> Iterator[Instigator]:
    """The schedules and sensors of these names that the instance knows; in memory it knows none.

    Args:
        instance: Dagster's.
        names: of schedules and sensors.
        since: all ticks after this are told.

    Private: `schedule_storage`, `all_instigator_state`, `get_ticks` and the ids of origin and
    selector. The public API tells of a sensor only within its own tick.
    """
    if instance.schedule_storage is None:
        return
    for state in instance.all_instigator_state():
        if state.instigator_name in names:
            which = state.instigator_origin_id, state.selector_id
            ticks = instance.get_ticks(*which, after=since.timestamp())
            ticks = ticks or instance.get_ticks(*which, limit=1)
            yield Instigator(
                state.instigator_name,
                state.instigator_type.value.lower(),
                state.is_running,
                [datetime.fromtimestamp(tick.timestamp, UTC) for tick in ticks],
            )


def freshness(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetKey]
) -> dict[dg.AssetKey, str]:
    """The state of the freshness policy of each asset: "PASS", "WARN", "FAIL" or another.

    An asset whose policy was never evaluated is left out.

    Private: `get_freshness_state_records` and its records. Publicly a state is only a condition of
    automation.
    """
    states = instance.get_freshness_state_records(list(keys))
    return {key: state.freshness_state.value for key, state in states.items()}


class RewritingSensor(dg.AutomationConditionSensorDefinition):
    """Dagster's own, but that what a tick asks for is first handed to `rewritten`.

    Private: `evaluate_tick`, what it returns, and the copying of that. Publicly an automation
    condition sensor either launches a run for each partition or a backfill.
    """

    def rewritten(self, requests: Sequence[dg.RunRequest]) -> Sequence[dg.RunRequest]:
        """What is to be asked for instead; by default the same."""
        return requests

    def evaluate_tick(self, context: dg.SensorEvaluationContext) -> SensorExecutionData:
        """What Dagster asks for, rewritten."""
        found = super().evaluate_tick(context)
        return copy(found, run_requests=list(self.rewritten(found.run_requests or [])))


def resolved_job(definitions: dg.Definitions, name: str) -> dg.JobDefinition:
    """The job of a name, which a selection of assets was made into.

    Private: `resolve_job_def`. The public `get_job_def` warns that it will cease to do this.
    """
    return definitions.resolve_job_def(name)


def assets_of(job: dg.JobDefinition) -> AbstractSet[dg.AssetKey]:
    """The assets that a job materializes.

    Private: `asset_layer`. The public API tells only of all assets of a code location.
    """
    return job.asset_layer.selected_asset_keys


def part_of(job: dg.JobDefinition, assets: AbstractSet[dg.AssetKey]) -> dg.JobDefinition:
    """The job, of some of its assets and those of its checks that are on them.

    Private: `asset_layer` and `get_subset`. The public `execute_in_process(asset_selection=…)`
    evaluates all checks of an asset, those too that are none of the job's.
    """
    checks = job.asset_layer.asset_graph.get_check_keys_for_assets(assets)
    return job.get_subset(asset_selection=assets, asset_check_selection=checks)


def seconds_of(event: dg.DagsterEvent) -> float:
    """How long a step took, by the event of its success.

    Private: `step_success_data`; public are only the kinds of events.
    """
    return event.step_success_data.duration_ms / 1000


def metadata_of(event: dg.DagsterEvent) -> Mapping[str, dg.MetadataValue]:
    """The metadata of a materialization, by its event.

    Private: `step_materialization_data`, see `seconds_of`.
    """
    return event.step_materialization_data.materialization.metadata


def failure_of(event: dg.DagsterEvent) -> str:
    """Why a step failed, in a line, by the event of that: what it says, else its first cause.

    Private: `step_failure_data`, see `seconds_of`.
    """
    failure = event.step_failure_data
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    told = failure.user_failure_data.description if failure.user_failure_data else None
    return told or (error.message.strip().splitlines()[0] if error else "unknown error")
