"""Sensors that tick in an instance of Dagster, without a daemon."""

from datetime import datetime, timedelta

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData
from dagster._core.scheduler.instigation import TickStatus as Tick
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin


def instigator(
    instance: dg.DagsterInstance, name: str, *, is_running: bool = True
) -> InstigatorState:
    """A sensor in the instance, switched on or off."""
    repository = RemoteRepositoryOrigin(
        InProcessCodeLocationOrigin(LoadableTargetOrigin(), location_name="here"), "repository"
    )
    status = InstigatorStatus.DECLARED_IN_CODE if is_running else InstigatorStatus.STOPPED
    state = InstigatorState(RemoteInstigatorOrigin(repository, name), InstigatorType.SENSOR, status)
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id)
    change = instance.update_instigator_state if known else instance.add_instigator_state
    return change(state) or state


def tick(
    instance: dg.DagsterInstance, state: InstigatorState, first: datetime, last: datetime
) -> None:
    """It ticks every minute."""
    while first <= last:
        instance.create_tick(
            TickData(
                state.instigator_origin_id,
                state.instigator_name,
                InstigatorType.SENSOR,
                Tick.SKIPPED,
                first.timestamp(),
                selector_id=state.selector_id,
            )
        )
        first += timedelta(minutes=1)
