"""The job that prunes, every night."""

import dagster as dg

from consumption_datamart.checks import as_dagster_failure
from consumption_datamart.factories import Catalog
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.retention.mart import prune_mart
from consumption_datamart.retention.of_dagster import prune_instance
from consumption_datamart.settings import Settings

PRUNE_JOB = "prune"
EVERY_NIGHT = "30 2 * * *"
SAYS = "Deletes what is older than the settings say that it is kept."
LIMITS = ("keep_raw_days", "keep_quarantine_days", "keep_runs_days", "keep_compute_logs_days")
"""Settings without which nothing is too old; replaced results the monitoring job deletes, too."""


def prune_job(catalog: Catalog) -> dg.JobDefinition:
    """Deletes what is older than the settings say that it is kept.

    Args:
        catalog: of all tables.
    """

    @dg.op(name="delete_what_is_too_old")
    def _prune(context: dg.OpExecutionContext, warehouse: WarehouseResource) -> None:
        settings = catalog.settings
        with as_dagster_failure():
            deleted = prune_mart(settings, warehouse.open(), catalog.nodes(), catalog.contracts)
        runs = prune_instance(settings, context.instance)
        for each in deleted:
            context.log.info(f"{each.table}: {each.rows:,} rows of {each.days} deleted")
        context.log.info(f"{runs} runs deleted")

    @dg.job(name=PRUNE_JOB, description=SAYS)
    def _job() -> None:
        _prune()

    return _job


def nightly(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The job's schedule, every night at half past two (UTC); none where all is kept for ever."""
    if not any(getattr(settings, name) for name in LIMITS):
        return []
    return [
        dg.ScheduleDefinition(
            name="prune_every_night",
            job_name=PRUNE_JOB,
            cron_schedule=EVERY_NIGHT,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=SAYS,
        )
    ]
