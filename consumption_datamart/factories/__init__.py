"""From a frozen spec of a table to its Dagster assets."""

from consumption_datamart.factories.dumps import dumps_asset
from consumption_datamart.factories.lake_table import LakeTableSpec, lake_table_assets
from consumption_datamart.factories.mart_table import TableSpec, mart_table_asset
from consumption_datamart.factories.partitions import daily_partitions

__all__ = [
    "LakeTableSpec",
    "TableSpec",
    "daily_partitions",
    "dumps_asset",
    "lake_table_assets",
    "mart_table_asset",
]
