"""Dagster's private API, of what is defined of assets."""

import warnings
from collections.abc import Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_selection import DagsterInvalidAssetSelectionError
from dagster.components.definitions import LazyDefinitions


def asset_nodes(definitions: dg.Definitions) -> Sequence[Any]:
    """What is defined of each asset, with what it is made of and what is made of it.

    Private: `resolve_asset_graph` and its nodes. The public `resolve_all_asset_specs` knows neither
    checks nor what is made of an asset.
    """
    return list(definitions.resolve_asset_graph().asset_nodes)


def selected_keys(definitions: dg.Definitions, text: str) -> set[str]:
    """The keys of the assets that a selection names, as Dagster's UI understands it.

    Raises:
        ValueError: it is no selection.

    Private: `resolve_asset_graph`, and what a selection raises that cannot be read.
    """
    graph = definitions.resolve_asset_graph()
    try:
        with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
            found = dg.AssetSelection.from_string(text, include_sources=True).resolve(graph)
    except (dg.DagsterInvalidDefinitionError, DagsterInvalidAssetSelectionError) as error:
        raise ValueError("this is no selection of assets") from error
    return {key.to_user_string() for key in found}


def definitions_in(module: ModuleType) -> list[dg.Definitions]:
    """The definitions that a module has, also those that a function decorated by Dagster makes.

    Private: `LazyDefinitions`, which is called. Publicly Dagster alone loads such a function.
    """
    found = []
    for each in vars(module).values():
        if isinstance(each, LazyDefinitions):
            found.append(each())
        elif isinstance(each, dg.Definitions):
            found.append(each)
    return found


def fresh_within(policy: Any) -> timedelta | None:
    """How old an asset with a freshness policy may be; None: it has none, or one by the clock.

    Private: `fail_window` and its type. Publicly a policy is only made.
    """
    window = getattr(policy, "fail_window", None)
    return None if window is None else window.to_timedelta()
