"""Conditions that Dagster does not have, or not as precisely."""

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.asset_graph_view.timing_metadata import TimingMetadata

from consumption_datamart.schema.days import Days

TOUCHED = "touched"
"""Metadata of a materialization: the days of daily assets that its change shows on."""


def touched(stale: Mapping[str, Sequence[Days]]) -> dg.MetadataValue:
    """The metadata by which a publication tells which days it makes stale, by table."""
    return dg.MetadataValue.json(
        {
            table: [[day.isoformat() for day in days] for days in ranges]
            for table, ranges in stale.items()
        }
    )


class Stateless(dg.AutomationCondition[dg.AssetKey], ABC):
    """A condition that keeps nothing of its own from tick to tick."""

    @property
    def requires_cursor(self) -> bool:
        """Dagster tells what the tick before was."""
        return False


@dataclass(frozen=True)
class Observed(Stateless):
    """True of what was newly observed of a source.

    As `newly_updated`, but with a time, which that has for materializations only: an observation
    counts as later than anything else of the same tick, so that none is lost.
    """

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "newly_observed"

    async def evaluate(  # type: ignore[override]  # Dagster awaits what can be awaited
        self, context: Any
    ) -> dg.AutomationResult[dg.AssetKey]:
        """Asks Dagster for the new observations."""
        view, before = context.asset_graph_view, context.previous_temporal_context
        if before is None:
            return dg.AutomationResult(context, context.get_empty_subset())
        subset = await view.compute_updated_since_temporal_context_subset(
            key=context.key, temporal_context=before
        )
        times = {view.effective_dt.timestamp(): subset}
        return dg.AutomationResult(
            context, subset, timing_metadata=TimingMetadata(timestamps=times)
        )


@dataclass(frozen=True)
class Requested(Stateless):
    """True of what this tick asks for, whether in the same run as the target or in another."""

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "requested"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """Upstream assets have been evaluated before."""
        asked = context.request_subsets_by_key.get(context.key)
        return dg.AutomationResult(context, asked or context.get_empty_subset())


@dataclass(frozen=True)
class DaysTouched(Stateless):
    """True of the days that an asset without days, which the target is made of, has touched.

    It reads them off the materializations since the previous tick. Dagster itself takes all days
    of a daily asset to be concerned by whatever happens to an asset without days.
    """

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "days_touched"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """Reads the new materializations of all assets without days above the target."""
        since, view = context.previous_max_storage_id, context.asset_graph_view
        subset = empty = context.get_empty_subset()
        times: dict[float, Any] = {}
        if since is None or context.candidate_subset.is_empty:
            return dg.AutomationResult(context, subset)
        parents = context.asset_graph.get(context.key).parent_keys
        for key in sorted(parents):
            if context.asset_graph.get(key).partitions_def is not None:
                continue
            for timestamp, days in _touched(view, context.key, key, since):
                keys = {day.isoformat() for range_ in days for day in range_.each()}
                found = view.get_subset_from_partition_keys(
                    context.key,
                    context.partitions_def,
                    keys.intersection(context.partitions_def.get_partition_keys()),
                )
                times[timestamp] = times.get(timestamp, empty).compute_union(found)
                subset = subset.compute_union(found)
        return dg.AutomationResult(
            context, subset, timing_metadata=TimingMetadata(timestamps=times)
        )


def _touched(
    view: Any, target: dg.AssetKey, parent: dg.AssetKey, since: int
) -> Iterator[tuple[float, list[Days]]]:
    """When each new materialization of the parent was, and which days of the target it touched."""
    name = ".".join(target.path)
    until = view.last_event_id + 1
    new = dg.AssetRecordsFilter(parent, after_storage_id=since, before_storage_id=until)
    for record in view.instance.fetch_materializations(new, limit=1000).records:
        found = record.asset_materialization
        stale = found.metadata.get(TOUCHED) if found else None
        by_table = stale.value if isinstance(stale, dg.JsonMetadataValue) else None
        ranges = by_table.get(name, []) if isinstance(by_table, dict) else []
        yield record.timestamp, [Days(*map(date.fromisoformat, days)) for days in ranges]
