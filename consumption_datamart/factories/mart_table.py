"""Assets of the star and the reports: a pure function from tables to a table, and its wiring."""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.checks import (
    Inspection,
    as_dagster_failure,
    asset_key,
    check_spec,
    events,
)
from consumption_datamart.errors import AuditError
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.factories.metadata import (
    asset_spec,
    column_lineage,
    metadata_of_step,
)
from consumption_datamart.factories.table_spec import DAYS, TableSpec
from consumption_datamart.partitions import days_of_run
from consumption_datamart.planning import ALL
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.memo import memoized
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Profile, Publication, Warehouse, publish
from consumption_datamart.warehouse.changes import VALIDITY
from consumption_datamart.warehouse.ledger import write_failures
from consumption_datamart.warehouse.rows import conform, on_days


def mart_table_asset(spec: TableSpec, catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of a table: reads, computes, audits and publishes in one step.

    Raises:
        KeyError: the function reads a table that has no model.
    """
    model, upstream = spec.model, catalog.upstream(spec)
    is_partitioned = model.grain() is not Grain.NONE
    checks = catalog.checks(spec)

    @dg.multi_asset(
        name=model.table_name(),
        specs=[
            asset_spec(
                model,
                spec.group,
                spec.owners,
                kinds=("ibis", "table"),
                deps=[
                    dg.AssetDep(asset_key(each), partition_mapping=_mapping(spec, each, catalog))
                    for each in [*upstream, *(catalog.models[name] for name in spec.after)]
                ],
                tags={"grain": str(model.grain())} if is_partitioned else {},
                partitions_def=catalog.partitions_of(model),
                automation_condition=spec.policy(catalog.settings.refresh_minutes),
                freshness_policy=catalog.freshness() if spec.is_watched else None,
            )
        ],
        check_specs=[check_spec(check) for check in checks],
        backfill_policy=dg.BackfillPolicy.single_run() if is_partitioned else None,
    )
    def _table(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.MaterializeResult[Any]]:
        inspection = Inspection(checks, is_sampled=True)
        with as_dagster_failure():
            target = warehouse.open()
            asked = days_of_run(context, model.grain())
            is_whole = asked is None or catalog.partitions_of(model) is None
            days = catalog.stale_days(model, target, asked) if is_whole else asked
            try:
                rows, published = target.patiently(
                    lambda: refresh_table(spec, catalog, target, days, inspection)
                )
            except AuditError as error:
                yield from events(inspection.results, error=str(error))
                raise
        metadata = metadata_of_step(context, model, published.profile, days, inspection)
        if isinstance(rows, ir.Table):
            tables = {target.location(each)[0]: each for each in catalog.models.values()}
            metadata["dagster/column_lineage"] = column_lineage(conform(model, rows), tables)
        if spec.shows is not None:
            metadata |= spec.shows(target.fetch(target.table(model)))
        yield from events(inspection.results, inspection.failed_before)
        yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return _table


def refresh_table(
    spec: TableSpec,
    catalog: Catalog,
    warehouse: Warehouse,
    days: Days | None,
    inspection: Inspection,
) -> tuple[ir.Table | pd.DataFrame, Publication]:
    """Computes a table, or days of it, and publishes it.

    Args:
        spec: of the table.
        catalog: of all tables.
        warehouse: where they are.
        days: whole periods of a table that has any; None: all of it.
        inspection: evaluates the checks of the table.

    Returns:
        Its rows, and what was published.

    Raises:
        AuditError: the rows break the model or a blocking check; the table is as it was, and that
            it has failed is written down.
        WarehouseError: the warehouse cannot be opened or written to.
        DatamartError: all of the days are closed.
    """
    model, upstream = spec.model, catalog.upstream(spec)
    dependents, published = catalog.dependents(model), []
    for part in [None] if days is None else catalog.open_days(model, warehouse, days):
        rows = computed(spec, arguments(spec, catalog.models, warehouse, part))
        try:
            found = publish(warehouse, model, rows, part, upstream, dependents, inspection)
        except AuditError as error:
            inspection.stopped(warehouse, error, part)
            write_failures(warehouse, model, part)
            raise
        published.append(found)
    if len(published) > 1:
        found = replace(found, profile=Profile.of_parts([each.profile for each in published]))
    return rows, found


def computed(
    spec: TableSpec, tables: Mapping[str, ir.Table | pd.DataFrame]
) -> ir.Table | pd.DataFrame:
    """The rows of a table, of the tables that its function reads.

    A process that computes it again, of the same tables, has the expression from before: making one
    takes Ibis longer than most engines need to run it.
    """
    if not tables or not all(isinstance(each, ir.Table) for each in tables.values()):
        return spec.compute(**tables)
    return _expression(spec.compute, tuple(tables), *tables.values())


@memoized
def _expression(
    compute: Callable[..., ir.Table], names: Sequence[str], *tables: ir.Table
) -> ir.Table:
    return compute(**dict(zip(names, tables, strict=True)))


def arguments(
    spec: TableSpec, models: Mapping[str, type[Table]], warehouse: Warehouse, days: Days | None
) -> dict[str, ir.Table | pd.DataFrame]:
    """The tables that a spec's function reads, each limited to the days that the run needs.

    An argument annotated `pd.DataFrame` gets a frame, any other an expression.
    """
    asked = inspect.signature(spec.compute).parameters
    tables: dict[str, ir.Table | pd.DataFrame] = {}
    for name in spec.inputs():
        read = _days_read(spec, models[name], warehouse, days)
        rows = on_days(models[name], warehouse.table(models[name]), read)
        if spec.columns.get(name):
            rows = rows.select(*spec.columns[name], *(c for c in VALIDITY if c in rows.columns))
        tables[name] = warehouse.fetch(rows) if asked[name].annotation is pd.DataFrame else rows
    if spec.needs_days():
        within = warehouse.table(ReportingDay)
        tables[DAYS] = within if days is None else within.filter(within.day.between(*days))
    return tables


def _days_read(
    spec: TableSpec, model: type[Table], warehouse: Warehouse, days: Days | None
) -> Days | None:
    """The days of a table that a run reads; None: all."""
    grain, window = spec.model.grain(), spec.window(model)
    if days is not None:
        first = grain.shift(grain.first(days.first), 1 - window)
        return Days(first, days.last)
    reporting = None if window == ALL else warehouse.span(ReportingDay, "day")
    if reporting is None:
        return None
    return Days(reporting.last - timedelta(days=window - 1), reporting.last)


def _mapping(
    spec: TableSpec, upstream: type[Table], catalog: Catalog
) -> dg.PartitionMapping | None:
    """Which partitions of a table one is made of; None: Dagster's default is right."""
    if catalog.partitions_of(spec.model) is None or catalog.partitions_of(upstream) is None:
        return None
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        # the days before the first partition are no days of the lake
        return dg.TimeWindowPartitionMapping(
            start_offset=1 - spec.window(upstream),
            allow_nonexistent_upstream_partitions=True,
        )
