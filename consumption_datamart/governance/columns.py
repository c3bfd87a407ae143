"""What the columns of an asset are made of."""

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
from consumption_datamart.lineage import MadeOf, made_of_columns, pairs
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of
from consumption_datamart.warehouse.rows import conform


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
            return pairs(column_lineage(conform(spec.model, rows), tables))
    with instance_of(settings) as instance:
        return (instance and made_of_columns(instance, asset.key)) or {}
