"""A build in this process that Dagster's instance keeps a record of."""

import logging
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

import dagster as dg

from consumption_datamart.build.result import BuiltTable, OnStep, Tally
from consumption_datamart.checks import asset_key
from consumption_datamart.definitions import BUILD_JOB
from consumption_datamart.partitions import DAYS_BUILT, range_tags
from consumption_datamart.private import (
    assets_of,
    failure_of,
    metadata_of,
    part_of,
    resolved_job,
    seconds_of,
)
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table

EVENTS = "events"


class InDagster:
    """Runs parts of the job that builds everything; see `Executor`."""

    def __init__(
        self,
        definitions: dg.Definitions,
        models: Collection[type[Table]],
        instance: dg.DagsterInstance,
    ) -> None:
        """Nothing was run yet.

        Args:
            definitions: with the logger of `event_logger` as `EVENTS`.
            models: of all tables.
            instance: that keeps the record.
        """
        self.definitions, self.instance, self.tally = definitions, instance, Tally()
        self.models = {asset_key(model): model for model in models}

    @cached_property
    def job(self) -> dg.JobDefinition:
        """The job that builds everything."""
        return resolved_job(self.definitions, BUILD_JOB)

    def everything(self) -> list[type[Table]]:
        """All tables that the job builds."""
        return [self.models[key] for key in sorted(assets_of(self.job))]

    def together(self, model: type[Table]) -> Sequence[type[Table]]:
        """The tables that are materialized with one, in its step."""
        key = asset_key(model)
        for each in self.definitions.assets or ():
            if isinstance(each, dg.AssetsDefinition) and key in each.keys and not each.can_subset:
                return [self.models[other] for other in each.keys]
        return [model]

    def run(self, days: Days, models: Collection[type[Table]]) -> None:
        """Materializes tables, or the days of them; Dagster leaves out what is made of failures."""
        keys = {asset_key(model) for model in models}
        job = self.job if keys == assets_of(self.job) else part_of(self.job, keys)
        result = job.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            run_config={"loggers": {EVENTS: {}}},
            tags=range_tags(days),
        )
        for built in _tables(result.all_events):
            self.tally.add(built)
        self.tally.failures |= dict(_failures(result.all_events))


def event_logger(on_step: OnStep) -> dg.LoggerDefinition:
    """A logger that tells of steps, rather than writing Dagster's events down."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is not None and event.step_key and event.is_step_start:
                on_step(event.step_key, None)
            elif event is not None and event.step_key and event.is_step_success:
                on_step(event.step_key, seconds_of(event))

    @dg.logger
    def events(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger(EVENTS, level=logging.DEBUG)
        logger.addHandler(Handler())
        return logger

    return events


def _failures(events: Sequence[dg.DagsterEvent]) -> Iterator[tuple[str, str]]:
    for event in events:
        if event.is_step_failure and event.step_key:
            yield event.step_key, failure_of(event)


def _tables(events: Sequence[dg.DagsterEvent]) -> list[BuiltTable]:
    seconds = {event.step_key: seconds_of(event) for event in events if event.is_step_success}
    figures: dict[tuple[str, str | None], dict[str, int]] = {}
    for event in events:
        if event.is_step_materialization and event.asset_key:
            total = figures.setdefault((event.asset_key.to_user_string(), event.step_key), {})
            for name, value in metadata_of(event).items():
                if isinstance(value, dg.IntMetadataValue):
                    total[name] = total.get(name, 0) + (value.value or 0)
    return [
        BuiltTable(
            name=name,
            days=total.get(DAYS_BUILT),
            rows=total.get("dagster/row_count", total.get("dagster/partition_row_count", 0)),
            quarantined=total.get("quarantined"),
            warnings=total.get("warnings"),
            seconds=seconds.get(step, 0.0),
        )
        for (name, step), total in figures.items()
    ]
