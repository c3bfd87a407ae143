"""Which table is made of which."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from graphlib import TopologicalSorter
from itertools import chain

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Dependent
from consumption_datamart.warehouse.ledger import Day

ALL = 0
"""The window of a table without partitions that reads all of a table."""
SIZES = (Grain.DAY, Grain.WEEK, Grain.MONTH)


@dataclass(frozen=True)
class Node:
    """A table that refreshes itself.

    Attributes:
        model: the table.
        reads: the tables that it is made of; of a partitioned one over how many of its own periods,
            ending with the period; by a table without partitions over how many last days, or `ALL`.
        columns: of tables without partitions, by their model: the only columns that it reads.
        after: tables that it does not read, but that have to be up to date when it is published.
        is_loaded: whether it is made of the lake.
    """

    model: type[Table]
    reads: Mapping[type[Table], int] = field(default_factory=dict)
    columns: Mapping[type[Table], Sequence[str]] = field(default_factory=dict)
    after: Sequence[type[Table]] = ()
    is_loaded: bool = False

    @property
    def name(self) -> str:
        """Full name of the table."""
        return self.model.full_name()

    @property
    def grain(self) -> Grain:
        """How much time is refreshed at once."""
        return self.model.grain()

    @property
    def is_partitioned(self) -> bool:
        """Whether its periods are refreshed one by one."""
        return self.grain is not Grain.NONE

    def needs(self, model: type[Table], period: Day, last: date | None) -> list[Day] | None:
        """The partitions of a table that it reads, or follows, which a partition is made of.

        Args:
            model: the other table.
            period: of this one.
            last: last day of the mart, for what reads the last days of a table.

        Returns:
            None stands for all that there are.
        """
        if model.grain() is Grain.NONE:
            return [None]
        if period is not None:
            return model.periods(self.grain.period(period, self.reads.get(model, 1)))
        window = self.reads.get(model, ALL)
        if window == ALL or last is None:
            return None
        return model.periods(Days(last - timedelta(days=window - 1), last))

    def is_held_up_by(self, model: type[Table]) -> bool:
        """Whether a period cannot be refreshed where one that it needs of a table was never built.

        A longer period is made of those of its days that there are.
        """
        return model.grain() is Grain.NONE or SIZES.index(self.grain) <= SIZES.index(model.grain())

    def reached_from(self, model: type[Table], period: date) -> Iterator[date]:
        """The partitions that are made of one of a table that it reads, in order."""
        days = model.grain().period(period)
        forward = self.reads.get(model, 1) - 1
        last = self.grain.shift(self.grain.first(days.last), forward)
        return self.grain.each(Days(days.first, last))

    def closed(self, pruned: Mapping[str, Set[date]]) -> set[date]:
        """The partitions that can be made no more, and stay as they are: see `retention`.

        Args:
            pruned: full name of a raw table → the days whose rows were pruned.
        """
        if not pruned or not self.is_partitioned:
            return set()
        made_of = {model: pruned.get(model.full_name(), ()) for model in self.reads}
        reached = (self.reached_from(model, day) for model, days in made_of.items() for day in days)
        return {*pruned.get(self.name, ()), *chain.from_iterable(reached)}

    def as_dependent(self, on: type[Table]) -> Dependent:
        """What a publication of a table that it reads has to know of it."""
        daily = {each: days for each, days in self.reads.items() if each.day_column()}
        return Dependent(self.model, self.columns.get(on, ()), daily)


def in_order(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, each after those that it is made of."""
    by_name = {node.name: node for node in nodes}
    sorter = TopologicalSorter(
        {node.name: [model.full_name() for model in [*node.reads, *node.after]] for node in nodes}
    )
    return [by_name[name] for name in sorter.static_order() if name in by_name]
