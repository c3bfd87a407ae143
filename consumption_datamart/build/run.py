"""Building the mart as a user asks for it."""

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.build.plan import plan_build
from consumption_datamart.build.result import BuildResult, summarize
from consumption_datamart.build.runs import Runs
from consumption_datamart.definitions import build_definitions, catalog_of, lake_of, nodes
from consumption_datamart.errors import DatamartError
from consumption_datamart.lake.listing import listing
from consumption_datamart.lake.loaded import forget_files
from consumption_datamart.planning import Step, lake_news, project
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse, read_ledger, upgrade
from consumption_datamart.warehouse.ledger import require_ledger

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
    with open_instance(settings) as instance:
        return build_in(instance, settings, first, last, full=full, on_event=on_event)[0]


def build_in(
    instance: dg.DagsterInstance,
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
    on_event: OnEvent | None = None,
) -> tuple[BuildResult, dg.Definitions]:
    """Builds in an instance of Dagster, see `build`.

    Returns:
        What was done, and what it was done by.
    """
    warehouse = open_warehouse(settings.warehouse, settings.memory_limit)
    catalog = catalog_of(settings)
    upgrade(warehouse, list(catalog.models.values()), logging.getLogger(__name__).warning)
    with warehouse.transaction() as transaction:
        # a warehouse that cannot be written to is told before any work is done
        require_ledger(transaction)
        if full:
            forget_files(transaction, catalog.contracts)
    found = listing(lake_of(settings))
    ledger, news = read_ledger(warehouse), lake_news(warehouse, found, catalog.contracts)
    plan = plan_build(settings, ledger, news, first, last, full=full)
    definitions = build_definitions(
        settings,
        through=plan.through,
        loggers={"events": _event_logger(on_event or (lambda _: None))},
        is_released_by_runs=False,
        is_partitioned=settings.dagster_home is not None,
        start_day=plan.start,
        load_attempts=1,
    )
    runs = Runs(definitions, catalog.nodes(), warehouse, instance, plan)
    try:
        if plan.is_anew:
            runs.all()
        runs.awaited()
    finally:
        catalog.release(warehouse)
    return summarize(plan.days, runs.planned, runs.events, found.remarks), definitions


def dry_run(settings: Settings) -> list[Step]:
    """What a build would refresh, and why; nothing is changed.

    Args:
        settings: where the lake and the warehouse are.

    Returns:
        Tables from the lake to the reports, with their days.

    Raises:
        LakeError: the lake cannot be read.
        WarehouseError: the warehouse cannot be opened.
    """
    warehouse = open_warehouse(settings.warehouse, settings.memory_limit)
    ledger = read_ledger(warehouse)
    news = lake_news(warehouse, listing(lake_of(settings)), [spec.contract for spec in LAKE])
    plan = plan_build(settings, ledger, news)
    return project(nodes(settings), ledger, plan.news)


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's instance that a build is recorded in: one that outlasts it, or its own.

    Raises:
        DatamartError: the folder that is set is not there.
    """
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
