"""Assets of the star and the reports: a pure function from tables to a table, and its wiring."""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.checks import asset_key, failed, model_check, passed, told_in_a_line
from consumption_datamart.errors import AuditError
from consumption_datamart.factories.metadata import (
    column_lineage,
    definition_metadata,
    materialization_metadata,
)
from consumption_datamart.factories.partitions import days_of_run
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.star import ReportingDay
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse, publish
from consumption_datamart.warehouse.rows import conform, on_days

DAYS = "days"
"""Name of the argument by which a function asks for the days that it is to give rows for."""


@dataclass(frozen=True)
class TableSpec:
    """A table of the star or a report.

    Attributes:
        model: its columns, key and rules; says whether it is partitioned by day.
        compute: a pure function to the table's rows. Its arguments are named after the tables that
            it reads, and are expressions, or frames where annotated `pd.DataFrame`; `days` is the
            days that it is to give rows for (column day).
        windows: for daily tables that are read over several days: how many, ending on the day.
        group: star or reports.
        owners: who answers for it.
    """

    model: type[Table]
    compute: Callable[..., ir.Table | pd.DataFrame]
    windows: Mapping[str, int] = field(default_factory=dict)
    group: str = "star"
    owners: tuple[str, ...] = ("team:data",)

    def inputs(self) -> list[str]:
        """Names of the tables that the function reads, but for `days`."""
        names = list(inspect.signature(self.compute).parameters)
        return [name for name in names if name != DAYS]

    def needs_days(self) -> bool:
        """Whether the function asks for the days to give rows for."""
        return DAYS in inspect.signature(self.compute).parameters


def mart_table_asset(
    spec: TableSpec, models: Mapping[str, type[Table]], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The asset of a table: reads, computes, audits and publishes in one step.

    Args:
        spec: of the table.
        models: of all tables that it may read, by name.
        partitions: of tables that have days.

    Raises:
        KeyError: the function reads a table that has no model.
    """
    model = spec.model
    is_daily = model.day_column() is not None
    upstream = {name: models[name] for name in spec.inputs()}
    if spec.needs_days():
        upstream[ReportingDay.table_name()] = ReportingDay

    @dg.multi_asset(
        name=model.table_name(),
        specs=[
            dg.AssetSpec(
                key=asset_key(model),
                deps=[
                    dg.AssetDep(asset_key(each), partition_mapping=_mapping(spec, name, each))
                    for name, each in upstream.items()
                ],
                description=model.title(),
                metadata=definition_metadata(model),
                group_name=spec.group,
                owners=list(spec.owners),
                kinds={"ibis", "table"},
                tags={"grain": "day"} if is_daily else {},
                partitions_def=partitions if is_daily else None,
            )
        ],
        check_specs=[model_check(model)],
        backfill_policy=dg.BackfillPolicy.single_run() if is_daily else None,
    )
    def _table(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        days = days_of_run(context, partitioned=is_daily)
        with told_in_a_line():
            target = warehouse.open()
            rows = spec.compute(**arguments(spec, models, target, days))
            try:
                profile = publish(target, model, rows, days)
            except AuditError as error:
                yield failed(model, error)
                raise
        metadata = materialization_metadata(context, model, profile, days)
        if isinstance(rows, ir.Table):
            tables = {target.location(each)[0]: each for each in models.values()}
            metadata["dagster/column_lineage"] = column_lineage(conform(model, rows), tables)
        yield passed(model)
        yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return _table


def arguments(
    spec: TableSpec, models: Mapping[str, type[Table]], warehouse: Warehouse, days: Days | None
) -> dict[str, ir.Table | pd.DataFrame]:
    """The tables that a spec's function reads, each limited to the days that the run needs.

    An argument annotated `pd.DataFrame` gets a frame, any other an expression.
    """
    asked = inspect.signature(spec.compute).parameters
    tables: dict[str, ir.Table | pd.DataFrame] = {}
    for name in spec.inputs():
        read = days
        if days is not None and spec.model.day_column() is not None:
            back = timedelta(days=spec.windows.get(name, 1) - 1)
            read = Days(days.first - back, days.last)
        rows = on_days(models[name], warehouse.table(models[name]), read)
        tables[name] = warehouse.fetch(rows) if asked[name].annotation is pd.DataFrame else rows
    if spec.needs_days():
        within = warehouse.table(ReportingDay)
        tables[DAYS] = within if days is None else within.filter(within.day.between(*days))
    return tables


def _mapping(spec: TableSpec, name: str, upstream: type[Table]) -> dg.PartitionMapping | None:
    """Which days of an upstream table a day is made of; None: Dagster's default is right."""
    if spec.model.day_column() is None or upstream.day_column() is None:
        return None
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        # the days before the first partition are no days of the lake
        return dg.TimeWindowPartitionMapping(
            start_offset=1 - spec.windows.get(name, 1), allow_nonexistent_upstream_partitions=True
        )
