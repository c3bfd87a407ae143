"""What every factory needs to know of the whole mart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from consumption_datamart.automation import Target
from consumption_datamart.checks import Check, asset_key, checks_of_table
from consumption_datamart.factories.table_spec import TableSpec
from consumption_datamart.lake.attempts import Patience
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Dependent


@dataclass(frozen=True)
class Catalog:
    """All tables of the mart, and how they are run.

    Attributes:
        models: of all tables, by name.
        specs: of the tables of the star and the reports.
        partitions: of tables that have days; None: their days are no partitions.
        settings: of the code location.
    """

    models: Mapping[str, type[Table]]
    specs: Sequence[TableSpec]
    partitions: dg.PartitionsDefinition | None
    settings: Settings

    def partitions_of(self, model: type[Table]) -> dg.PartitionsDefinition | None:
        """The partitions of a table: its days, if it has any."""
        return None if model.day_column() is None else self.partitions

    def upstream(self, spec: TableSpec) -> list[type[Table]]:
        """The tables that a spec's function reads.

        Raises:
            KeyError: it reads a table that has no model.
        """
        return [self.models[name] for name in spec.reads()]

    def checks(self, spec: TableSpec) -> list[Check]:
        """All checks of a table of the star, or of a report."""
        return checks_of_table(spec.model, spec.reads(), self.models, self.settings)

    def dependents(self, model: type[Table]) -> list[Dependent]:
        """The tables that are made of a table."""
        name = model.table_name()
        return [
            Dependent(
                spec.model,
                window=spec.windows.get(name, 1),
                columns=spec.columns.get(name, ()),
                daily={
                    other: spec.windows.get(other.table_name(), 1)
                    for other in self.upstream(spec)
                    if other.day_column() is not None
                },
            )
            for spec in self.specs
            if name in spec.reads()
        ]

    def loaded(self, model: type[Table]) -> Target:
        """What a policy needs to know of an asset that is made of the lake."""
        is_daily = model.day_column() is not None
        return Target(is_daily, True, (), (), self.settings.refresh_minutes)

    def computed(self, spec: TableSpec) -> Target:
        """What a policy needs to know of an asset that is made of others."""
        is_daily = spec.model.day_column() is not None
        whole, apart = [], []
        for each in self.upstream(spec):
            if each.day_column() is None:
                whole.append(asset_key(each))
            if is_daily != (each.day_column() is not None) or each.table_name() in spec.windows:
                apart.append(asset_key(each))
        return Target(is_daily, False, tuple(whole), tuple(apart), self.settings.refresh_minutes)

    def patience(self) -> Patience:
        """How often a dump is tried that cannot be read."""
        return Patience(self.settings.load_attempts, self.settings.load_retry_seconds)

    def freshness(self) -> dg.FreshnessPolicy:
        """What stakeholders expect of a table: to be no older than so many hours."""
        return dg.FreshnessPolicy.time_window(timedelta(hours=self.settings.fresh_within_hours))
