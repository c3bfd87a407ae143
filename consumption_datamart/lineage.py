"""Which assets a change of a table's columns concerns: those that read what has changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import dagster as dg

from consumption_datamart.assets.monitoring import MONITORING
from consumption_datamart.checks import asset_key
from consumption_datamart.factories import Catalog
from consumption_datamart.factories.readers import columns_of_spec, is_touched
from consumption_datamart.schema.monitoring import CheckResult
from consumption_datamart.schema.versions import Change, Reader

EVALUATED = asset_key(CheckResult).to_user_string()
"""It waits for tables, and reads of them what their checks do."""
MadeOf = Mapping[str, Sequence[tuple[str, str]]]
"""Column → keys and columns of the assets that it is made of."""


class Defined(NamedTuple):
    """What is defined of an asset.

    Attributes:
        key: `mart/dim_day`.
        owners: who answers for it.
        upstream: keys of what it is made of.
    """

    key: str
    owners: tuple[str, ...]
    upstream: frozenset[str]


class Downstream:
    """Who reads a table, one step down: of the mart, of teams, of dbt."""

    def __init__(self, catalog: Catalog, defined: Callable[[], Iterable[Defined]]) -> None:
        """Nothing is asked for before somebody asks.

        Args:
            catalog: of all tables.
            defined: gives all assets of the code location.
        """
        self.catalog, self.defined = catalog, defined

    def __call__(
        self, table: str, changes: Sequence[Change], instance: dg.DagsterInstance | None = None
    ) -> list[Reader]:
        """The assets that read what has changed of a table.

        Of the mart's tables it is read off what computes them; of others off the lineage of columns
        that their last materialization has, where Dagster's instance has one. Who has none counts.

        Args:
            table: its full name.
            changes: of its columns; those that break nobody do not count.
            instance: Dagster's, if there is one.
        """
        changed = table.replace(".", "/", 1)
        found = []
        for asset in self._assets:
            if changed in asset.upstream and asset.key != EVALUATED:
                reads = self._columns(asset.key, table, changes, instance)
                if is_touched(reads, changes):
                    found.append(Reader(asset.key, asset.owners, reads is not None))
        return found

    def _columns(
        self,
        key: str,
        table: str,
        changes: Sequence[Change],
        instance: dg.DagsterInstance | None,
    ) -> set[str] | None:
        for spec in [*self.catalog.specs, *MONITORING]:
            if asset_key(spec.model).to_user_string() == key:
                return columns_of_spec(spec, self.catalog.models, table, changes)
        made_of = made_of_columns(instance, key) if instance else None
        if made_of is None:
            return None
        wanted = table.replace(".", "/", 1)
        return {name for each in made_of.values() for up, name in each if up == wanted}

    @cached_property
    def _assets(self) -> list[Defined]:
        return sorted(self.defined())


def specs_in(assets: Iterable[object]) -> list[dg.AssetSpec]:
    """The specs of assets as `dg.Definitions` takes them."""
    made = (each for each in assets if isinstance(each, dg.AssetsDefinition))
    return [spec for each in made for spec in each.specs]


def made_of(
    specs: Sequence[dg.AssetSpec], days: dg.PartitionsDefinition
) -> tuple[dict[dg.AssetKey, set[dg.AssetKey]], set[dg.AssetKey]]:
    """The assets that each is made of, or follows; and those whose partitions are these days."""
    inputs = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs}
    return inputs, {spec.key for spec in specs if spec.partitions_def == days}


def defined_by(specs: Iterable[dg.AssetSpec]) -> list[Defined]:
    """What specs of assets say."""
    return [
        Defined(
            spec.key.to_user_string(),
            tuple(spec.owners),
            frozenset(dep.asset_key.to_user_string() for dep in spec.deps),
        )
        for spec in specs
    ]


def made_of_columns(instance: dg.DagsterInstance, key: str) -> MadeOf | None:
    """What each column of an asset is made of, as its last materialization says; None: it does not.

    Dagster's lineage has no columns by which rows are only filtered or joined.
    """
    last = instance.get_latest_materialization_event(dg.AssetKey.from_user_string(key))
    made = last.asset_materialization if last else None
    lineage = made.metadata.get("dagster/column_lineage") if made else None
    if not isinstance(lineage, dg.TableColumnLineageMetadataValue):
        return None
    return pairs(lineage.value)


def pairs(lineage: dg.TableColumnLineage) -> MadeOf:
    """Dagster's lineage of columns as plain values."""
    return {
        name: [(dep.asset_key.to_user_string(), dep.column_name) for dep in deps]
        for name, deps in lineage.deps_by_column.items()
    }
