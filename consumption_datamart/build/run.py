"""Building the mart as a user asks for it."""

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg

from consumption_datamart.build.plan import plan_build
from consumption_datamart.build.result import BuildResult, summarize
from consumption_datamart.build.runs import Runs
from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import DatamartError
from consumption_datamart.schema.monitoring import BOOKS
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse

OnEvent = Callable[[dg.DagsterEvent], None]


def build(
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
    on_event: OnEvent | None = None,
) -> BuildResult:
    """Builds what is new: what the lake's dumps, or the code, have changed since the last build.

    Args:
        settings: where the lake and the warehouse are.
        first: first day of the daily tables to build anew, whether it has changed or not.
        last: last day to build anew.
        full: whether to build all days anew.
        on_event: called with each of Dagster's events as it happens.

    Returns:
        What was done; nothing, if nothing is new.

    Raises:
        LakeError: the lake is not there, or has none of the days.
        WarehouseError: the warehouse cannot be opened.
    """
    warehouse = open_warehouse(settings.warehouse, settings.memory_limit)
    with warehouse.transaction() as transaction:
        # a warehouse that cannot be written to is told before any work is done
        for model in BOOKS:
            transaction.renew(model)
    plan = plan_build(settings, warehouse, first, last, full=full)
    definitions = build_definitions(
        settings,
        through=plan.through,
        loggers={"events": _event_logger(on_event or (lambda _: None))},
        is_released_by_runs=False,
        is_partitioned=settings.dagster_home is not None,
        start_day=plan.start,
        load_attempts=1,
    )
    with _instance(settings) as instance:
        runs = Runs(definitions, warehouse, instance, plan)
        try:
            if plan.is_anew:
                runs.all()
            runs.awaited()
        finally:
            warehouse.release()
    return summarize(plan.days, runs.planned, runs.events)


def _instance(settings: Settings) -> dg.DagsterInstance:
    if settings.dagster_home is None:
        return dg.DagsterInstance.ephemeral()
    if not Path(settings.dagster_home).is_dir():
        raise DatamartError(
            f"DAGSTER_HOME={settings.dagster_home}: there is no such folder; create it or unset it"
        )
    return dg.DagsterInstance.get()


def _event_logger(on_event: OnEvent) -> dg.LoggerDefinition:
    """A logger that hands Dagster's events on, rather than writing them down."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is not None:
                on_event(event)

    @dg.logger
    def events(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("events", level=logging.DEBUG)
        logger.addHandler(Handler())
        return logger

    return events
