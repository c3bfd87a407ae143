"""The sensor that evaluates the policies, and launches a run for each range of days."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from types import MappingProxyType

import dagster as dg

from consumption_datamart.partitions import PARTITION, days_of_tags, range_tags
from consumption_datamart.private import RewritingSensor
from consumption_datamart.schema.days import Days

TICK_SECONDS = 10


class AutomationSensor(RewritingSensor):
    """Dagster's own, but that the days which a tick asks for are launched at once, range by range.

    Dagster would make a backfill of them, which is looked after every thirty seconds only.

    Attributes:
        apart: sets of assets that have runs of their own.
        made_of: the assets that each is made of.
        daily: those that have the mart's days.
    """

    apart: Sequence[AbstractSet[dg.AssetKey]] = ()
    made_of: Mapping[dg.AssetKey, AbstractSet[dg.AssetKey]] = MappingProxyType({})
    daily: AbstractSet[dg.AssetKey] = frozenset()

    def rewritten(self, requests: Sequence[dg.RunRequest]) -> list[dg.RunRequest]:
        """What Dagster asks for, in ranges."""
        for assets in self.apart:
            requests = apart_from(requests, assets)
        return together(in_ranges(requests), self.made_of, self.daily)


def automation_sensor(
    apart: Sequence[Collection[dg.AssetKey]] = (),
    made_of: Mapping[dg.AssetKey, AbstractSet[dg.AssetKey]] = MappingProxyType({}),
    daily: Collection[dg.AssetKey] = (),
) -> dg.AutomationConditionSensorDefinition:
    """Evaluates the policies of all assets; in the code server, as some conditions are our own.

    Args:
        apart: sets of assets that are not to be in a run with others: their failure would show in
            these.
        made_of: the assets that each is made of.
        daily: those that have the mart's days.
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
    sensor.made_of, sensor.daily = made_of, frozenset(daily)
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


def together(
    requests: Sequence[dg.RunRequest],
    made_of: Mapping[dg.AssetKey, AbstractSet[dg.AssetKey]],
    daily: AbstractSet[dg.AssetKey],
) -> list[dg.RunRequest]:
    """Requests of which that for a range of the mart's days, if it is one, has what goes with it.

    That is what has no days and is made of it, or what it is made of: a run does one after the
    other.
    """
    ranged = [each for each in requests if not daily.isdisjoint(each.asset_selection or [])]
    if len(ranged) != 1:
        return list(requests)
    (whole,) = ranged
    left: list[dg.RunRequest] = []
    for request in requests:
        if request is ranged[0]:
            continue
        has_days = request.partition_key is not None or days_of_tags(request.tags) is not None
        if has_days:
            left.append(request)
        elif _is_made_of(request, whole, made_of) or _is_made_of(whole, request, made_of):
            whole = dg.RunRequest(
                asset_selection=[*(whole.asset_selection or []), *(request.asset_selection or [])],
                asset_check_keys=_both(whole.asset_check_keys, request.asset_check_keys),
                tags={**request.tags, **whole.tags},
                partition_key=whole.partition_key,
            )
        else:
            left.append(request)
    return [*left, whole]


def _is_made_of(
    one: dg.RunRequest,
    other: dg.RunRequest,
    made_of: Mapping[dg.AssetKey, AbstractSet[dg.AssetKey]],
) -> bool:
    asked = set(other.asset_selection or [])
    return any(made_of.get(key, frozenset()) & asked for key in one.asset_selection or [])


def _both(
    one: Sequence[dg.AssetCheckKey] | None, other: Sequence[dg.AssetCheckKey] | None
) -> list[dg.AssetCheckKey] | None:
    return None if one is None and other is None else [*(one or []), *(other or [])]


def _of_range(request: dg.RunRequest, days: Days) -> dg.RunRequest:
    tags = {name: value for name, value in request.tags.items() if name != PARTITION}
    return dg.RunRequest(
        asset_selection=request.asset_selection,
        asset_check_keys=request.asset_check_keys,
        tags=tags | range_tags(days),
    )
