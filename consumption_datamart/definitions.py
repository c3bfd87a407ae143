"""The code location: assembles what the other modules define."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.factories import daily_partitions, lake_table_assets, mart_table_asset
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings

BUILD_JOB = "build"
REFRESH_REPORTS_JOB = "refresh_reports"


def models() -> dict[str, type[Table]]:
    """The models of all tables of the warehouse, by table name."""
    loaded = [model for spec in LAKE for model in spec.models()]
    return {model.table_name(): model for model in [*loaded, *(spec.model for spec in STAR + REPORTS)]}


def build_definitions(
    settings: Settings | None = None,
    through: date | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    **overrides: Any,
) -> dg.Definitions:
    """All assets, jobs and resources.

    Args:
        settings: where the lake and the warehouse are; by default from the environment.
        through: last daily partition, where the lake has days after today.
        loggers: by default Dagster's own.
        overrides: settings that differ from `settings`, by name.
    """
    settings = (settings or Settings()).model_copy(update=overrides)
    partitions = daily_partitions(settings.start_day, through)
    tables = models()
    return dg.Definitions(
        assets=[
            *(asset for spec in LAKE for asset in lake_table_assets(spec, partitions)),
            *(mart_table_asset(spec, tables, partitions) for spec in STAR + REPORTS),
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
            "warehouse": WarehouseResource(
                url=settings.warehouse, memory_limit=settings.memory_limit
            ),
        },
        executor=dg.in_process_executor,
        loggers=loggers,
    )


defs = build_definitions()
