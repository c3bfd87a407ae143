"""The asset of what the lake has: its dumps, whether they are loaded or not."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from consumption_datamart.automation import eager
from consumption_datamart.checks import (
    Inspection,
    as_dagster_failure,
    asset_key,
    check_spec,
    checks_of_dumps,
    events,
)
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.factories.lake_table import LakeTableSpec
from consumption_datamart.factories.metadata import asset_spec, materialization_metadata
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.warehouse import publish


def dumps_asset(specs: Sequence[LakeTableSpec], catalog: Catalog) -> dg.AssetsDefinition:
    """The asset that lists the dumps of all lake tables, without opening them."""
    checks = checks_of_dumps([spec.contract for spec in specs], catalog.settings)

    @dg.multi_asset(
        name=Dumps.table_name(),
        specs=[
            asset_spec(
                Dumps,
                "raw",
                deps=[asset_key(spec.contract) for spec in specs],
                automation_condition=eager(),
            )
        ],
        check_specs=[check_spec(check) for check in checks],
    )
    def _dumps(
        lake: LakeResource, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.MaterializeResult[Any]]:
        inspection = Inspection(checks)
        with as_dagster_failure():
            found = lake.open().dumps([spec.contract.table_name() for spec in specs])
            dependents = catalog.dependents(Dumps)
            published = publish(
                warehouse.open(), Dumps, found, dependents=dependents, inspect=inspection
            )
        metadata = materialization_metadata(published.profile, None, inspection.seconds())
        yield from events(inspection.results)
        yield dg.MaterializeResult(asset_key=asset_key(Dumps), metadata=metadata)

    return _dumps
