"""The runs of a build: all at once, or what is to be refreshed, table by table."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

import dagster as dg

from consumption_datamart.build.plan import BuildPlan
from consumption_datamart.checks import asset_key
from consumption_datamart.definitions import BUILD_JOB
from consumption_datamart.partitions import range_tags
from consumption_datamart.planning import Node, Pending, in_order, pending, ready
from consumption_datamart.planning.pending import Why
from consumption_datamart.private import assets_of, part_of, resolved_job
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import MonitoringTable
from consumption_datamart.warehouse import Warehouse, read_ledger
from consumption_datamart.warehouse.ledger import Day, Ledger


class Runs:
    """Runs that follow each other in this process.

    Attributes:
        planned: assets that were to be built.
        events: Dagster's, of all runs in order.
    """

    def __init__(
        self,
        definitions: dg.Definitions,
        nodes: Sequence[Node],
        warehouse: Warehouse,
        instance: dg.DagsterInstance,
        plan: BuildPlan,
    ) -> None:
        """Nothing was run yet."""
        self.definitions, self.nodes, self.warehouse = definitions, in_order(nodes), warehouse
        self.instance, self.plan = instance, plan
        self.planned: set[dg.AssetKey] = set()
        self.events: list[dg.DagsterEvent] = []
        self._tried: dict[str, dict[Day, Why]] = defaultdict(dict)
        self._began = _last_version(read_ledger(warehouse))

    @cached_property
    def job(self) -> dg.JobDefinition:
        """The job that builds everything."""
        return resolved_job(self.definitions, BUILD_JOB)

    def all(self) -> None:
        """Builds everything, in one run."""
        self.planned |= assets_of(self.job)
        self._run(self.plan.days)
        # what could not be built now cannot be in a moment either
        ledger = read_ledger(self.warehouse)
        failed = {event.step_key for event in self.events if event.is_step_failure}
        for node in self.nodes:
            if node.model.table_name() in failed:
                news = self.plan.news.since(ledger, self._began)
                self._tried[node.name] |= pending(self.nodes, ledger, news)[node.name]

    def awaited(self) -> None:
        """Builds what is to be refreshed, as the planner says, until nothing is left.

        What cannot be built holds up what cannot do without it, and nothing else.
        """
        is_newer = False
        while step := self._next():
            node, days = step
            together = self._together(asset_key(node.model))
            self.planned |= together
            periods = node.grain.ranges(day for day in days if day)
            for range_ in periods or [self.plan.days]:
                self._run(range_, together)
                is_newer = True
        if is_newer:
            self._monitor()
        waiting, _ = self._waiting()
        self.planned |= {asset_key(node.model) for node in self.nodes if waiting[node.name]}

    def _next(self) -> tuple[Node, list[Day]] | None:
        """The first table, from the lake to the reports, of which something is ready."""
        waiting, ledger = self._waiting()
        offered = ready(self.nodes, ledger, waiting, self._tried)
        for node in self.nodes:
            if found := offered[node.name]:
                self._tried[node.name] |= found
                return node, list(found)
        return None

    def _waiting(self) -> tuple[Pending, Ledger]:
        ledger = read_ledger(self.warehouse)
        news = self.plan.news.since(ledger, self._began)
        return pending(self.nodes, ledger, news), ledger

    def _together(self, key: dg.AssetKey) -> AbstractSet[dg.AssetKey]:
        """The assets that are materialized with one, in its step."""
        for each in self.definitions.assets or ():
            if isinstance(each, dg.AssetsDefinition) and key in each.keys and not each.can_subset:
                return each.keys
        return {key}

    def _monitor(self) -> None:
        """What is measured of what was built."""
        measured = {
            key for key in assets_of(self.job) if key.path[0] == MonitoringTable.schema_name()
        }
        self.planned |= measured
        self._run(self.plan.days, measured)

    def _run(self, days: Days, only: AbstractSet[dg.AssetKey] | None = None) -> None:
        job = part_of(self.job, only) if only else self.job
        result = job.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            run_config={"loggers": {name: {} for name in self.definitions.loggers or {}}},
            tags=range_tags(days),
        )
        self.events += result.all_events


def _last_version(ledger: Ledger) -> int:
    versions = (each.version for days in ledger.published.values() for each in days.values())
    return max(versions, default=0)
