"""Dagster's private API, of what an automation condition is told."""

from collections.abc import Set as AbstractSet
from typing import Any

import dagster as dg


def requested_before(context: Any) -> AbstractSet[str] | None:
    """What of its asset the tick before the one of an automation context has requested.

    Returns:
        Partitions; of an asset without any, "" stands for it. None: there was no tick before.

    Private: `get_previous_requested_subset` and the subset's methods. `AutomationContext` is
    exported, for conditions of one's own, and none of its methods is documented.
    """
    requested = context.get_previous_requested_subset(context.key)
    if requested is None:
        return None
    if context.partitions_def is None:
        return set() if requested.is_empty else {""}
    return set(requested.expensively_compute_partition_keys())


def subset(context: Any, partitions: AbstractSet[str]) -> Any:
    """A part of its asset, as the result of an automation context wants it.

    Args:
        context: of the evaluation.
        partitions: that are true; of an asset without any, "" stands for it.

    Private: `candidate_subset`, `get_empty_subset`, `partitions_def` and the subset's methods, see
    `requested_before`.
    """
    if not partitions:
        return context.get_empty_subset()
    if context.partitions_def is None:
        return context.candidate_subset
    known = partitions & set(context.partitions_def.get_partition_keys())
    return context.candidate_subset.compute_intersection_with_partition_keys(known)


def requested_now(context: Any, key: dg.AssetKey) -> AbstractSet[str]:
    """What the tick of an automation context has requested so far of another asset.

    Assets are evaluated after those that they are made of.

    Returns:
        Partitions; of an asset without any, "" stands for it.

    Private: `request_subsets_by_key`, see `requested_before`.
    """
    requested = context.request_subsets_by_key.get(key)
    if requested is None or requested.is_empty:
        return set()
    if not requested.is_partitioned:
        return {""}
    return set(requested.expensively_compute_partition_keys())


def partitions_of(context: Any, key: dg.AssetKey) -> dg.PartitionsDefinition | None:
    """The partitions of another asset; None: it has none, or is not there.

    Private: `asset_graph` and its nodes, see `requested_before`.
    """
    if not context.asset_graph.has(key):
        return None
    found: dg.PartitionsDefinition | None = context.asset_graph.get(key).partitions_def
    return found


def instance_of(context: Any) -> dg.DagsterInstance:
    """The instance in whose daemon an automation context is evaluated.

    Private: `asset_graph_view` and its instance, see `requested_before`.
    """
    instance: dg.DagsterInstance = context.asset_graph_view.instance
    return instance
