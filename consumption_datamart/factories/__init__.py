"""From a frozen spec of a table to its Dagster assets."""

from consumption_datamart.factories.catalog import Catalog, nodes_of, require_models
from consumption_datamart.factories.dumps import LISTED, ListedSpec, listed_asset, refresh_listed
from consumption_datamart.factories.figures import figures_asset
from consumption_datamart.factories.freshness import freshness_checks
from consumption_datamart.factories.lake_table import (
    LakeTableSpec,
    lake_table_asset,
    load_lake_table,
    problem_of,
    profiles_of,
)
from consumption_datamart.factories.mart_table import mart_table_asset, refresh_table
from consumption_datamart.factories.metadata import described
from consumption_datamart.factories.monitoring import (
    MONITOR_JOB,
    all_checks,
    check_results_asset,
    monitor_schedule,
)
from consumption_datamart.factories.observation import lake_sources
from consumption_datamart.factories.releasing import releasing
from consumption_datamart.factories.table_spec import TableSpec
from consumption_datamart.factories.usual import usual_checks
from consumption_datamart.factories.watch import (
    OBSERVE_JOB,
    first_observation_sensor,
    observe_schedule,
)

__all__ = [
    "LISTED",
    "MONITOR_JOB",
    "OBSERVE_JOB",
    "Catalog",
    "LakeTableSpec",
    "ListedSpec",
    "TableSpec",
    "all_checks",
    "check_results_asset",
    "described",
    "figures_asset",
    "first_observation_sensor",
    "freshness_checks",
    "lake_sources",
    "lake_table_asset",
    "listed_asset",
    "load_lake_table",
    "mart_table_asset",
    "monitor_schedule",
    "nodes_of",
    "observe_schedule",
    "problem_of",
    "profiles_of",
    "refresh_listed",
    "refresh_table",
    "releasing",
    "require_models",
    "usual_checks",
]
