"""Whether an asset is well, and why it is not: pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter

from consumption_datamart.checks.figures import MEANINGS
from consumption_datamart.governance.assets import Asset
from consumption_datamart.governance.evidence import Evidence

HEALTHY, DEGRADED, FAILING, UNKNOWN = "healthy", "degraded", "failing", "unknown"
STATES = {
    HEALTHY: "it was made, and nothing is known to be wrong",
    DEGRADED: "somebody should look at it: it is late or unusual, a check warns, or something that"
    " it is made of is failing",
    FAILING: "its last refresh has failed, or a check that says that figures are right",
    UNKNOWN: "it was never made, as far as is known",
}
"""What an asset can be."""


@dataclass(frozen=True)
class Health:
    """How an asset is.

    Attributes:
        state: of `STATES`.
        why: a sentence each; empty where it is healthy.
    """

    state: str
    why: tuple[str, ...] = ()


def healths(
    assets: Mapping[str, Asset], known: Mapping[str, Evidence], now: datetime
) -> dict[str, Health]:
    """How each asset is.

    What is failing makes all degraded that is made of it, however far away; what is only degraded
    does not.

    Args:
        assets: all of the code location.
        known: what is known of them.
        now: in UTC, without a time zone.
    """
    found: dict[str, Health] = {}
    broken: dict[str, str] = {}  # asset → the failing one that it is made of
    for key in _in_order(assets):
        asset, evidence = assets[key], known.get(key, Evidence())
        fails, odd = list(_fails(evidence)), list(_odd(asset, evidence, now))
        cause = next((broken[up] for up in asset.upstream if up in broken), None)
        if cause is not None:
            odd.append(f"{cause}, which it is made of, is failing")
        if fails:
            found[key] = Health(FAILING, (*fails, *odd))
            broken[key] = key
        elif odd:
            found[key] = Health(DEGRADED, tuple(odd))
        elif evidence.last is None and evidence.last_day is None:
            found[key] = Health(UNKNOWN, ("never made, as far as is known",))
        else:
            found[key] = Health(HEALTHY)
        if cause is not None and not fails:
            broken[key] = cause
    return {key: found[key] for key in assets}


def _fails(evidence: Evidence) -> Iterator[str]:
    if evidence.failure:
        yield evidence.failure
    for check in evidence.checks.values():
        if check.is_blocking and not check.passed:
            yield f"check {check.told}"


def _odd(asset: Asset, evidence: Evidence, now: datetime) -> Iterator[str]:
    for name, check in evidence.checks.items():
        # what these two say is `odd`, as of now
        if not check.is_blocking and not check.passed and name not in MEANINGS:
            yield f"check {check.told}"
    yield from evidence.odd
    if late := _late(asset, evidence, now):
        yield late


def _late(asset: Asset, evidence: Evidence, now: datetime) -> str | None:
    if asset.is_due_by_clock and evidence.freshness == "FAIL":
        return "it is late: it was not made by the time that its freshness policy names"
    if asset.fresh_within is None or evidence.last is None or "fresh" in _failing(evidence):
        return None
    age = now - evidence.last.at
    # not by Dagster's state: it stands still with the daemon, and does not know of `build`
    if age > asset.fresh_within:
        return f"it is late: made {_span(age)} ago, where {_span(asset.fresh_within)} are allowed"
    return None


def _failing(evidence: Evidence) -> set[str]:
    return {name for name, check in evidence.checks.items() if not check.passed}


def _span(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 72 else f"{hours:.0f} hours"


def _in_order(assets: Mapping[str, Asset]) -> list[str]:
    """Each after what it is made of; in any order where that leads in a circle."""
    sorter = TopologicalSorter({key: asset.upstream for key, asset in assets.items()})
    try:
        return [key for key in sorter.static_order() if key in assets]
    except CycleError:
        return list(assets)
