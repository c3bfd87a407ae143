"""Looking for syncs: what Fivetran has done since it was last looked is recorded in Dagster."""

import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import dagster as dg
from dagster_fivetran.translator import FivetranConnector

from consumption_datamart.errors import DatamartError
from consumption_datamart.fivetran import GROUP, AccountEntry, ConnectorEntry
from consumption_datamart.fivetran.client import Fivetran
from consumption_datamart.private import keep, kept

SYNCED = "synced"
TICK_SECONDS = 30
LOOK_SECONDS = 20
"""Of a tick, which Dagster ends after a minute; who is left is first in the next."""
ANSWER_SECONDS = 6.0
"""At most that long a tick waits for an answer: three tries, at two addresses, take 36 s then."""

NOBODY = "[null, 0]"
"""Is kept of a connector that no run awaits."""
NEXT = "/next"
"""In the cursor, beside the names of connectors: who is first in the next tick."""
LATE_SECONDS = 300
"""What a run may need besides waiting."""


class Seen(NamedTuple):
    """What was last recorded of a connector.

    Attributes:
        synced: when a sync has last succeeded, as Fivetran writes it.
        told: what was wrong; None: nothing; at first neither is known.
    """

    synced: str | None
    told: str | None


def sensor_of(account: AccountEntry, connectors: Sequence[ConnectorEntry]) -> dg.SensorDefinition:
    """Records each sync that has succeeded, and whether the last one did, for all connectors.

    Args:
        account: to ask.
        connectors: to ask about.
    """

    @dg.sensor(
        name="fivetran_syncs",
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Records the syncs of Fivetran's connectors.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        begun, done, found = time.monotonic(), 0, list[Any]()
        # with the cursor Dagster also keeps the events, or neither
        seen: dict[str, Any] = json.loads(context.cursor or "{}")
        first = int(seen.get(NEXT, 0)) % len(connectors)
        seconds = min(account.timeout_seconds, ANSWER_SECONDS)
        asked = account.model_copy(update={"timeout_seconds": seconds})
        for connector in [*connectors[first:], *connectors[:first]]:
            if done and time.monotonic() - begun > LOOK_SECONDS:
                break
            last = Seen(*seen.get(connector.name, (None, "")))
            news, now = looked(context.instance, asked, connector, last)
            found += news
            seen[connector.name] = now
            done += 1
        seen[NEXT] = first + done
        return dg.SensorResult(asset_events=found, cursor=json.dumps(seen))

    return sensor


def looked(
    instance: dg.DagsterInstance, account: AccountEntry, connector: ConnectorEntry, last: Seen
) -> tuple[list[dg.AssetMaterialization | dg.AssetCheckEvaluation], Seen]:
    """What is new of a connector since it was last looked at, and what is seen now.

    Args:
        instance: Dagster's, in which runs keep what they have recorded.
        account: to ask.
        connector: to ask about.
        last: what was seen then.
    """
    found: list[dg.AssetMaterialization | dg.AssetCheckEvaluation] = []
    synced, told = last.synced, None
    try:
        state = Fivetran(account).state(connector)
        # asked before the run is looked for, so that what it has ended meanwhile is its to record
        if _is_awaited(instance, connector):
            return [], last
        told, now = trouble(state), state.succeeded_at
        if now and now not in (synced, kept(instance, _name(connector, "synced"))):
            found += [dg.AssetMaterialization(k, metadata=figures(state)) for k in connector.keys]
        synced = now
    except DatamartError as error:
        told = str(error)
    if told != last.told:
        found += [
            dg.AssetCheckEvaluation(
                asset_key=key, check_name=SYNCED, passed=told is None, description=told
            )
            for key in connector.keys
        ]
    return found, Seen(synced, told)


def awaits(
    instance: dg.DagsterInstance, account: AccountEntry, connector: ConnectorEntry, run_id: str
) -> None:
    """Keeps that a run will record the next sync: the sensor leaves it to it while it waits."""
    until = time.time() + account.patience_minutes * 60 + LATE_SECONDS
    keep(instance, _name(connector, "run"), json.dumps([run_id, until]))


def remember(instance: dg.DagsterInstance, connector: ConnectorEntry, synced: str) -> None:
    """Keeps which sync a run has recorded, so that the sensor does not, too."""
    keep(instance, _name(connector, "synced"), synced)


def awaits_no_more(instance: dg.DagsterInstance, connector: ConnectorEntry) -> None:
    """Lets the sensor record again."""
    keep(instance, _name(connector, "run"), NOBODY)


def _is_awaited(instance: dg.DagsterInstance, connector: ConnectorEntry) -> bool:
    run_id, until = json.loads(kept(instance, _name(connector, "run")) or NOBODY)
    # of a run that was killed with its daemon nobody says that it is over
    run = instance.get_run_by_id(run_id) if time.time() < until else None
    return run is not None and not run.is_finished


def trouble(state: FivetranConnector) -> str | None:
    """What is wrong with a connector; None: nothing is."""
    if not state.is_connected:
        return f"connector {state.id} is not set up ({state.setup_state}); see {state.url}"
    if state.is_paused:
        return f"connector {state.id} is paused; see {state.url}"
    if state.is_rescheduled:
        return f"connector {state.id} was put off to {state.rescheduled_for}; see {state.url}"
    if state.failed_at and not state.is_last_sync_successful:
        return f"the last sync of connector {state.id} failed at {state.failed_at}; see {state.url}"
    return None


def figures(state: FivetranConnector) -> dict[str, Any]:
    """Of a sync, as metadata."""
    return {
        "synced at": state.succeeded_at,
        "connector": dg.MetadataValue.url(state.url),
        "service": state.service,
    }


def _name(connector: ConnectorEntry, what: str) -> str:
    return f"consumption_datamart/{GROUP}/{connector.name}/{what}"
