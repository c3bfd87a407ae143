"""What every factory needs to know of the whole mart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import dagster as dg

from consumption_datamart.checks import (
    Check,
    asset_key,
    checks_of_load,
    checks_of_table,
    frozen_checks,
)
from consumption_datamart.errors import DatamartError
from consumption_datamart.factories.readers import columns_of_spec, is_touched
from consumption_datamart.factories.table_spec import TableSpec
from consumption_datamart.lake.attempts import Patience
from consumption_datamart.lake.sources import Source
from consumption_datamart.partitions import Partitions
from consumption_datamart.planning import ALL, LakeNews, Node, is_settled, pending
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import Declarations, Dumps, models_of, raw_of
from consumption_datamart.schema.table import Table
from consumption_datamart.schema.versions import Change, Reader
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Dependent, Warehouse, read_ledger
from consumption_datamart.warehouse.ledger_reading import ledger_in
from consumption_datamart.warehouse.pruning import read_pruned

_LISTED = (Node(Dumps, is_loaded=True), Node(Declarations, is_loaded=True))


@dataclass(frozen=True)
class Catalog:
    """All tables of the mart, and how they are run.

    Attributes:
        models: of all tables, by name.
        specs: of the tables of the star and the reports.
        partitions: of tables, by grain; empty: Dagster keeps no record of partitions.
        settings: of the code location.
        contracts: of the tables of the lake.
        sources: of these.
        own: tables of a team's own assets.
    """

    models: Mapping[str, type[Table]]
    specs: Sequence[TableSpec]
    partitions: Partitions
    settings: Settings
    contracts: Sequence[type[Contract]] = ()
    sources: Sequence[Source] = ()
    own: Sequence[Node] = ()

    def partitions_of(self, model: type[Table]) -> dg.PartitionsDefinition | None:
        """The partitions of a table, if it has any."""
        return self.partitions.get(model.grain())

    def upstream(self, spec: TableSpec) -> list[type[Table]]:
        """The tables that a spec's function reads.

        Raises:
            KeyError: it reads a table that has no model.
        """
        return [self.models[name] for name in spec.reads()]

    def checks(self, spec: TableSpec) -> list[Check]:
        """All checks of a table of the star, or of a report."""
        reads, after = spec.reads(), spec.after
        found = checks_of_table(spec.model, reads, self.models, self.settings, after)
        return found + self.frozen_checks(spec.model)

    def checks_of_load(self, contract: type[Contract]) -> list[Check]:
        """All checks of the tables that loading a lake table writes, and of its sources."""
        frozen = [check for model in models_of(contract) for check in self.frozen_checks(model)]
        return checks_of_load(contract, self.sources, self.settings) + frozen

    def frozen_checks(self, model: type[Table]) -> list[Check]:
        """The check of a table that is frozen, which says who reads it; none of any other."""
        return frozen_checks(model, partial(self._who_reads, model))

    def _who_reads(self, model: type[Table], changes: Sequence[Change]) -> list[str]:
        """Tables that read what has changed of a table."""
        found = []
        for spec in self.specs:
            if model in self.upstream(spec):
                reads = columns_of_spec(spec, self.models, model.full_name(), changes)
                if is_touched(reads, changes):
                    found.append(
                        str(Reader(spec.model.full_name(), spec.owners, reads is not None))
                    )
        for node in self.own:
            if model in node.reads:
                found.append(str(Reader(node.name, (), is_known=False)))
        return found

    def dependents(self, model: type[Table]) -> list[Dependent]:
        """The tables that are made of a table."""
        return [node.as_dependent(model) for node in self.nodes() if model in node.reads]

    def nodes(self) -> list[Node]:
        """All tables that refresh themselves, as the planner knows them."""
        loaded = [Node(raw_of(contract), is_loaded=True) for contract in self.contracts]
        computed = [
            Node(
                spec.model,
                {each: spec.window(each) for each in self.upstream(spec)},
                {self.models[name]: columns for name, columns in spec.columns.items()},
                [self.models[name] for name in spec.after],
            )
            for spec in self.specs
        ]
        return [*loaded, *_LISTED, *computed, *self.own]

    def stale_days(
        self, model: type[Table], warehouse: Warehouse, asked: Days | None = None
    ) -> Days | None:
        """What to refresh of a table with periods where a run does not say: what is stale, or all.

        Args:
            model: of the table.
            warehouse: where it is.
            asked: what the run is about, where these are no partitions of the table; it counts too.

        Raises:
            WarehouseError: the warehouse cannot be opened.
        """
        if model.grain() is Grain.NONE:
            return None
        ledger = read_ledger(warehouse)
        (node,) = (each for each in self.nodes() if each.model is model)
        known = [day for each in node.reads for day in ledger.of(each.full_name()) if day]
        if not known:
            return model.grain().whole(asked) if asked else ledger.reporting
        news = LakeNews(days=Days(min(known), max(known)))
        stale = [day for day in pending([node], ledger, news)[node.name] if day]
        stale += [asked.first, asked.last] if asked else []
        days = Days(min(stale), max(stale)) if stale else Days(min(known), max(known))
        return model.grain().whole(days)

    def open_days(self, model: type[Table], warehouse: Warehouse, days: Days) -> list[Days]:
        """Of days of a table those that can be made anew: no raw row that they need was pruned.

        Returns:
            Ranges of whole periods.

        Raises:
            DatamartError: there are none.
            WarehouseError: the warehouse cannot be opened.
        """
        pruned = read_pruned(warehouse)
        (node,) = (each for each in self.nodes() if each.model is model) if pruned else (None,)
        closed = node.closed(pruned) if node else ()
        if not closed:
            return [days]
        left = [day for day in model.grain().each(days) if day not in closed]
        if not left:
            raise DatamartError(
                f"{model.full_name()}: {days}: raw rows of it were pruned, so that it stays as it"
                f" is; consumption-datamart prune --reopen {days.first} --to {days.last} lets the"
                " next build load them again"
            )
        return model.grain().ranges(left)

    def release(self, warehouse: Warehouse) -> None:
        """Lets readers see the mart, if nothing that was loaded awaits its facts and reports.

        Raises:
            WarehouseError: it cannot be released; readers see what they saw before.
        """
        mart = [node for node in self.nodes() if node not in self.own]
        raw = [raw_of(each) for each in self.contracts if each.grain() is not Grain.NONE]
        warehouse.release(
            lambda backend: is_settled(mart, ledger_in(warehouse, backend)),
            list(self.models.values()),
            [] if self.settings.release_raw else raw,
            keeps_previous=self.settings.keep_previous_release,
        )

    def patience(self) -> Patience:
        """How often a dump is tried that cannot be read."""
        return Patience(self.settings.load_attempts, self.settings.load_retry_seconds)

    def freshness(self) -> dg.FreshnessPolicy:
        """What stakeholders expect of a table: to be no older than so many hours."""
        return dg.FreshnessPolicy.time_window(timedelta(hours=self.settings.fresh_within_hours))


def nodes_of(assets: dg.AssetsDefinition, models: Mapping[str, type[Table]]) -> list[Node]:
    """A team's own assets, as the planner knows them.

    Args:
        assets: each with a model of its own.
        models: of all tables.
    """
    by_key = {asset_key(model): model for model in models.values()}
    return [
        Node(
            by_key[spec.key],
            {
                by_key[dep.asset_key]: _window(by_key[spec.key], dep.partition_mapping)
                for dep in spec.deps
                if dep.asset_key in by_key
            },
        )
        for spec in map(assets.get_asset_spec, sorted(assets.keys))
    ]


def require_models(
    assets: Sequence[dg.AssetsDefinition], tables: Mapping[str, type[Table]]
) -> None:
    """An asset without a model cannot be loaded: nothing goes unchecked.

    Raises:
        TypeError: names the asset.
    """
    known = {asset_key(model) for model in tables.values()}
    for key in (key for each in assets for key in each.keys):
        if key not in known:
            raise TypeError(
                f"asset {key.to_user_string()}: it has no model; write one, whose schema and name"
                " are the asset's key, and give it to build_definitions(own_models=…)"
            )


def _window(model: type[Table], mapping: dg.PartitionMapping | None) -> int:
    """Over how many periods, ending with the period, a mapping lets a period read a table."""
    if model.grain() is Grain.NONE:
        return ALL
    if isinstance(mapping, dg.TimeWindowPartitionMapping):
        return 1 - min(mapping.start_offset, 0)
    return 1
