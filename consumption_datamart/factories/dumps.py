"""The assets of what the lake tells without a file of it being opened: dumps, declarations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from consumption_datamart.warehouse import Publication, Warehouse, publish, read_ledger


@dataclass(frozen=True)
class ListedSpec:
    """A table of what the lake tells without a file of it being opened.

    Attributes:
        model: the table.
        rows: of it, of a listing of the lake and of what was loaded before.
    """

    model: type[Table]
    rows: Callable[[Listing, Warehouse], pd.DataFrame]

    def checks(self, catalog: Catalog) -> list[Check]:
        """All checks of the table."""
        if self.model is Dumps:
            return checks_of_dumps(catalog.sources, catalog.settings)
        return checks_of_listed(self.model, catalog.settings)


LISTED = (
    ListedSpec(Dumps, lambda found, to: listed_dumps(found, read_loaded(to), read_ledger(to))),
    ListedSpec(Declarations, lambda found, _: found.sources.declarations()),
)
"""The dumps of all lake tables, loaded or not; what the sources file declares of the mart."""


def refresh_listed(
    spec: ListedSpec,
    catalog: Catalog,
    found: Listing,
    warehouse: Warehouse,
    inspection: Inspection,
) -> Publication:
    """Publishes what the lake tells.

    Args:
        spec: of the table.
        catalog: of all tables.
        found: what the lake has.
        warehouse: where the table is.
        inspection: evaluates its checks.

    Raises:
        AuditError: the rows break the model or a blocking check; the table is as it was.
        WarehouseError: the warehouse cannot be opened or written to.
    """
    rows, dependents = spec.rows(found, warehouse), catalog.dependents(spec.model)
    return publish(warehouse, spec.model, rows, dependents=dependents, inspect=inspection)


def listed_asset(spec: ListedSpec, catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of such a table."""
    model, checks = spec.model, spec.checks(catalog)
    deps = [source_key(source) for source in catalog.sources] if model is Dumps else []

    @dg.multi_asset(
        name=model.table_name(),
        specs=[asset_spec(model, "raw", deps=deps, automation_condition=eager())],
        check_specs=[check_spec(check) for check in checks],
    )
    def _listed(
        lake: LakeResource, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.MaterializeResult[Any]]:
        inspection = Inspection(checks, is_sampled=True)
        with as_dagster_failure():
            found, target = listing(lake.open()), warehouse.open()
            published = target.patiently(
                lambda: refresh_listed(spec, catalog, found, target, inspection)
            )
        metadata = materialization_metadata(
            published.profile, None, inspection.samples[model], inspection.seconds()
        )
        if model is Dumps:
            metadata |= {"ignored files": len(found.ignored), "future files": len(found.future)}
            metadata |= {"remarks": "; ".join(found.remarks)} if found.remarks else {}
        yield from events(inspection.results)
        yield dg.MaterializeResult(asset_key=asset_key(model), metadata=metadata)

    return _listed
