"""The source assets, and the one step that observes them all."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from consumption_datamart.checks import asset_key
from consumption_datamart.errors import LakeError
from consumption_datamart.factories.lake_table import LakeTableSpec
from consumption_datamart.factories.metadata import asset_spec
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.versions import Contents, Versions, is_changed, versions
from consumption_datamart.private import keep, kept, observed_days
from consumption_datamart.resources import LakeResource
from consumption_datamart.schema.lake import Contract

VERSION_TAG = "dagster/data_version"
GONE = "no dump"
"""Version of a day whose dump was taken away."""


def lake_sources(
    specs: Sequence[LakeTableSpec], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The source assets of all lake tables, observed together.

    An observation is recorded only of what is new or changed since the last one: of a table with
    daily partitions by day, of any other as a whole. A table that cannot be observed fails the step
    after the others have been.
    """

    @dg.multi_observable_source_asset(
        name="lake",
        specs=[
            asset_spec(
                spec.contract,
                "lake",
                spec.owners,
                kinds=("file",),
                partitions_def=partitions if spec.contract.day_column() else None,
                skippable=True,
            )
            for spec in specs
        ],
    )
    def _lake(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
        source, problems = lake.open(), []
        for spec in specs:
            table = spec.contract.table_name()
            try:
                found = versions(source, table, known_contents(context.instance, source, table))
            except LakeError as error:
                problems.append(str(error))
                continue
            yield from _news(context, spec.contract, found, partitions)
            remember(context.instance, source, table, found.contents)
        if problems:
            raise dg.Failure(description="; ".join(problems))

    return _lake


def _news(
    context: dg.AssetExecutionContext,
    contract: type[Contract],
    found: Versions,
    partitions: dg.PartitionsDefinition,
) -> Iterator[dg.AssetObservation | dg.ObserveResult]:
    """Observations of what is not as it was last observed."""
    key = asset_key(contract)
    if contract.day_column() is None:
        if found.table != _observed(context.instance, key):
            yield dg.ObserveResult(
                asset_key=key,
                data_version=dg.DataVersion(found.table),
                metadata={"dumps": len(found.dumps)},
            )
        return
    known = observed_days(context.instance, key, VERSION_TAG)
    now = dict.fromkeys(known, GONE) | {
        day.isoformat(): version for day, version in found.dumps.items()
    }
    changed = {day for day, version in now.items() if known.get(day) != version}
    days = set(partitions.get_partition_keys())
    if beyond := sorted(changed - days):
        context.log.warning(
            f"{key.to_user_string()}: dumps of {beyond[0]} … {beyond[-1]} are on {len(beyond)} days"
            " that are no partitions; reload the code location, or wait for the day"
        )
    for day in sorted(changed & days):
        yield dg.AssetObservation(key, partition=day, tags={VERSION_TAG: now[day]})


def _observed(instance: dg.DagsterInstance, key: dg.AssetKey) -> str | None:
    """The version of a whole table that was last observed."""
    records = instance.fetch_observations(key, limit=1).records
    observation = records[0].asset_observation if records else None
    return (observation.tags or {}).get(VERSION_TAG) if observation else None


def is_news(instance: dg.DagsterInstance, lake: Lake, specs: Sequence[LakeTableSpec]) -> bool:
    """Whether any lake table looks other than it did when it was last observed; opens no file.

    Raises:
        LakeError: a table cannot be listed, and all others look as they did.
    """
    problems = []
    for table in (spec.contract.table_name() for spec in specs):
        try:
            if is_changed(lake, table, known_contents(instance, lake, table)):
                return True
        except LakeError as error:
            problems.append(error)
    if problems:
        raise problems[0]
    return False


def known_contents(instance: dg.DagsterInstance, lake: Lake, table: str) -> Contents:
    """What the last observation of a table has read."""
    contents = json.loads(kept(instance, _name(lake, table)) or "{}")
    return {name: tuple(known) for name, known in contents.items()}


def remember(instance: dg.DagsterInstance, lake: Lake, table: str, contents: Contents) -> None:
    """Keeps what an observation of a table has read, for the next."""
    keep(instance, _name(lake, table), json.dumps(contents))


def _name(lake: Lake, table: str) -> str:
    return f"consumption_datamart/contents/{lake.uri}/{table}"
