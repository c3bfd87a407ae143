"""Watching the lake: when it is observed."""

import dagster as dg

from consumption_datamart.factories.observation import is_news
from consumption_datamart.resources import LakeResource
from consumption_datamart.runs import is_under_way

OBSERVE_JOB = "observe_lake"
EVERY_MINUTE = "* * * * *"


def observe_schedule(lake: LakeResource) -> dg.ScheduleDefinition:
    """Every minute: observes the lake if it looks other than when it was last observed.

    The look lists the lake's folders and opens no file; a lake that is as it was starts no run, nor
    does one that is being observed.
    """

    @dg.schedule(
        name="observe_lake_every_minute",
        job_name=OBSERVE_JOB,
        cron_schedule=EVERY_MINUTE,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Observes the lake when a dump is new, changed or gone.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_under_way(context.instance, OBSERVE_JOB):
            return dg.SkipReason("the lake is being observed")
        if not is_news(context.instance, lake.open()):
            return dg.SkipReason("the lake is as it was")
        return dg.RunRequest()

    return schedule


def first_observation_sensor() -> dg.SensorDefinition:
    """Observes the lake once, as soon as the daemon runs: before the schedule's first minute."""

    @dg.sensor(
        name="observe_lake_at_first",
        job_name=OBSERVE_JOB,
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Observes the lake when Dagster is started for the first time.",
    )
    def sensor() -> dg.RunRequest:
        return dg.RunRequest(run_key="first")

    return sensor
