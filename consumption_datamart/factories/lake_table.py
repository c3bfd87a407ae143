"""Assets of a lake table: what loading makes of it."""

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
    checks_of_load,
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
    checks = checks_of_load(contract, own, catalog.settings)

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
        inspection = Inspection(checks)
        days = days_of_run(context, raw.grain())
        target, dependents = warehouse.open(), catalog.dependents(raw)
        with as_dagster_failure():
            found = listing(lake.open())
            try:
                loaded, loads = read_loaded(target), []
                for source in found.sources.of(contract):
                    attempts = load_source(
                        partial(
                            load, target, source, found, dependents=dependents, inspect=inspection
                        ),
                        source,
                        days,
                        kept_days(found, source, loaded.get(source.key, {})),
                    )
                    loads.append(catalog.patience().attempt(attempts, context.log))
            except AuditError as error:
                inspection.stopped(target, error, days)
                _note(target, found, contract, days)
                yield from events(inspection.results, error=str(error))
                raise
        if problems := [str(problem) for load in loads for problem in load.problems]:
            failed = {day for load in loads for day in load.failures}
            _note(target, found, contract, failed if is_daily else None)
            yield from _materialized(models, loads)
            raise dg.Failure(description="; ".join(problems), allow_retries=False)
        for index, model in enumerate(models):
            parts = [each.profiles()[index] for load in loads[-1:] for _, each in load.loaded]
            metadata = metadata_of_step(
                context, model, Profile.of_parts(parts), days, inspection.seconds()
            )
            if model is raw:
                metadata["dagster/column_lineage"] = _lineage(contract, own)
                if unexpected := {k: v for load in loads for k, v in load.unexpected.items()}:
                    metadata["unexpected_columns"] = unexpected
            results = [result for result in inspection.results if result.check.model is model]
            yield from events(results, inspection.failed_before)
            yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return _load


def _note(
    warehouse: Warehouse,
    listing: Listing,
    contract: type[Contract],
    failed: Days | Iterable[date] | None,
) -> None:
    """Keeps what could not be loaded from being tried again before the dump is another."""
    dumps = lake_news(warehouse, listing, [contract]).changed[raw_of(contract).full_name()]
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
