"""The asset of what the lake has: its dumps, whether they are loaded or not."""

from collections.abc import Iterator
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
from consumption_datamart.factories.metadata import asset_spec, materialization_metadata, source_key
from consumption_datamart.lake.listing import listing
from consumption_datamart.lake.loaded import read_loaded
from consumption_datamart.planning import listed_dumps
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.warehouse import publish


def dumps_asset(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset that lists the dumps of all lake tables, without opening them."""
    checks = checks_of_dumps(catalog.sources, catalog.settings)

    @dg.multi_asset(
        name=Dumps.table_name(),
        specs=[
            asset_spec(
                Dumps,
                "raw",
                deps=[source_key(source) for source in catalog.sources],
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
            listed, target = listing(lake.open()), warehouse.open()
            found = listed_dumps(listed, read_loaded(target))
            dependents = catalog.dependents(Dumps)
            published = publish(target, Dumps, found, dependents=dependents, inspect=inspection)
        metadata = materialization_metadata(published.profile, None, inspection.seconds())
        metadata |= {"ignored files": len(listed.ignored), "future files": len(listed.future)}
        metadata |= {"remarks": "; ".join(listed.remarks)} if listed.remarks else {}
        yield from events(inspection.results)
        yield dg.MaterializeResult(asset_key=asset_key(Dumps), metadata=metadata)

    return _dumps
