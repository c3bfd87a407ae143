"""What the definitions say of each asset, without Dagster's instance or the warehouse."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg

from consumption_datamart.discovery.found import BROKEN_GROUP
from consumption_datamart.errors import DatamartError
from consumption_datamart.private.graph import asset_nodes, fresh_within, selected_keys

WHOLE = "whole"
"""Grain of an asset that is made as a whole."""
NOBODY = "(nobody)"
"""Stands for the owner of what has none."""
PARTITIONED = "partitioned"
"""Grain of an asset of partitions that are no periods."""
GRAINS = {
    "hour": dg.HourlyPartitionsDefinition,
    "day": dg.DailyPartitionsDefinition,
    "week": dg.WeeklyPartitionsDefinition,
    "month": dg.MonthlyPartitionsDefinition,
}


@dataclass(frozen=True)
class Column:
    """A column of an asset's table.

    Attributes:
        name: of the column.
        type: as Ibis, or whoever defines the asset, writes it.
        meaning: its description, with the unit in brackets.
    """

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Asset:
    """What is defined of an asset.

    Attributes:
        key: `mart/dim_day`.
        group: in which the UI shows it.
        description: what it is, in a sentence.
        owners: people and teams that answer for it.
        kinds: what the UI says it is.
        tags: but for Dagster's own.
        columns: of its table, as far as they are declared.
        upstream: keys of what it is made of.
        downstream: keys of what is made of it.
        policy: when it refreshes itself; None: when somebody asks.
        fresh_within: how old it may be; None: nobody expects anything.
        grain: day, week, month, event, or `WHOLE`.
        checks: names of its checks.
        table: its full name in the warehouse of the mart; None: it is not there.
        is_source: whether it is made elsewhere.
        is_due_by_clock: whether its freshness policy names a time of day; only Dagster's daemon
            evaluates that.
    """

    key: str
    group: str
    description: str
    owners: tuple[str, ...]
    kinds: tuple[str, ...]
    tags: Mapping[str, str]
    columns: tuple[Column, ...]
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]
    policy: str | None
    fresh_within: timedelta | None
    grain: str
    checks: tuple[str, ...]
    table: str | None
    is_source: bool
    is_due_by_clock: bool = False

    @property
    def is_broken_file(self) -> bool:
        """Whether it stands for a file that does not load."""
        return self.group == BROKEN_GROUP

    @property
    def grouped_owners(self) -> tuple[str, ...]:
        """Its owners, or that it has none."""
        return self.owners or (NOBODY,)


def assets_of(definitions: dg.Definitions) -> dict[str, Asset]:
    """All assets of a code location by key, in alphabetical order."""
    found = {}
    for node in asset_nodes(definitions):
        key, metadata = node.key.to_user_string(), node.metadata
        schema = metadata.get("dagster/column_schema")
        is_source = not node.is_materializable
        found[key] = Asset(
            key,
            node.group_name,
            node.description or "",
            tuple(node.owners),
            tuple(sorted(node.kinds)),
            {name: text for name, text in node.tags.items() if not name.startswith("dagster/")},
            tuple(_column(each) for each in schema.columns) if schema else (),
            _keys(node.parent_keys),
            _keys(node.child_keys),
            _policy(node.automation_condition),
            fresh_within(node.freshness_policy),
            node.tags.get("grain") or _grain(node.partitions_def),
            tuple(sorted(each.name for each in node.check_keys)),
            None if is_source else metadata.get("dagster/table_name"),
            is_source,
            node.freshness_policy is not None and fresh_within(node.freshness_policy) is None,
        )
    return dict(sorted(found.items()))


def selected(definitions: dg.Definitions, text: str) -> set[str]:
    """Keys of the assets that a selection of Dagster's names, such as `group:reports`.

    Raises:
        DatamartError: it cannot be read, or names none.
    """
    try:
        found = selected_keys(definitions, text)
    except ValueError as error:
        raise DatamartError(
            f"--select {text!r}: {error}; write it as Dagster does, such as 'group:reports and"
            ' owner:"team:data"\', or \'+key:"mart/dim_day"\' for what it is made of, too'
        ) from error
    if not found:
        raise DatamartError(
            f"--select {text!r}: no asset is so; `consumption-datamart assets list` names all"
        )
    return found


def _grain(partitions: dg.PartitionsDefinition | None) -> str:
    if partitions is None:
        return WHOLE
    return next((name for name, of in GRAINS.items() if isinstance(partitions, of)), PARTITIONED)


def _keys(keys: Collection[dg.AssetKey]) -> tuple[str, ...]:
    return tuple(sorted(key.to_user_string() for key in keys))


def _column(column: Any) -> Column:
    return Column(column.name, column.type, column.description or "")


def _policy(condition: Any) -> str | None:
    return None if condition is None else condition.get_label() or type(condition).__name__
