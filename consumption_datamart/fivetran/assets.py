"""The assets of connectors' tables: upstream of what reads them. Imports Fivetran's client."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from consumption_datamart.automation import AwaitsRefresh
from consumption_datamart.automation.policies import AC
from consumption_datamart.automation.words import PolicyError, policy_of
from consumption_datamart.declared import Declared, broken
from consumption_datamart.errors import DatamartError
from consumption_datamart.fivetran import GROUP, AccountEntry, ConnectorEntry, Landed
from consumption_datamart.fivetran.client import Fivetran
from consumption_datamart.fivetran.watch import (
    SYNCED,
    awaits,
    awaits_no_more,
    figures,
    remember,
    sensor_of,
    trouble,
)

HOURLY = "0 * * * *"
"""When tables that never came are asked for again (UTC)."""
RETRY = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL)


def assets_of(said: Declared, minutes: int) -> Landed:
    """The assets of all connectors of a file.

    Args:
        said: the file.
        minutes: interval of the settings.

    Raises:
        DatamartError: the file says nothing of the account.
    """
    account: AccountEntry = said.section("fivetran")
    assets, connectors, apart = list[dg.AssetsDefinition](), [], []
    for connector in said.entries("connector"):
        condition = None
        try:
            condition = connector.policy and condition_of(connector.policy, minutes)
        except PolicyError as error:
            where = f"{said.file}: [[connector]] {connector.name}: policy"
            said.problems.append(f"{where}: {error}; its syncs are observed alone")
        if connector.policy is None:
            assets.append(dg.AssetsDefinition(specs=_specs(connector, None)))
        else:
            assets.append(synced_assets(account, connector, condition))
            apart.append(connector.keys)
        connectors.append(connector)
    return Landed(
        [*assets, *broken(GROUP, said.file, said.problems)],
        [_check(account, each) for each in connectors],
        [sensor_of(account, connectors)] if connectors else [],
        apart,
        {each.name: partial(_known, account, each) for each in connectors},
        said.problems,
    )


def condition_of(word: str, minutes: int) -> Any:
    """The condition of a policy, for what nobody tells when it has changed; None: by hand.

    Args:
        word: of the policy.
        minutes: interval of the settings.

    Raises:
        PolicyError: there is no such policy, or not for a connector.
    """
    found: Any = policy_of(word)(minutes)
    asked, once = AwaitsRefresh(), AwaitsRefresh(only_missing=True)
    if found == asked:
        raise PolicyError(
            f"{word}: nobody tells when a source has changed; write at_most_every(15), or"
            " on_cron(0 * * * *)"
        )
    if found is None:
        return None
    label = found.get_label()
    never: Any = AC.missing() & ~AC.newly_requested().since(AC.cron_tick_passed(HOURLY))
    any_time: Any = ~AC.in_progress()
    found = never if found == once else found.replace(asked, any_time).replace(once, never)
    return (found & ~AC.in_progress()).with_label(label)


def synced_assets(
    account: AccountEntry, connector: ConnectorEntry, condition: Any
) -> dg.AssetsDefinition:
    """The tables of a connector whose syncs the mart starts.

    Args:
        account: to ask.
        connector: to sync.
        condition: when it is synced by itself.
    """

    @dg.multi_asset(
        name=f"{GROUP}_{connector.name}",
        specs=_specs(connector, condition),
        retry_policy=RETRY,
        pool=f"{GROUP}_{connector.name}",
    )
    def _sync(context: dg.AssetExecutionContext) -> Iterator[Any]:
        awaits(context.instance, account, connector, context.run.run_id)
        try:
            state = Fivetran(account).synced(connector, context.log.info)
            for key in connector.keys:
                yield dg.MaterializeResult(asset_key=key, metadata=figures(state))
            remember(context.instance, connector, str(state.succeeded_at))
        except DatamartError as error:
            raise dg.Failure(str(error), allow_retries=getattr(error, "may_pass", False)) from error
        finally:
            awaits_no_more(context.instance, connector)

    return _sync


def _specs(connector: ConnectorEntry, condition: Any) -> list[dg.AssetSpec]:
    by = "Fivetran's own schedule" if connector.policy is None else "the mart"
    return [
        dg.AssetSpec(
            key,
            description=f"Table `{table}` of connector `{connector.id}`; its syncs are started by"
            f" {by}.",
            group_name=GROUP,
            owners=[connector.owner],
            kinds={"fivetran"},
            automation_condition=condition,
        )
        for key, table in zip(connector.keys, connector.tables, strict=True)
    ]


def _check(account: AccountEntry, connector: ConnectorEntry) -> dg.AssetChecksDefinition:
    """Whether the last sync has succeeded; the sensor tells it, and whoever evaluates it asks."""
    specs = [
        dg.AssetCheckSpec(SYNCED, asset=key, description="The last sync has succeeded.")
        for key in connector.keys
    ]

    @dg.multi_asset_check(name=f"{GROUP}_{connector.name}_{SYNCED}", specs=specs)
    def check() -> Iterator[dg.AssetCheckResult]:
        try:
            told = trouble(Fivetran(account).state(connector))
        except DatamartError as error:
            told = str(error)
        for key in connector.keys:
            yield dg.AssetCheckResult(
                asset_key=key, check_name=SYNCED, passed=told is None, description=told
            )

    return check


def _known(account: AccountEntry, connector: ConnectorEntry) -> str:
    """What Fivetran knows of a connector, in a line.

    Raises:
        DatamartError: it cannot be asked, something is wrong, or a table is none of its tables.
    """
    asked = Fivetran(account)
    state = asked.state(connector)
    if (told := trouble(state)) is not None:
        raise DatamartError(told)
    there = asked.tables(connector)
    names = {each.split(".")[-1] for each in there} | there
    if unknown := [each for each in connector.tables if each not in names]:
        raise DatamartError(
            f"connector {connector.id} has no table {unknown[0]}; it has {', '.join(sorted(there))}"
        )
    return f"{account.api}: connector {connector.id} synced at {state.succeeded_at or 'no time'}"
