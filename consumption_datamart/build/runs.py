"""The runs of a build: all at once, or what is to be refreshed, table by table."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol

from consumption_datamart.build.plan import BuildPlan
from consumption_datamart.build.result import BuildResult, Tally, asset_name, summarize
from consumption_datamart.planning import Node, Pending, in_order, pending, ready
from consumption_datamart.planning.pending import Why
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import MonitoringTable
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse, read_ledger
from consumption_datamart.warehouse.ledger import Day, Ledger


class Executor(Protocol):
    """What refreshes tables.

    Attributes:
        tally: what became of all that was run.
    """

    tally: Tally

    def everything(self) -> Sequence[type[Table]]:
        """All tables that a build of everything refreshes."""

    def together(self, model: type[Table]) -> Sequence[type[Table]]:
        """The tables that are published with one."""

    def run(self, days: Days, models: Collection[type[Table]]) -> None:
        """Refreshes tables, or the days of them; what is made of one that fails is left out."""


class Runs:
    """Runs that follow each other in this process."""

    def __init__(
        self, executor: Executor, nodes: Sequence[Node], warehouse: Warehouse, plan: BuildPlan
    ) -> None:
        """Nothing was run yet."""
        self.executor, self.nodes = executor, in_order(nodes)
        self.warehouse, self.plan = warehouse, plan
        self._planned: set[type[Table]] = set()
        self._tried: dict[str, dict[Day, Why]] = defaultdict(dict)
        self._ledger = read_ledger(warehouse)
        self._began = self._ledger.version

    def result(self, remarks: Sequence[str]) -> BuildResult:
        """What was done, and what was to be."""
        order = [
            model
            for node in self.nodes
            for model in sorted(
                self.executor.together(node.model),
                key=lambda each: (each is not node.model, asset_name(each)),
            )
        ]
        return summarize(self.plan.days, order, self._planned, self.executor.tally, remarks)

    def all(self) -> None:
        """Builds everything, in one run."""
        self._run(self.plan.days, self.executor.everything())
        # what could not be built now cannot be in a moment either
        ledger = read_ledger(self.warehouse)
        for node in self.nodes:
            if node.model.table_name() in self.executor.tally.failures:
                news = self.plan.news.since(ledger, self._began)
                self._tried[node.name] |= pending(self.nodes, ledger, news)[node.name]

    def awaited(self) -> None:
        """Builds what is to be refreshed, as the planner says, until nothing is left.

        What cannot be built holds up what cannot do without it, and nothing else.
        """
        is_newer = False
        while steps := self._next():
            for node, days in steps:
                periods = node.grain.ranges(day for day in days if day)
                for range_ in periods or [self.plan.days]:
                    self._run(range_, self.executor.together(node.model))
            is_newer = True
        if is_newer:
            of_monitoring = MonitoringTable.schema_name()
            measured = [m for m in self.executor.everything() if m.schema_name() == of_monitoring]
            self._run(self.plan.days, measured)
        waiting, _ = self._waiting()
        self._planned.update(node.model for node in self.nodes if waiting[node.name])

    def _next(self) -> list[tuple[Node, list[Day]]]:
        """What is ready, from the lake to the reports: none of it waits for another."""
        waiting, ledger = self._waiting()
        offered = ready(self.nodes, ledger, waiting, self._tried)
        for name, found in offered.items():
            self._tried[name] |= found
        return [(node, list(found)) for node in self.nodes if (found := offered[node.name])]

    def _waiting(self) -> tuple[Pending, Ledger]:
        self._ledger = read_ledger(self.warehouse, self._ledger)
        news = self.plan.news.since(self._ledger, self._began)
        return pending(self.nodes, self._ledger, news), self._ledger

    def _run(self, days: Days, models: Collection[type[Table]]) -> None:
        self._planned.update(models)
        self.executor.run(days, models)
