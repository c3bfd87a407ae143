"""The source assets, and the one step that observes them all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import dagster as dg

from consumption_datamart.errors import LakeError
from consumption_datamart.factories.lake_table import LakeTableSpec
from consumption_datamart.factories.metadata import source_key, source_spec
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import listing
from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.versions import Contents, Versions, is_changed, versions
from consumption_datamart.private import keep, kept, observed_days
from consumption_datamart.resources import LakeResource

VERSION_TAG = "dagster/data_version"
GONE = "no dump"
"""Version of a day whose dump was taken away."""


def lake_sources(
    specs: Sequence[LakeTableSpec],
    sources: Sequence[Source],
    partitions: dg.PartitionsDefinition,
    feeds: Mapping[tuple[str, str], Sequence[dg.AssetKey]] = MappingProxyType({}),
) -> dg.AssetsDefinition:
    """The source assets of all lake tables, observed together.

    An observation is recorded only of what is new or changed since the last one: of a source with
    daily partitions by day, of any other as a whole.

    Args:
        specs: of the lake tables.
        sources: of these.
        partitions: days.
        feeds: the assets that write the dumps of a source, by its table and name.
    """
    owners = {spec.contract: spec.owners for spec in specs}

    @dg.multi_observable_source_asset(
        name="lake",
        specs=[
            source_spec(
                source,
                owners[source.contract],
                partitions_def=partitions if source.contract.day_column() else None,
                skippable=True,
                deps=[*(_fed_by(key, source) for key in feeds.get(source.key, ())), *after(source)],
            )
            for source in sources
        ],
    )
    def _lake(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
        try:
            found = listing(lake.open())
        except LakeError as error:
            raise dg.Failure(description=str(error)) from error
        for remark in found.remarks:
            context.log.warning(remark)
        for source in found.sources.all:
            known = known_contents(context.instance, found.lake, source)
            seen = versions(found, source, known)
            yield from _news(context, source, seen, partitions)
            remember(context.instance, found.lake, source, seen.contents)

    return _lake


def after(source: Source) -> Iterator[dg.AssetDep]:
    """What `lake.toml` says that fills a source: it has no days."""
    for key in source.entry.after if source.entry else ():
        yield dg.AssetDep(dg.AssetKey.from_user_string(key))


def _fed_by(key: dg.AssetKey, source: Source) -> dg.AssetDep:
    """A dump of a day is made by the day of what writes it, which may begin on another."""
    if source.contract.day_column() is None:
        return dg.AssetDep(key)
    mapping = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
    return dg.AssetDep(key, partition_mapping=mapping)


def _news(
    context: dg.AssetExecutionContext,
    source: Source,
    found: Versions,
    partitions: dg.PartitionsDefinition,
) -> Iterator[dg.AssetObservation | dg.ObserveResult]:
    """Observations of what is not as it was last observed."""
    key = source_key(source)
    if source.contract.day_column() is None:
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


def is_news(instance: dg.DagsterInstance, lake: Lake) -> bool:
    """Whether any source looks other than it did when it was last observed; opens no file.

    Raises:
        LakeError: the lake cannot be listed.
    """
    found = listing(lake)
    return any(
        is_changed(found, source, known_contents(instance, lake, source))
        for source in found.sources.all
    )


def known_contents(instance: dg.DagsterInstance, lake: Lake, source: Source) -> Contents:
    """What the last observation of a source has read."""
    contents = json.loads(kept(instance, _name(lake, source)) or "{}")
    return {name: tuple(known) for name, known in contents.items()}


def remember(instance: dg.DagsterInstance, lake: Lake, source: Source, contents: Contents) -> None:
    """Keeps what an observation of a source has read, for the next."""
    keep(instance, _name(lake, source), json.dumps(contents))


def _name(lake: Lake, source: Source) -> str:
    return f"consumption_datamart/contents/{lake.uri}/{'/'.join(source.key)}"
