"""Assets of a lake table: the source, and what loading makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from consumption_datamart.checks import asset_key, failed, model_check, passed, told_in_a_line
from consumption_datamart.errors import AuditError
from consumption_datamart.factories.metadata import definition_metadata, materialization_metadata
from consumption_datamart.factories.partitions import days_of_run
from consumption_datamart.lake.loading import load
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import files_of, quarantine_of, raw_of
from consumption_datamart.schema.table import Table


@dataclass(frozen=True)
class LakeTableSpec:
    """A table of the lake.

    Attributes:
        contract: its columns, key and rules; says whether its dumps are partitions.
        owners: who delivers it.
    """

    contract: type[Contract]
    owners: tuple[str, ...]

    def models(self) -> tuple[type[Table], type[Table], type[Table]]:
        """The raw, quarantine and files tables that loading writes."""
        return raw_of(self.contract), quarantine_of(self.contract), files_of(self.contract)


def lake_table_assets(
    spec: LakeTableSpec, partitions: dg.PartitionsDefinition
) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """The source asset of a lake table, and the three assets that loading it materializes.

    Args:
        spec: of the lake table.
        partitions: of a table whose dump is all of its day.
    """
    contract, models = spec.contract, spec.models()
    raw = models[0]
    is_daily = contract.day_column() is not None
    source = dg.AssetSpec(
        key=asset_key(contract),
        description=contract.title(),
        metadata=definition_metadata(contract),
        group_name="lake",
        owners=list(spec.owners),
        kinds={"file"},
        partitions_def=partitions if is_daily else None,
    )

    @dg.multi_asset(
        name=raw.table_name(),
        specs=[
            dg.AssetSpec(
                key=asset_key(model),
                deps=[source],
                description=model.title(),
                metadata=definition_metadata(model),
                group_name="raw",
                owners=list(spec.owners),
                kinds={"table"},
                tags={"grain": "event"} if is_daily else {},
                partitions_def=partitions if is_daily else None,
            )
            for model in models
        ],
        check_specs=[model_check(model) for model in models],
        backfill_policy=dg.BackfillPolicy.single_run() if is_daily else None,
    )
    def _load(
        context: dg.AssetExecutionContext, lake: LakeResource, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        days = days_of_run(context, partitioned=is_daily)
        with told_in_a_line():
            try:
                loaded = load(warehouse.open(), contract, lake.open(), days)
            except AuditError as error:
                yield failed(next(m for m in models if m.full_name() == error.table), error)
                raise
        for model, profile in zip(
            models, (loaded.raw, loaded.quarantine, loaded.files), strict=True
        ):
            metadata = materialization_metadata(context, model, profile, days)
            if model is raw:
                metadata["dagster/column_lineage"] = _lineage(contract)
            if model is raw and loaded.unexpected_columns:
                metadata["unexpected_columns"] = loaded.unexpected_columns
            yield passed(model)
            yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return [source, _load]


def _lineage(contract: type[Contract]) -> dg.TableColumnLineage:
    """Each column of the contract comes from the source's column of that name."""
    source = asset_key(contract)
    names = contract.ibis_schema()
    return dg.TableColumnLineage({name: [dg.TableColumnDep(source, name)] for name in names})
