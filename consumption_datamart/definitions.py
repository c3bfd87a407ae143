"""The code location: assembles what the other modules define."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.checks import asset_key
from consumption_datamart.factories import (
    daily_partitions,
    dumps_asset,
    lake_table_assets,
    mart_table_asset,
)
from consumption_datamart.io_manager import TableIOManager
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings

BUILD_JOB = "build"
REFRESH_REPORTS_JOB = "refresh_reports"


def models() -> dict[str, type[Table]]:
    """The models of all tables of the warehouse, by table name."""
    loaded: list[type[Table]] = [Dumps, *(model for spec in LAKE for model in spec.models())]
    return {
        model.table_name(): model for model in [*loaded, *(spec.model for spec in STAR + REPORTS)]
    }


def build_definitions(
    settings: Settings | None = None,
    through: date | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    own_assets: Sequence[dg.AssetsDefinition] = (),
    own_models: Sequence[type[Table]] = (),
    **overrides: Any,
) -> dg.Definitions:
    """All assets, jobs and resources.

    Args:
        settings: where the lake and the warehouse are; by default from the environment.
        through: last daily partition, where the lake has days after today.
        loggers: by default Dagster's own.
        own_assets: a team's assets, which take and return tables as frames or Ibis expressions.
        own_models: of the tables that these return.
        overrides: settings that differ from `settings`, by name.

    Raises:
        TypeError: an asset has no model, or a column no meaning.
    """
    settings = (settings or Settings()).model_copy(update=overrides)
    partitions = daily_partitions(settings.start_day, through)
    tables = models() | {model.table_name(): model for model in own_models}
    require_models(own_assets, tables)
    warehouse = WarehouseResource(url=settings.warehouse, memory_limit=settings.memory_limit)
    return dg.Definitions(
        assets=[
            *(asset for spec in LAKE for asset in lake_table_assets(spec, partitions)),
            dumps_asset(LAKE),
            *(mart_table_asset(spec, tables, partitions) for spec in STAR + REPORTS),
            *own_assets,
        ],
        jobs=[
            dg.define_asset_job(
                BUILD_JOB,
                selection=dg.AssetSelection.all(),
                description="Everything, for a range of days in one run.",
            ),
            dg.define_asset_job(
                REFRESH_REPORTS_JOB,
                selection=dg.AssetSelection.groups("reports"),
                description="The reports, for a range of days in one run.",
            ),
        ],
        resources={
            "lake": LakeResource(uri=settings.lake),
            "warehouse": warehouse,
            "io_manager": TableIOManager(warehouse, tables),
        },
        executor=dg.in_process_executor,
        loggers=loggers,
    )


def require_models(
    assets: Sequence[dg.AssetsDefinition], tables: Mapping[str, type[Table]]
) -> None:
    """An asset without a model cannot be loaded: nothing goes unchecked.

    Raises:
        TypeError: names the asset.
    """
    known = {asset_key(model) for model in tables.values()}
    for key in (key for each in assets for key in each.keys):
        if key not in known:
            raise TypeError(
                f"asset {key.to_user_string()}: it has no model; write one, whose schema and name"
                " are the asset's key, and give it to build_definitions(own_models=…)"
            )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads; the environment is read now, not when the module is imported."""
    return build_definitions()
