"""What Dagster's instance tells of assets."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from consumption_datamart.errors import DatamartError
from consumption_datamart.governance.assets import Asset
from consumption_datamart.governance.evidence import CheckState, Evidence, Made
from consumption_datamart.partitions import DAYS_BUILT
from consumption_datamart.private import LatestCheck, freshness, latest_checks
from consumption_datamart.settings import Settings

ROWS = ("dagster/row_count", "dagster/partition_row_count")


@contextmanager
def instance_of(settings: Settings) -> Iterator[dg.DagsterInstance | None]:
    """Dagster's instance, until the end; None: `DAGSTER_HOME` names none.

    Raises:
        DatamartError: the folder is not there, or the instance cannot be opened.
    """
    home = settings.dagster_home
    if home is None:
        yield None
        return
    if not Path(home).is_dir():
        raise DatamartError(f"DAGSTER_HOME={home}: there is no such folder; create it or unset it")
    try:
        opened = dg.DagsterInstance.get()
    except Exception as error:  # whatever its dagster.yaml or its storage makes of it
        raise DatamartError(
            f"DAGSTER_HOME={home}: Dagster's instance cannot be opened: {error}; mend its"
            " dagster.yaml, or unset it"
        ) from error
    with opened as instance:
        yield instance


def read_instance(instance: dg.DagsterInstance, assets: Mapping[str, Asset]) -> dict[str, Evidence]:
    """What an instance tells of assets: when each was last made, its checks, its freshness."""
    keys = {key: dg.AssetKey.from_user_string(key) for key in assets}
    entries = {
        record.asset_entry.asset_key.to_user_string(): record.asset_entry
        for record in instance.get_asset_records(list(keys.values()))
    }
    failed = _failed_runs(instance, {each.last_run_id for each in entries.values()})
    checks = {
        dg.AssetCheckKey(keys[asset.key], name): (asset.key, name)
        for asset in assets.values()
        for name in asset.checks
    }
    states: dict[str, dict[str, CheckState]] = {key: {} for key in keys}
    for key, latest in latest_checks(instance, list(checks)).items():
        asset, name = checks[key]
        if not latest.is_under_way:
            states[asset][name] = _state(name, latest)
    watched = [keys[key] for key, asset in assets.items() if asset.is_due_by_clock]
    fresh = {key.to_user_string(): state for key, state in freshness(instance, watched).items()}
    return {
        key: Evidence(
            [_made(entry.last_materialization)]
            if (entry := entries.get(key)) is not None and entry.last_materialization
            else [],
            None if (run := _failed_run(entry, failed)) is None else _failure(run, failed[run]),
            states[key],
            freshness=fresh.get(key),
            failed_at=None if run is None else failed[run],
        )
        for key in keys
    }


def made_of(instance: dg.DagsterInstance, key: str, last: int) -> list[Made]:
    """The last materializations of an asset, the earliest first; those of a run are one."""
    by_run: dict[str, Made] = {}
    for record in _materializations(instance, dg.AssetKey.from_user_string(key), 10 * last):
        one, known = _made(record.event_log_entry), by_run.get(record.run_id)
        if known is None and len(by_run) == last:
            break
        by_run[record.run_id] = one if known is None else _both(known, one)
    return list(by_run.values())[::-1]


def _materializations(
    instance: dg.DagsterInstance, key: dg.AssetKey, page: int
) -> Iterator[dg.EventLogRecord]:
    """All, the latest first: a run may have made any number of partitions."""
    cursor = None
    while True:
        found = instance.fetch_materializations(key, limit=page, cursor=cursor)
        yield from found.records
        if not found.has_more:
            return
        cursor = found.cursor


def _both(one: Made, other: Made) -> Made:
    return Made(
        max(one.at, other.at),
        _sum(one.rows, other.rows),
        _sum(one.seconds, other.seconds),
        int(_sum(one.days, other.days) or 0) or None,
    )


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other


def _made(entry: Any) -> Made:
    metadata = entry.asset_materialization.metadata
    numbers = {name: getattr(value, "value", None) for name, value in metadata.items()}
    rows = next((numbers[name] for name in ROWS if name in numbers), None)
    days = numbers.get(DAYS_BUILT) or (1 if entry.asset_materialization.partition else None)
    at = datetime.fromtimestamp(entry.timestamp, UTC).replace(tzinfo=None)
    return Made(at, rows, numbers.get("seconds"), days)


def _failed_runs(instance: dg.DagsterInstance, ids: Collection[str | None]) -> dict[str, datetime]:
    """When each of these runs failed that has."""
    wanted = [each for each in ids if each]
    if not wanted:
        return {}
    only = dg.RunsFilter(run_ids=wanted, statuses=[dg.DagsterRunStatus.FAILURE])
    return {
        record.dagster_run.run_id: datetime.fromtimestamp(record.end_time or 0, UTC).replace(
            tzinfo=None
        )
        for record in instance.get_run_records(only)
    }


def _failed_run(entry: Any, failed: Mapping[str, datetime]) -> str | None:
    """The last run of an asset, if it has failed before it made it."""
    run: str | None = entry.last_run_id if entry is not None else None
    return None if run not in failed or _is_of(entry.last_materialization, run) else run


def _failure(run: str, at: datetime) -> str:
    return f"run {run[:8]} has failed at {at:%Y-%m-%d %H:%M} UTC"


def _is_of(entry: Any, run: str | None) -> bool:
    return bool(entry is not None and entry.run_id == run)


def _state(name: str, latest: LatestCheck) -> CheckState:
    found = latest.evaluation
    if found is None:
        return CheckState(name, None, True, f"{name} could not be evaluated")
    is_blocking = found.severity is dg.AssetCheckSeverity.ERROR
    told = "" if found.passed else found.description or f"{name} fails"
    return CheckState(name, found.passed, is_blocking, told)
