"""Evaluating alerts every minute: a look that starts a run only if there is something to tell."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from consumption_datamart.alerts.config import AlertSettings, load_alert_settings
from consumption_datamart.alerts.evaluation import Watched, evaluate, judge, read
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.checks import as_dagster_failure
from consumption_datamart.errors import WarehouseError
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.runs import is_any, is_under_way

ALERT_JOB = "alert"
SENSOR = "alerts"
TICK_SECONDS = 60
PATIENCE = 5.0
"""Seconds that a look waits to write down that it was made; the next is made in a minute."""
RETRY = timedelta(minutes=5)
"""How long after a run in which a route was down the next is started for it."""


def alert_job(watched: Watched, file: Path) -> dg.JobDefinition:
    """Evaluates the alerts, writes down what has changed, and tells it.

    Args:
        watched: what to look at.
        file: of the settings, see `AlertSettings`; read when the job runs.
    """

    @dg.op(name="evaluate_alerts")
    def evaluate_alerts(context: dg.OpExecutionContext, readers: WarehouseResource) -> None:
        with as_dagster_failure():
            settings = load_alert_settings(file)
            # what was released, so that it never waits for a run that writes
            released = readers.open().released()
            evaluate(released, context.instance, watched, settings, context.log)

    @dg.job(name=ALERT_JOB, description="Evaluates the alerts and tells what has changed.")
    def job() -> None:
        evaluate_alerts()

    return job


def alert_sensor(warehouse: WarehouseResource, watched: Watched, file: Path) -> dg.SensorDefinition:
    """Every minute: starts that job if a line is crossed, or a route is still to be told.

    Else it writes down that it has looked.
    """

    @dg.sensor(
        name=SENSOR,
        job_name=ALERT_JOB,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells what goes wrong, and when it is over.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _look(context.instance, warehouse, watched, load_alert_settings(file))

    return sensor


def _look(
    instance: dg.DagsterInstance,
    warehouse: WarehouseResource,
    watched: Watched,
    settings: AlertSettings,
) -> dg.RunRequest | dg.SkipReason:
    # what was released, so that it never waits for a run that writes
    opened, now = warehouse.open().released(), datetime.now(UTC)
    if not opened.is_there():
        return dg.SkipReason("nothing is built yet")
    if is_under_way(instance, ALERT_JOB):
        return dg.SkipReason(f"a run of {ALERT_JOB} is under way")
    book, found = AlertStore(opened), read(opened, instance, watched, settings, now)
    change = judge(book.alerts(), found, now.replace(tzinfo=None))
    if change.transitions:
        return dg.RunRequest()
    with suppress(WarehouseError):  # on SQLite a build may be writing
        AlertStore(opened.waiting_at_most(PATIENCE)).mark_evaluated(now.replace(tzinfo=None))
    after = dg.RunsFilter(job_name=ALERT_JOB, created_after=now - RETRY)
    if not book.pending().empty and not is_any(instance, after):
        return dg.RunRequest()
    return dg.SkipReason("no line is crossed")
