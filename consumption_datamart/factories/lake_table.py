"""Assets of a lake table: what loading makes of it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from consumption_datamart.automation import Policy, eager
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
    metadata_of_day,
    metadata_of_step,
    source_key,
)
from consumption_datamart.lake.attempts import Attempts, load_source
from consumption_datamart.lake.listing import Listing, listing
from consumption_datamart.lake.loaded import kept_days, read_loaded
from consumption_datamart.lake.loading import load
from consumption_datamart.lake.sources import Source
from consumption_datamart.partitions import days_of_run
from consumption_datamart.planning import lake_news
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import models_of, raw_of
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Profile, Warehouse
from consumption_datamart.warehouse.ledger import write_failures
from consumption_datamart.warehouse.ledger_reading import read_ledger
from consumption_datamart.warehouse.pruning import read_pruned


@dataclass(frozen=True)
class LakeTableSpec:
    """A table of the lake.

    Attributes:
        contract: its columns, key and rules; says whether its dumps are partitions.
        owners: who delivers it.
        policy: when it is loaded by itself.
    """

    contract: type[Contract]
    owners: tuple[str, ...]
    policy: Policy = eager


def lake_table_asset(spec: LakeTableSpec, catalog: Catalog) -> dg.AssetsDefinition:
    """The three assets that loading a lake table materializes.

    A dump that cannot be read is tried again, and then fails its own day only: the other days of
    the run are loaded.
    """
    contract, models = spec.contract, models_of(spec.contract)
    raw = models[0]
    is_daily = contract.day_column() is not None
    own = [source for source in catalog.sources if source.contract is contract]
    checks = catalog.checks_of_load(contract)

    @dg.multi_asset(
        name=raw.table_name(),
        specs=[
            asset_spec(
                model,
                "raw",
                spec.owners,
                deps=[source_key(source) for source in own],
                tags={"grain": "event"} if is_daily else {},
                partitions_def=catalog.partitions_of(model),
                automation_condition=spec.policy(catalog.settings.refresh_minutes),
            )
            for model in models
        ],
        check_specs=[check_spec(check) for check in checks],
        backfill_policy=dg.BackfillPolicy.single_run() if is_daily else None,
    )
    def _load(
        context: dg.AssetExecutionContext, lake: LakeResource, warehouse: WarehouseResource
    ) -> Iterator[Any]:
        inspection = Inspection(checks, is_sampled=True)
        days = days_of_run(context, raw.grain())
        with as_dagster_failure():
            found, target = listing(lake.open()), warehouse.open()
            try:
                loads = target.patiently(
                    lambda: load_lake_table(
                        contract, catalog, found, target, days, inspection, context.log
                    )
                )
            except AuditError as error:
                yield from events(inspection.results, error=str(error))
                raise
        if problem := problem_of(loads):
            yield from _materialized(models, loads)
            raise dg.Failure(description=problem, allow_retries=False)
        for model, profile in profiles_of(models, loads).items():
            metadata = metadata_of_step(context, model, profile, days, inspection)
            if model is raw:
                metadata["dagster/column_lineage"] = _lineage(contract, own)
                if unexpected := {k: v for load in loads for k, v in load.unexpected.items()}:
                    metadata["unexpected_columns"] = unexpected
            results = [result for result in inspection.results if result.check.model is model]
            yield from events(results, inspection.failed_before)
            yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return _load


def load_lake_table(
    contract: type[Contract],
    catalog: Catalog,
    found: Listing,
    warehouse: Warehouse,
    days: Days | None,
    inspection: Inspection,
    log: logging.Logger,
) -> list[Attempts]:
    """Loads a table of the lake, source by source, around the dumps that cannot be read.

    Args:
        contract: of the lake table.
        catalog: of all tables.
        found: what the lake has.
        warehouse: where its three tables are.
        days: to load, of a table that has days.
        inspection: evaluates the checks of the three tables.
        log: where it is said that a dump is tried again.

    Returns:
        What became of each source; see `problem_of`.

    Raises:
        AuditError: what was loaded breaks a model or a blocking check; nothing was changed, and
            that it has failed is written down.
        WarehouseError: the warehouse cannot be opened or written to.
        DatamartError: all of the days are closed.
    """
    loads: list[Attempts] = []
    raw, pruned = raw_of(contract), read_pruned(warehouse)
    dependents = catalog.dependents(raw)
    if days is not None:
        catalog.open_days(raw, warehouse, days)
    try:
        loaded = read_loaded(warehouse)
        for source in found.sources.of(contract):
            attempts = load_source(
                partial(load, warehouse, source, found, dependents=dependents, inspect=inspection),
                source,
                days,
                kept_days(found, source, loaded.get(source.key, {}), pruned),
                pruned.get(raw.full_name(), ()),
            )
            loads.append(catalog.patience().attempt(attempts, log))
    except AuditError as error:
        inspection.stopped(warehouse, error, days)
        _note(warehouse, found, contract, days)
        raise
    if problem_of(loads):
        failed = {day for load in loads for day in load.failures}
        _note(warehouse, found, contract, failed if contract.day_column() else None)
    return loads


def problem_of(loads: Sequence[Attempts]) -> str | None:
    """What could not be loaded, in a line; None: all could."""
    return "; ".join(problem for load in loads for problem in load.problems) or None


def profiles_of(
    models: Sequence[type[Table]], loads: Sequence[Attempts]
) -> dict[type[Table], Profile]:
    """Of each of a lake table's three tables what it holds of all that was loaded."""
    outcomes = [outcome for load in loads for _, outcome in load.loaded]
    return {
        model: Profile.of_parts([outcome.profiles()[index] for outcome in outcomes])
        for index, model in enumerate(models)
    }


def _note(
    warehouse: Warehouse,
    listing: Listing,
    contract: type[Contract],
    failed: Days | Iterable[date] | None,
) -> None:
    """Keeps what could not be loaded from being tried again before the dump is another."""
    news = lake_news(warehouse, listing, [contract], read_ledger(warehouse))
    dumps = news.changed[raw_of(contract).full_name()]
    write_failures(warehouse, raw_of(contract), failed, dumps)


def _materialized(
    models: Sequence[type[Table]], loads: Sequence[Attempts]
) -> Iterator[dg.AssetMaterialization]:
    """The days that were loaded are materialized, though the step fails for others."""
    latest = {
        day: outcome
        for attempts in loads
        for days, outcome in attempts.loaded
        for day in (days.each() if days else ())
    }
    for day, outcome in latest.items():
        for model, profile in zip(models, outcome.profiles(), strict=True):
            yield dg.AssetMaterialization(
                asset_key(model),
                partition=day.isoformat(),
                metadata=metadata_of_day(profile, day.isoformat()),
            )


def _lineage(contract: type[Contract], sources: Sequence[Source]) -> dg.TableColumnLineage:
    """Each column of the contract comes from the sources' columns of that name."""
    keys = [source_key(source) for source in sources]
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(key, name) for key in keys] for name in contract.ibis_schema()}
    )
