"""What the columns of an asset are made of."""

from collections.abc import Mapping, Sequence

import dagster as dg
import ibis.expr.types as ir

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.monitoring import MONITORING
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.definitions import catalog_of
from consumption_datamart.factories.mart_table import arguments, computed
from consumption_datamart.factories.metadata import column_lineage, source_key
from consumption_datamart.governance.assets import Asset
from consumption_datamart.governance.of_dagster import instance_of
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of
from consumption_datamart.warehouse.rows import conform

MadeOf = Mapping[str, Sequence[tuple[str, str]]]
"""Column → keys and columns of the assets that it is made of."""


def columns_of(settings: Settings, asset: Asset) -> MadeOf:
    """What each column of an asset is made of, one step up.

    Of the mart's tables it is read off what computes them, of others off their last
    materialization, where Dagster keeps a record.

    Raises:
        LakeError: the lake's sources cannot be read.
        WarehouseError: the warehouse cannot be opened.
        DatamartError: Dagster's instance cannot be opened.
    """
    catalog = catalog_of(settings)
    for lake_table in LAKE:
        if raw_of(lake_table.contract).full_name() == asset.table:
            own = [each for each in catalog.sources if each.contract is lake_table.contract]
            keys = [source_key(source).to_user_string() for source in own]
            names = lake_table.contract.ibis_schema()
            return {name: [(key, name) for key in keys] for name in names}
    for spec in [*STAR, *REPORTS, *MONITORING]:
        if spec.model.full_name() == asset.table:
            warehouse = warehouse_of(settings).released()
            rows = computed(spec, arguments(spec, catalog.models, warehouse, None))
            if not isinstance(rows, ir.Table):
                return {}
            tables = {warehouse.location(each)[0]: each for each in catalog.models.values()}
            return _pairs(column_lineage(conform(spec.model, rows), tables))
    with instance_of(settings) as instance:
        last = instance and instance.get_latest_materialization_event(
            dg.AssetKey.from_user_string(asset.key)
        )
    made = last.asset_materialization if last else None
    lineage = made.metadata.get("dagster/column_lineage") if made else None
    return _pairs(lineage.value) if isinstance(lineage, dg.TableColumnLineageMetadataValue) else {}


def _pairs(lineage: dg.TableColumnLineage) -> MadeOf:
    return {
        name: [(dep.asset_key.to_user_string(), dep.column_name) for dep in deps]
        for name, deps in lineage.deps_by_column.items()
    }
