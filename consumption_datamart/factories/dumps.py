"""The assets of what the lake tells without a file of it being opened: dumps, declarations."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from consumption_datamart.automation import eager
from consumption_datamart.checks import (
    Check,
    Inspection,
    as_dagster_failure,
    asset_key,
    check_spec,
    checks_of_dumps,
    checks_of_listed,
    events,
)
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.factories.metadata import asset_spec, materialization_metadata, source_key
from consumption_datamart.lake.listing import Listing, listing
from consumption_datamart.lake.loaded import read_loaded
from consumption_datamart.planning import listed_dumps
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.raw import Declarations, Dumps
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse, publish


def dumps_asset(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset that lists the dumps of all lake tables, whether they are loaded or not."""
    return _listed_asset(
        catalog,
        Dumps,
        [source_key(source) for source in catalog.sources],
        checks_of_dumps(catalog.sources, catalog.settings),
        lambda listed, target: listed_dumps(listed, read_loaded(target)),
    )


def declarations_asset(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of what the sources file declares of the mart."""
    return _listed_asset(
        catalog,
        Declarations,
        [],
        checks_of_listed(Declarations, catalog.settings),
        lambda listed, _: listed.sources.declarations(),
    )


def _listed_asset(
    catalog: Catalog,
    model: type[Table],
    deps: Sequence[dg.AssetKey],
    checks: Sequence[Check],
    rows: Callable[[Listing, Warehouse], pd.DataFrame],
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=model.table_name(),
        specs=[asset_spec(model, "raw", deps=deps, automation_condition=eager())],
        check_specs=[check_spec(check) for check in checks],
    )
    def _listed(
        lake: LakeResource, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.MaterializeResult[Any]]:
        inspection = Inspection(checks)
        with as_dagster_failure():
            listed, target = listing(lake.open()), warehouse.open()
            found, dependents = rows(listed, target), catalog.dependents(model)
            published = publish(target, model, found, dependents=dependents, inspect=inspection)
        metadata = materialization_metadata(published.profile, None, inspection.seconds())
        if model is Dumps:
            metadata |= {"ignored files": len(listed.ignored), "future files": len(listed.future)}
            metadata |= {"remarks": "; ".join(listed.remarks)} if listed.remarks else {}
        yield from events(inspection.results)
        yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return _listed
