"""The asset of what the lake has: its dumps, whether they are loaded or not."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from consumption_datamart.automation import eager
from consumption_datamart.checks import asset_key, model_check, passed, told_in_a_line
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.factories.lake_table import LakeTableSpec
from consumption_datamart.factories.metadata import definition_metadata, materialization_metadata
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.warehouse import publish


def dumps_asset(specs: Sequence[LakeTableSpec], catalog: Catalog) -> dg.AssetsDefinition:
    """The asset that lists the dumps of all lake tables, without opening them."""

    @dg.multi_asset(
        name=Dumps.table_name(),
        specs=[
            dg.AssetSpec(
                key=asset_key(Dumps),
                deps=[asset_key(spec.contract) for spec in specs],
                description=Dumps.title(),
                metadata=definition_metadata(Dumps),
                group_name="raw",
                owners=["team:data"],
                kinds={"table"},
                automation_condition=eager(catalog.loaded(Dumps)),
            )
        ],
        check_specs=[model_check(Dumps)],
    )
    def _dumps(
        context: dg.AssetExecutionContext, lake: LakeResource, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        with told_in_a_line():
            found = lake.open().dumps([spec.contract.table_name() for spec in specs])
            published = publish(
                warehouse.open(), Dumps, found, dependents=catalog.dependents(Dumps)
            )
        metadata = materialization_metadata(context, Dumps, published.profile, None)
        yield passed(Dumps)
        yield dg.MaterializeResult(asset_key=asset_key(Dumps), metadata=metadata)

    return _dumps
