"""Building the mart as a user asks for it."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path

import dagster as dg

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.build.in_dagster import EVENTS, InDagster, event_logger
from consumption_datamart.build.in_process import InProcess
from consumption_datamart.build.plan import BuildPlan, plan_build
from consumption_datamart.build.result import BuildResult, OnStep
from consumption_datamart.build.runs import Executor, Runs
from consumption_datamart.definitions import build_definitions, catalog_of, lake_of, nodes
from consumption_datamart.errors import DatamartError
from consumption_datamart.factories import Catalog
from consumption_datamart.lake.listing import listing
from consumption_datamart.lake.loaded import forget_files
from consumption_datamart.planning import Step, lake_news, not_loaded, project
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import read_ledger, upgrade, warehouse_of
from consumption_datamart.warehouse.ledger import ledger_in, require_ledger


def build(
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
    on_step: OnStep | None = None,
) -> BuildResult:
    """Builds what is new: what the lake's dumps, or the code, have changed since the last build.

    Where `DAGSTER_HOME` is set, Dagster's instance there keeps a record of it.

    Args:
        settings: where the lake and the warehouse are.
        first: first day of the daily tables to build anew, whether it has changed or not.
        last: last day to build anew.
        full: whether to build all days anew.
        on_step: is told of steps as they begin and succeed.

    Returns:
        What was done; nothing, if nothing is new.

    Raises:
        LakeError: the lake is not there, or has none of the days.
        WarehouseError: the warehouse cannot be opened.
        DatamartError: `DAGSTER_HOME` is no folder.
    """
    with recording_instance(settings) as instance:
        return build_in(instance, settings, first, last, full=full, on_step=on_step)[0]


def build_in(
    instance: dg.DagsterInstance | None,
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
    on_step: OnStep | None = None,
    only: Collection[str] | None = None,
) -> tuple[BuildResult, Catalog]:
    """Builds as `build` does; an instance of Dagster keeps a record of it, if there is one.

    Args:
        instance: Dagster's; None: nothing is recorded.
        settings: where the lake and the warehouse are.
        first: see `build`.
        last: see `build`.
        full: see `build`.
        on_step: see `build`.
        only: full names of the tables that may be built; None: all.

    Returns:
        What was done, and all tables that it knew.
    """
    settings = settings.model_copy(update={"load_attempts": 1})
    warehouse, catalog = warehouse_of(settings), catalog_of(settings)
    # Dagster's steps may be processes of their own, which write to the warehouse, too
    with warehouse.session() if instance is None else nullcontext():
        upgrade(warehouse, list(catalog.models.values()), logging.getLogger(__name__).warning)
        raw = [raw_of(contract) for contract in catalog.contracts] if full else []
        with warehouse.transaction(raw) as transaction:
            # a warehouse that cannot be written to is told before any work is done
            require_ledger(transaction)
            if full:
                pruned = ledger_in(warehouse, transaction.backend).pruned
                forget_files(transaction, catalog.contracts, pruned)
        found = listing(lake_of(settings))
        ledger = read_ledger(warehouse)
        news = lake_news(warehouse, found, catalog.contracts, ledger)
        plan = plan_build(settings, ledger, news, first, last, full=full)
        on_step = on_step or (lambda _, __: None)
        executor: Executor = (
            InProcess(catalog, found, warehouse, on_step)
            if instance is None
            else _in_dagster(settings, catalog, instance, plan, on_step)
        )
        nodes = [node for node in catalog.nodes() if only is None or node.name in only]
        runs = Runs(executor, nodes, warehouse, plan)
        try:
            if plan.is_anew and only is None:
                runs.all()
            runs.awaited()
        finally:
            catalog.release(warehouse)
    return runs.result([*found.remarks, *not_loaded(news, ledger)]), catalog


def dry_run(settings: Settings) -> list[Step]:
    """What a build would refresh, and why; nothing is changed.

    Args:
        settings: where the lake and the warehouse are.

    Returns:
        Tables from the lake to the reports, with their days.

    Raises:
        LakeError: the lake cannot be read.
        WarehouseError: the warehouse cannot be opened.
    """
    warehouse = warehouse_of(settings)
    ledger = read_ledger(warehouse)
    contracts = [spec.contract for spec in LAKE]
    news = lake_news(warehouse, listing(lake_of(settings)), contracts, ledger)
    plan = plan_build(settings, ledger, news)
    return project(nodes(settings), ledger, plan.news)


@contextmanager
def recording_instance(settings: Settings) -> Iterator[dg.DagsterInstance | None]:
    """Dagster's instance that keeps a record of builds, until the end; None: none does.

    Raises:
        DatamartError: the folder that is set is not there.
    """
    if settings.dagster_home is None:
        yield None
        return
    if not Path(settings.dagster_home).is_dir():
        raise DatamartError(
            f"DAGSTER_HOME={settings.dagster_home}: there is no such folder; create it or unset it"
        )
    with dg.DagsterInstance.get() as instance:
        yield instance


def _in_dagster(
    settings: Settings,
    catalog: Catalog,
    instance: dg.DagsterInstance,
    plan: BuildPlan,
    on_step: OnStep,
) -> InDagster:
    definitions = build_definitions(
        settings,
        through=plan.through,
        loggers={EVENTS: event_logger(on_step)},
        is_released_by_runs=False,
        start_day=plan.start,
        # a build makes none of what is made of it, and asks nobody else
        dbt_projects=None,
        fivetran=None,
        reverse_etl=None,
    )
    return InDagster(definitions, catalog.models.values(), instance)
