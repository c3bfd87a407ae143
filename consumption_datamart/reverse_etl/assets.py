"""The asset of each sync: downstream of the report that it sends. Imports Census's client."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from consumption_datamart.automation.following import Mart, following
from consumption_datamart.automation.policies import AC
from consumption_datamart.automation.words import PolicyError, policy_of
from consumption_datamart.checks import asset_key
from consumption_datamart.declared import Declared, broken
from consumption_datamart.errors import DatamartError, WarehouseError
from consumption_datamart.factories import Catalog
from consumption_datamart.planning import CurrentPlan
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.reverse_etl import GROUP, CensusEntry, Sent, SyncEntry
from consumption_datamart.reverse_etl.census import Census, CensusError
from consumption_datamart.reverse_etl.outbox import outbox
from consumption_datamart.reverse_etl.sending import Done, send
from consumption_datamart.schema.table import MartTable, Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of

HOURLY = "0 * * * *"
"""When what has failed is tried again (UTC)."""
RETRY = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL)


class SendConfig(dg.Config):
    """How it is sent by hand."""

    again: bool = False


def assets_of(said: Declared, settings: Settings, catalog: Catalog, plan: CurrentPlan) -> Sent:
    """The assets of all syncs of a file.

    Args:
        said: the file.
        settings: of the code location.
        catalog: of all tables of the mart.
        plan: that the policies ask.

    Raises:
        DatamartError: the file says nothing of Census, or Census cannot read this warehouse.
    """
    census: CensusEntry = said.section("census")
    if warehouse_of(settings).scheme != "postgres":
        raise DatamartError(
            f"{said.file}: Census reads a mart on PostgreSQL, and CONSUMPTION_DATAMART_WAREHOUSE is"
            f" {settings.warehouse}; set it to postgres://…, or unset"
            " CONSUMPTION_DATAMART_REVERSE_ETL"
        )
    known = {name: m for name, m in catalog.models.items() if issubclass(m, MartTable)}
    mart = Mart(plan, [node for node in catalog.nodes() if node not in catalog.own])
    assets, keys, asking = [], [], {}
    for sync in said.entries("sync"):
        where = f"{said.file}: [[sync]] {sync.name}"
        condition = None
        if sync.table not in known:
            said.problems.append(
                f"{where}: table: the mart has no {sync.table}; see docs/data-dictionary.md"
            )
            continue
        model = known[sync.table]
        try:
            condition = condition_of(sync, model, mart, settings.refresh_minutes)
        except PolicyError as error:
            said.problems.append(f"{where}: policy: {error}; it is sent by hand alone")
        assets.append(sync_asset(census, sync, model, condition))
        keys.append(dg.AssetKey([GROUP, sync.name]))
        asking[sync.name] = partial(_known, census, sync)
    wrong = broken(GROUP, said.file, said.problems)
    return Sent([*assets, *wrong], keys, asking, said.problems)


def _known(census: CensusEntry, sync: SyncEntry) -> str:
    runs = Census(census).runs(sync.id)
    last = f"its last run, {runs[-1].id}, is {runs[-1].status}" if runs else "it was never run"
    return f"{census.api}: sync {sync.id}: {last}"


def condition_of(sync: SyncEntry, model: type[Table], mart: Mart, minutes: int) -> Any:
    """The condition of a sync's policy; what has failed is due again at the next full hour.

    Args:
        sync: as it is declared.
        model: of the report.
        mart: to ask.
        minutes: interval of the settings.

    Raises:
        PolicyError: there is no such policy.
    """
    found: Any = following(policy_of(sync.policy)(minutes), mart, {model.full_name()}, set())
    if found is None:
        return None
    due: Any = AC.cron_tick_passed(HOURLY).since(AC.newly_requested())
    again: Any = AC.execution_failed() & due & ~AC.in_progress()
    return (found | again).with_label(found.get_label())


def sync_asset(
    census: CensusEntry, sync: SyncEntry, model: type[Table], condition: Any
) -> dg.AssetsDefinition:
    """The asset whose materialization is that the report was sent.

    Args:
        census: where it is.
        sync: as it is declared.
        model: of the report.
        condition: when it is sent by itself.
    """
    key = dg.AssetKey([GROUP, sync.name])
    told = f"Sends `{model.full_name()}` on, by sync {sync.id} of Census."
    if sync.where:
        told = f"{told} Of its rows:\n\n```sql\n{sync.where}\n```"

    @dg.multi_asset(
        name=f"{GROUP}_{sync.name}",
        specs=[
            dg.AssetSpec(
                key,
                deps=[asset_key(model)],
                description=told,
                group_name=GROUP,
                owners=[sync.owner],
                kinds={"census"},
                automation_condition=condition,
            )
        ],
        retry_policy=RETRY,
        pool=f"{GROUP}_{sync.name}",
    )
    def _sync(
        context: dg.AssetExecutionContext, config: SendConfig, readers: WarehouseResource
    ) -> Iterator[Any]:
        warehouse: Any = readers.open()
        try:
            asked = Census(census)
            with outbox(warehouse, sync.name) as own:
                done = send(asked, own, sync, model, context.log.info, again=config.again)
        except DatamartError as error:
            may_pass = isinstance(error, WarehouseError) or getattr(error, "may_pass", False)
            counts = dict(error.counts) if isinstance(error, CensusError) else None
            raise dg.Failure(str(error), counts, allow_retries=may_pass) from error
        yield dg.MaterializeResult(asset_key=key, metadata=_figures(done))

    return _sync


def _figures(done: Done) -> dict[str, Any]:
    return {
        "dagster/row_count": done.attempt.row_count,
        "publication": done.attempt.publication,
        "sync run": done.attempt.sync_run,
        "sent before": not done.is_new,
        **done.attempt.counts,
    }
