"""The sensor that evaluates the policies, and launches a run for each range of days."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import date

import dagster as dg

from consumption_datamart.partitions import PARTITION, range_tags
from consumption_datamart.private import RewritingSensor
from consumption_datamart.schema.days import Days

TICK_SECONDS = 10


class AutomationSensor(RewritingSensor):
    """Dagster's own, but that the days which a tick asks for are launched at once, range by range.

    Dagster would make a backfill of them, which is looked after every thirty seconds only.

    Attributes:
        apart: sets of assets that have runs of their own.
    """

    apart: Sequence[AbstractSet[dg.AssetKey]] = ()

    def rewritten(self, requests: Sequence[dg.RunRequest]) -> list[dg.RunRequest]:
        """What Dagster asks for, in ranges."""
        for assets in self.apart:
            requests = apart_from(requests, assets)
        return in_ranges(requests)


def automation_sensor(
    apart: Sequence[Collection[dg.AssetKey]] = (),
) -> dg.AutomationConditionSensorDefinition:
    """Evaluates the policies of all assets; in the code server, as some conditions are our own.

    Args:
        apart: sets of assets that are not to be in a run with others: their failure would show in
            these.
    """
    sensor = AutomationSensor(
        "automation",
        target=dg.AssetSelection.all(include_sources=True) | dg.AssetSelection.all_asset_checks(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=TICK_SECONDS,
        use_user_code_server=True,
        emit_backfills=False,
        description="Refreshes assets by their policies.",
    )
    sensor.apart = [frozenset(assets) for assets in apart]
    return sensor


def apart_from(
    requests: Sequence[dg.RunRequest], apart: AbstractSet[dg.AssetKey]
) -> list[dg.RunRequest]:
    """Requests of which each is for some assets alone, or for none of them."""
    found = []
    for request in requests:
        asked = request.asset_selection or []
        own = [key for key in asked if key in apart]
        if not own or len(own) == len(asked):
            found.append(request)
            continue
        for keys in ([key for key in asked if key not in apart], own):
            checks = request.asset_check_keys
            part = dg.RunRequest(
                asset_selection=keys,
                asset_check_keys=checks and [each for each in checks if each.asset_key in keys],
                tags=request.tags,
                partition_key=request.partition_key,
            )
            found.append(part)
    return found


def in_ranges(requests: Sequence[dg.RunRequest]) -> list[dg.RunRequest]:
    """Requests for the same assets on consecutive days become one request for the range."""
    together: dict[tuple[frozenset[object], ...], list[dg.RunRequest]] = defaultdict(list)
    for request in requests:
        assets = frozenset(request.asset_selection or []), frozenset(request.asset_check_keys or [])
        together[assets].append(request)
    merged = []
    for alike in together.values():
        merged += [request for request in alike if request.partition_key is None]
        of_day = {
            date.fromisoformat(request.partition_key): request
            for request in alike
            if request.partition_key is not None
        }
        for days in Days.ranges(of_day):
            first = of_day[days.first]
            merged.append(first if days.first == days.last else _of_range(first, days))
    return merged


def _of_range(request: dg.RunRequest, days: Days) -> dg.RunRequest:
    tags = {name: value for name, value in request.tags.items() if name != PARTITION}
    return dg.RunRequest(
        asset_selection=request.asset_selection,
        asset_check_keys=request.asset_check_keys,
        tags=tags | range_tags(days),
    )
