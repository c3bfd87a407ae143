"""The runs of a build: all at once, then what still awaits it."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import dagster as dg

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.build.plan import BuildPlan
from consumption_datamart.checks import asset_key
from consumption_datamart.definitions import BUILD_JOB, models
from consumption_datamart.partitions import range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import MonitoringTable
from consumption_datamart.schema.raw import models_of
from consumption_datamart.warehouse import BuiltDays, Warehouse, built_days

DAILY = {asset_key(model) for model in models().values() if model.day_column() is not None}
"""Tables of which days are built, whether these are partitions or not."""


class Runs:
    """Runs that follow each other in this process.

    Attributes:
        planned: assets that were to be built.
        events: Dagster's, of all runs in order.
        order: assets of which is written down what was built, each after those it is made of.
        built: what is built now, and what of it awaits its refresh.
    """

    def __init__(
        self,
        definitions: dg.Definitions,
        warehouse: Warehouse,
        instance: dg.DagsterInstance,
        plan: BuildPlan,
    ) -> None:
        """Nothing was run yet."""
        self.definitions, self.warehouse = definitions, warehouse
        self.instance, self.plan = instance, plan
        self.graph = definitions.resolve_asset_graph()
        self.order = list(self._in_order())
        self.planned: set[dg.AssetKey] = set()
        self.events: list[dg.DagsterEvent] = []
        self.built: BuiltDays = {}

    def all(self) -> None:
        """Builds everything, in one run."""
        job = self.definitions.resolve_job_def(BUILD_JOB)
        self.planned |= job.asset_layer.selected_asset_keys
        self._run(self.plan.days)

    def awaited(self) -> None:
        """Builds what awaits it, table by table, from the lake to the reports.

        That is what has changed in the lake; the days on which a change shows; what was never
        built, or by other code; and, after a run that failed, all that this run has held up. A
        table of which something is missing on all days is left, and what cannot be built holds up
        what is made of it.
        """
        held_up: set[dg.AssetKey] = set()
        self.built = self._built()
        is_newer = False
        for key in self.order:
            together = self.graph.get(key).execution_set_asset_keys
            if not self._has_failed(key):
                for days in self._awaiting(key, is_newer=is_newer):
                    self.planned |= together
                    self._run(days, together)
                    self.built, is_newer = self._built(), True
            if self._has_failed(key) or held_up & self.graph.get(key).parent_keys:
                held_up |= together
        self.planned |= held_up

    def _in_order(self) -> Iterator[dg.AssetKey]:
        """Of tables that are loaded together the first, and none that is written by all steps."""
        beside = [model for spec in LAKE for model in models_of(spec.contract)[1:]]
        loaded_with_others = {asset_key(model) for model in beside}
        job = self.definitions.resolve_job_def(BUILD_JOB)
        built = job.asset_layer.selected_asset_keys - loaded_with_others
        yield from (key for key in self.graph.toposorted_asset_keys if key in built)

    def _awaiting(self, key: dg.AssetKey, *, is_newer: bool) -> list[Days]:
        """The days of an asset that are to be built; of one without days any.

        Args:
            key: of the asset.
            is_newer: whether anything was built, of which what is monitored has to tell.
        """
        name, parents = ".".join(key.path), self.graph.get(key).parent_keys
        whole = [each for each in self.order if each in parents and each not in DAILY]
        if not all(".".join(parent.path) in self.built for parent in whole):
            return []
        of_table, changed = self.built.get(name, {}), self.plan.changes.get(name, set())
        if key.path[0] == MonitoringTable.schema_name() and is_newer:
            return [self.plan.days]
        if key not in DAILY:
            return [self.plan.days] if changed or of_table.get(None, True) else []
        stale = {day for day, is_stale in of_table.items() if is_stale and day}
        return Days.ranges(stale | changed | (set(self.plan.days.each()) - of_table.keys()))

    def _has_failed(self, key: dg.AssetKey) -> bool:
        return any(event.step_key == key.path[-1] for event in self.events if event.is_step_failure)

    def _run(self, days: Days, only: AbstractSet[dg.AssetKey] | None = None) -> None:
        job = self.definitions.resolve_job_def(BUILD_JOB)
        if only:
            checks = job.asset_layer.asset_graph.get_check_keys_for_assets(only)
            job = job.get_subset(asset_selection=only, asset_check_selection=checks)
        result = job.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            run_config={"loggers": {name: {} for name in self.definitions.loggers or {}}},
            tags=range_tags(days),
        )
        self.events += result.all_events

    def _built(self) -> BuiltDays:
        return built_days(self.warehouse, any_code=self.plan.is_anew)
