"""The code location: assembles what the other modules define."""

import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg

from consumption_datamart.alerts.evaluation import Watched, ticking
from consumption_datamart.alerts.sensor import alert_job, alert_sensor
from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.monitoring import MONITORING
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.automation import with_plan
from consumption_datamart.automation.sensor import automation_sensor
from consumption_datamart.checks import asset_key
from consumption_datamart.checks.reporting import told_checks
from consumption_datamart.dbt import downstream
from consumption_datamart.discovery import code_location_of
from consumption_datamart.errors import LakeError
from consumption_datamart.factories import (
    LISTED,
    MONITOR_JOB,
    OBSERVE_JOB,
    Catalog,
    check_results_asset,
    described,
    figures_asset,
    first_observation_sensor,
    freshness_checks,
    lake_sources,
    lake_table_asset,
    listed_asset,
    mart_table_asset,
    monitor_schedule,
    nodes_of,
    observe_schedule,
    releasing,
    require_models,
    usual_checks,
)
from consumption_datamart.fivetran import landed
from consumption_datamart.ingest import upstream
from consumption_datamart.io_manager import table_io_manager
from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.lake.listing import listing, sources_of
from consumption_datamart.lake.sources import Sources
from consumption_datamart.lineage import Downstream, defined_by, made_of, specs_in
from consumption_datamart.page.asset import SITE, page_assets
from consumption_datamart.partitions import Partitions, partitions
from consumption_datamart.planning import CurrentPlan, Node
from consumption_datamart.resources import resources_of
from consumption_datamart.retention.job import nightly, prune_job
from consumption_datamart.reverse_etl import sent
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.monitoring import MONITORING as MONITORED
from consumption_datamart.schema.raw import Declarations, Dumps, models_of
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings, load_settings

BUILD_JOB = "build"
NO_LAKE = date(2020, 1, 1)
"""First partition where the lake does not say."""


def models() -> dict[str, type[Table]]:
    """The models of all tables of the warehouse, by table name."""
    loaded: list[type[Table]] = [Dumps, Declarations]
    loaded += [model for spec in LAKE for model in models_of(spec.contract)]
    computed = [spec.model for spec in STAR + REPORTS]
    return {model.table_name(): model for model in [*loaded, *computed]}


def catalog_of(
    settings: Settings,
    partitions: Partitions = MappingProxyType({}),
    own_assets: Sequence[dg.AssetsDefinition] = (),
    own_models: Sequence[type[Table]] = (),
    sources: Sources | None = None,
) -> Catalog:
    """All tables of the mart, and a team's own; sources are read where they are not given."""
    tables = models() | {model.table_name(): model for model in [*MONITORED, *own_models]}
    require_models(own_assets, tables)
    return Catalog(
        tables,
        STAR + REPORTS,
        partitions,
        settings,
        contracts=[spec.contract for spec in LAKE],
        sources=(sources or sources_of(lake_of(settings))).all,
        own=[node for each in own_assets for node in nodes_of(each, tables)],
    )


def nodes(settings: Settings) -> list[Node]:
    """All tables of the mart, as the planner knows them."""
    return catalog_of(settings).nodes()


def build_definitions(
    settings: Settings | None = None,
    through: date | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    own_assets: Sequence[dg.AssetsDefinition] = (),
    own_models: Sequence[type[Table]] = (),
    broken: Mapping[str, str] = MappingProxyType({}),
    others: Sequence[dg.AssetSpec] = (),
    *,
    is_released_by_runs: bool = True,
    **overrides: Any,
) -> dg.Definitions:
    """All assets, jobs and resources.

    Args:
        settings: where the lake and the warehouse are; by default from the environment.
        through: last daily partition, where the lake has days after today.
        loggers: by default Dagster's own.
        own_assets: a team's assets, which take and return tables as frames or Ibis expressions.
        own_models: of the tables that these return.
        broken: why files of a team's folder do not load, by name; it is alerted.
        others: further assets, whose owners are told of changes of columns; read when alerts are.
        is_released_by_runs: whether readers see what a run has published once it is done.
        overrides: settings that differ from `settings`, by name.

    Raises:
        TypeError: an asset has no model, a column no meaning, or a setting is not one.
    """
    if unknown := sorted(overrides.keys() - Settings.model_fields.keys()):
        raise TypeError(
            f"{unknown[0]} is no setting; these are: {', '.join(Settings.model_fields)}"
        )
    settings = (settings or load_settings()).model_copy(update=overrides)
    lake, readers = resources_of(settings)
    # in Dagster a job is partitioned one way: the build's partitions are days
    sources = sources_of(lake.open())
    begins = first_day(settings, _files(lake.open(), sources), sources)
    days = {Grain.DAY: partitions(begins, through)[Grain.DAY]}
    catalog = catalog_of(settings, days, own_assets, own_models, sources)
    fed = upstream(lake.open(), sources, settings.refresh_minutes)
    fivetran = landed(settings, sources.config.after, logging.getLogger(__name__))
    fresh, usual = freshness_checks(REPORTS), usual_checks(catalog)
    monitoring, site = (dg.AssetSelection.groups(name) for name in ("monitoring", SITE))
    measured = dg.AssetSelection.assets(*(asset_key(spec.model) for spec in MONITORING))
    apart = dg.AssetSelection.checks(*check_keys([fresh, usual]))
    warehouse = releasing(catalog)(**readers.model_dump()) if is_released_by_runs else readers
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        assets = [
            lake_sources(LAKE, catalog.sources, days[Grain.DAY], fed.feeds),
            *fed.assets,
            *fivetran.assets,
            *(lake_table_asset(spec, catalog) for spec in LAKE),
            *(listed_asset(spec, catalog) for spec in LISTED),
            *(mart_table_asset(spec, catalog) for spec in STAR + REPORTS),
            check_results_asset(LAKE, catalog),
            figures_asset(),
            *(mart_table_asset(spec, catalog) for spec in MONITORING),
            *page_assets(settings),
            *described(own_assets, own_models),
        ]
        plan = CurrentPlan(catalog.nodes(), catalog.contracts, warehouse.open(), lake.open())
        assets = with_plan(assets, plan)
        dbt = downstream(settings, catalog, plan, logging.getLogger(__name__))
        crm = sent(settings, catalog, plan, logging.getLogger(__name__))
        assets += [*dbt.assets, *crm.assets]
        beside = site | fed.selection | dbt.selection | crm.selection | fivetran.selection
        schedules = [observe_schedule(lake), monitor_schedule(), *nightly(settings), *dbt.schedules]
        apart_runs = [dbt.keys, fed.keys, *fivetran.apart, *([key] for key in crm.keys)]
        following = automation_sensor(apart_runs, *made_of(specs_in(assets), days[Grain.DAY]))
        sensors = [first_observation_sensor(), following, *fivetran.sensors]
        checks = told_checks(check_keys([*assets, fresh, *fivetran.checks]))
        who_reads = Downstream(catalog, lambda: defined_by([*specs_in(assets), *others]))
        automation = ticking(schedules, sensors)
        watched = Watched(checks, automation, BUILD_JOB, settings, broken, who_reads)
        alerts_file = Path(settings.alerts_file)
        return dg.Definitions(
            assets=assets,
            asset_checks=[fresh, usual, *fivetran.checks],
            jobs=[
                dg.define_asset_job(
                    BUILD_JOB,
                    # not the sources, which are observed; nor what is made of what a run releases
                    selection=dg.AssetSelection.all() - apart - (monitoring - measured) - beside,
                    description="Everything, for a range of days in one run.",
                ),
                dg.define_asset_job(
                    OBSERVE_JOB,
                    selection=dg.AssetSelection.groups("lake", include_sources=True),
                    description="Records which dumps of the lake are new or changed.",
                    tags=fed.tags(begins),
                ),
                dg.define_asset_job(
                    MONITOR_JOB,
                    selection=monitoring,
                    description="Evaluates all checks on what is stored; builds nothing.",
                ),
                alert_job(watched, alerts_file),
                prune_job(catalog),
                *dbt.jobs,
            ],
            schedules=schedules,
            sensors=[*sensors, alert_sensor(warehouse, watched, alerts_file)],
            resources={
                "lake": lake,
                "warehouse": warehouse,
                # of jobs that publish nothing: it is neither upgraded nor released by them
                "readers": readers,
                "io_manager": table_io_manager(catalog),
            },
            executor=dg.in_process_executor,
            loggers=loggers,
        )


def lake_of(settings: Settings) -> Lake:
    """The lake that settings name; nothing is read yet."""
    return Lake(settings.lake, settings.sources, settings.accept_deletions)


def check_keys(assets: Iterable[object]) -> list[dg.AssetCheckKey]:
    """All asset checks of assets, or of definitions of checks."""
    made = (each for each in assets if isinstance(each, dg.AssetsDefinition))
    return [spec.key for each in made for spec in each.check_specs]


def _files(lake: Lake, sources: Sources) -> list[DumpFile]:
    """What the lake has; nothing, where it cannot be listed now.

    That is no reason not to load the code location; a mistake in `lake.toml` is one.
    """
    try:
        found = listing(lake, sources=sources)
    except LakeError as error:
        logging.getLogger(__name__).warning("%s; nothing is known of its days", error)
        return []
    return [file for source in sources.required for file in found.of(source)]


def first_day(settings: Settings, files: Sequence[DumpFile], sources: Sources) -> date:
    """The first daily partition: what is set, else the first day that anything is loaded for.

    That of a query is known before its first dump is there.
    """
    days = [file.day for file in files] + [entry.since for entry in sources.config.ingest]
    return settings.start_day or min(days, default=NO_LAKE)


def code_location(settings: Settings) -> dg.Definitions:
    """All that Dagster loads: the mart, and what teams have dropped into their folder."""
    return code_location_of(settings, build_definitions)[0]


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads; the environment is read now, not when the module is imported."""
    return code_location(load_settings())
