"""Running a build: all days in one run for each asset."""

import logging
from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path

import dagster as dg

from consumption_datamart.build.plan import BuildPlan, plan_build
from consumption_datamart.build.result import BuildResult, summarize
from consumption_datamart.definitions import BUILD_JOB, build_definitions
from consumption_datamart.errors import DatamartError
from consumption_datamart.partitions import range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import MartTable
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, built_days, open_warehouse

OnEvent = Callable[[dg.DagsterEvent], None]


def build(
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    on_event: OnEvent | None = None,
) -> BuildResult:
    """Builds every table of the mart.

    Args:
        settings: where the lake and the warehouse are.
        first: first day to build of the daily tables; by default the lake's first.
        last: last day to build; by default the lake's last.
        on_event: called with each of Dagster's events as it happens.

    Raises:
        LakeError: the lake is not there, or has none of the days.
        WarehouseError: the warehouse cannot be opened.
    """
    warehouse = open_warehouse(settings.warehouse, settings.memory_limit)
    with warehouse.transaction():
        pass  # a warehouse that cannot be written to is told before any work is done
    plan = plan_build(settings, warehouse, first, last)
    definitions = build_definitions(
        settings,
        through=plan.through,
        loggers={"events": _event_logger(on_event or (lambda _: None))},
        start_day=plan.start,
        load_attempts=1,
    )
    with _instance(settings) as instance:
        events = _run(definitions, plan.days, instance)
        failed = {event.step_key for event in events if event.is_step_failure}
        events += _refresh(definitions, warehouse, plan, instance, failed)
    planned = definitions.resolve_job_def(BUILD_JOB).asset_layer.selected_asset_keys
    return summarize(plan.days, sorted(planned), events)


def _run(
    definitions: dg.Definitions,
    days: Days,
    instance: dg.DagsterInstance,
    only: dg.AssetKey | None = None,
) -> list[dg.DagsterEvent]:
    result = definitions.resolve_job_def(BUILD_JOB).execute_in_process(
        instance=instance,
        asset_selection=[only] if only else None,
        raise_on_error=False,
        run_config={"loggers": {name: {} for name in definitions.loggers or {}}},
        tags=range_tags(days),
    )
    return list(result.all_events)


def _refresh(
    definitions: dg.Definitions,
    warehouse: Warehouse,
    plan: BuildPlan,
    instance: dg.DagsterInstance,
    failed: Collection[str | None],
) -> list[dg.DagsterEvent]:
    """Builds what the run before has left, from the star to the reports.

    That are days beyond those that were built which a change shows on, and all that was skipped
    because a dump could not be read; but nothing on which a dimension is missing.
    """
    events: list[dg.DagsterEvent] = []
    graph, built = definitions.resolve_asset_graph(), built_days(warehouse)
    for key in graph.toposorted_asset_keys:
        if key.path[0] != MartTable.schema_name() or key.path[-1] in failed:
            continue
        whole = [each for each in graph.get(key).parent_keys if not graph.get(each).is_partitioned]
        if graph.get(key).is_partitioned and all(".".join(each.path) in built for each in whole):
            of_table = built.get(".".join(key.path), {})
            stale = {day for day, is_stale in of_table.items() if is_stale and day}
            ranges = Days.ranges(stale | (set(plan.days.each()) - of_table.keys()))
        else:
            ranges = [plan.days] if built.get(".".join(key.path), {}).get(None) else []
        for days in ranges:
            events += _run(definitions, days, instance, key)
        if ranges:
            built = built_days(warehouse)
    return events


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
