"""Which table is made of which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Dependent


@dataclass(frozen=True)
class Node:
    """A table that refreshes itself.

    Attributes:
        model: the table.
        reads: the tables that it is made of; of a daily one over how many days, ending on the day.
        columns: of tables without days, by their model: the only columns that it reads.
        is_loaded: whether it is made of the lake.
    """

    model: type[Table]
    reads: Mapping[type[Table], int] = field(default_factory=dict)
    columns: Mapping[type[Table], Sequence[str]] = field(default_factory=dict)
    is_loaded: bool = False

    @property
    def name(self) -> str:
        """Full name of the table."""
        return self.model.full_name()

    @property
    def is_daily(self) -> bool:
        """Whether its days are refreshed one by one."""
        return self.model.day_column() is not None

    def as_dependent(self, on: type[Table]) -> Dependent:
        """What a publication of a table that it reads has to know of it."""
        daily = {each: days for each, days in self.reads.items() if each.day_column()}
        return Dependent(self.model, self.columns.get(on, ()), daily)


def in_order(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, each after those that it is made of."""
    by_name = {node.name: node for node in nodes}
    sorter = TopologicalSorter(
        {node.name: [model.full_name() for model in node.reads] for node in nodes}
    )
    return [by_name[name] for name in sorter.static_order() if name in by_name]
