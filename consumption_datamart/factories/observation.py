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
from consumption_datamart.private import keep, kept
from consumption_datamart.resources import LakeResource

VERSION_TAG = "dagster/data_version"
GONE = "no dump"
"""Version of a day whose dump was taken away."""
MANY = 100
"""Days of all sources that are observed one by one: of years, an event a day would take minutes."""


def lake_sources(
    specs: Sequence[LakeTableSpec],
    sources: Sequence[Source],
    partitions: dg.PartitionsDefinition,
    feeds: Mapping[tuple[str, str], Sequence[dg.AssetKey]] = MappingProxyType({}),
) -> dg.AssetsDefinition:
    """The source assets of all lake tables, observed together.

    An observation is recorded only of what is new or changed since the last one: of a source with
    daily partitions by day, unless that are many; of any other as a whole.

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
        daily = [each for each in found.sources.all if each.contract.day_column() is not None]
        for source in found.sources.all:
            known = known_contents(context.instance, found.lake, source)
            seen = versions(found, source, known)
            if source.contract.day_column() is None:
                yield from _news_of_table(context, source, seen)
            else:
                yield from _news_of_days(context, source, seen, partitions, MANY // len(daily))
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


def _news_of_table(
    context: dg.AssetExecutionContext, source: Source, seen: Versions
) -> Iterator[dg.ObserveResult]:
    """An observation of a source without days, if it is not as it was last observed."""
    key = source_key(source)
    records = context.instance.fetch_observations(key, limit=1).records
    last = records[0].asset_observation if records else None
    if last is None or (last.tags or {}).get(VERSION_TAG) != seen.table:
        yield dg.ObserveResult(
            asset_key=key,
            data_version=dg.DataVersion(seen.table),
            metadata={"dumps": len(seen.dumps)},
        )


def _news_of_days(
    context: dg.AssetExecutionContext,
    source: Source,
    seen: Versions,
    partitions: dg.PartitionsDefinition,
    most: int,
) -> Iterator[dg.AssetObservation]:
    """An observation of each day that is not as it was last observed; of more than most, one."""
    key, place = source_key(source), f"consumption_datamart/days/{'/'.join(source.key)}"
    known = json.loads(kept(context.instance, place) or "{}")
    now = dict.fromkeys(known, GONE) | {
        day.isoformat(): version for day, version in seen.dumps.items()
    }
    changed = {day for day, version in now.items() if known.get(day) != version}
    days = set(partitions.get_partition_keys())
    if beyond := sorted(changed - days):
        context.log.warning(
            f"{key.to_user_string()}: dumps of {beyond[0]} … {beyond[-1]} are on {len(beyond)} days"
            " that are no partitions; reload the code location, or wait for the day"
        )
    told = sorted(changed & days)
    if len(told) > most:
        about: dict[str, Any] = {"days": len(told), "first day": told[0], "last day": told[-1]}
        yield dg.AssetObservation(key, metadata=about)
    else:
        for day in told:
            yield dg.AssetObservation(key, partition=day, tags={VERSION_TAG: now[day]})
    keep(context.instance, place, json.dumps(known | {day: now[day] for day in told}))


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
