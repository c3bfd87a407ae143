"""Building the mart in this process, through Dagster: all days in one run for each asset."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports.windows import WINDOW_DAYS
from consumption_datamart.definitions import BUILD_JOB, REFRESH_REPORTS_JOB, build_definitions
from consumption_datamart.errors import DatamartError, LakeError
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, open_warehouse

OnEvent = Callable[[dg.DagsterEvent], None]


@dataclass(frozen=True)
class BuildPlan:
    """The days that a build is about.

    Attributes:
        days: of all daily tables.
        reports_also: days after these whose 30-day windows contain one of them.
        start: first daily partition.
        through: last daily partition.
    """

    days: Days
    reports_also: Days | None
    start: date
    through: date


@dataclass(frozen=True)
class BuiltTable:
    """A table that was built.

    Attributes:
        name: of the asset.
        rows: published, over all days that were built.
        quarantined: rows that were set aside; None where rows cannot be.
        warnings: rows with warnings; None where rows cannot have any.
        seconds: that the asset's step took.
    """

    name: str
    rows: int
    quarantined: int | None
    warnings: int | None
    seconds: float


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        days: of the daily tables.
        tables: that were built, in order.
        failures: what went wrong, a line each, by asset.
        skipped: assets that were not built because one before them failed.
    """

    days: Days
    tables: list[BuiltTable]
    failures: dict[str, str]
    skipped: list[str]


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
    )
    with _instance(settings) as instance:
        events = _run(definitions, BUILD_JOB, plan.days, instance)
        if plan.reports_also and not _failed(events):
            events += _run(definitions, REFRESH_REPORTS_JOB, plan.reports_also, instance)
    return BuildResult(plan.days, _tables(events), dict(_failures(events)), _skipped(events))


def plan_build(
    settings: Settings, warehouse: Warehouse, first: date | None, last: date | None
) -> BuildPlan:
    """Which days to build.

    Without bounds these are all days of the lake, and those that the warehouse has of a lake that
    was longer. A lake without dumps is built for one day, so that every table is there, empty.

    Raises:
        LakeError: the lake cannot be read, or the bounds hold none of its days.
    """
    lake = Lake(settings.lake)
    found = lake.dumps([spec.contract.table_name() for spec in LAKE]).dump_day
    none = Days(settings.start_day, settings.start_day)
    whole = none if found.empty else Days(found.min(), found.max())
    if first is None and last is None:
        days = whole.spanning(warehouse.span(ReportingDay, "day") or whole)
    else:
        days = Days(max(first or whole.first, whole.first), min(last or whole.last, whole.last))
    if days.first > days.last:
        raise LakeError(f"lake {lake.uri}: it has {whole}, none of the days asked for")
    after = Days(
        days.last + timedelta(days=1), min(days.extended(WINDOW_DAYS - 1).last, whole.last)
    )
    return BuildPlan(
        days=days,
        reports_also=after if after.first <= after.last else None,
        start=min(settings.start_day, days.first),
        through=max(days.last, whole.last),
    )


def _run(
    definitions: dg.Definitions, job: str, days: Days, instance: dg.DagsterInstance
) -> list[dg.DagsterEvent]:
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"loggers": {name: {} for name in definitions.loggers or {}}},
        tags={
            ASSET_PARTITION_RANGE_START_TAG: days.first.isoformat(),
            ASSET_PARTITION_RANGE_END_TAG: days.last.isoformat(),
        },
    )
    return list(result.all_events)


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


def _failed(events: list[dg.DagsterEvent]) -> bool:
    return any(event.is_failure for event in events)


def _failures(events: list[dg.DagsterEvent]) -> Iterator[tuple[str, str]]:
    for event in events:
        if event.is_step_failure and event.step_key:
            failure = event.step_failure_data
            error = failure.error
            while error is not None and error.cause is not None:
                error = error.cause
            told = failure.user_failure_data.description if failure.user_failure_data else None
            text = told or (error.message.strip().splitlines()[0] if error else "unknown error")
            yield event.step_key, text


def _skipped(events: list[dg.DagsterEvent]) -> list[str]:
    planned = {
        event.asset_key.to_user_string()
        for event in events
        if event.is_asset_materialization_planned and event.asset_key
    }
    done = {
        event.asset_key.to_user_string()
        for event in events
        if event.is_step_materialization and event.asset_key
    }
    failed = {event.step_key for event in events if event.is_step_failure}
    return sorted(name for name in planned - done if name.split("/")[-1] not in failed)


def _tables(events: list[dg.DagsterEvent]) -> list[BuiltTable]:
    seconds = {
        event.step_key: event.step_success_data.duration_ms / 1000
        for event in events
        if event.is_step_success
    }
    figures: dict[tuple[str, str | None], dict[str, int]] = {}
    for event in events:
        if event.is_step_materialization and event.asset_key:
            found = event.step_materialization_data.materialization.metadata
            total = figures.setdefault((event.asset_key.to_user_string(), event.step_key), {})
            for name, value in found.items():
                if isinstance(value, dg.IntMetadataValue):
                    total[name] = total.get(name, 0) + (value.value or 0)
    return [
        BuiltTable(
            name=name,
            rows=total.get("dagster/row_count", total.get("dagster/partition_row_count", 0)),
            quarantined=total.get("quarantined"),
            warnings=total.get("warnings"),
            seconds=seconds.get(step, 0.0),
        )
        for (name, step), total in figures.items()
    ]
