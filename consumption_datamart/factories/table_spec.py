"""The spec of a table of the star, or of a report."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.automation import Policy, eager
from consumption_datamart.planning import ALL
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import Table

DAYS = "days"
"""Name of the argument by which a function asks for the days that it is to give rows for."""


@dataclass(frozen=True)
class TableSpec:
    """A table of the star or a report.

    Attributes:
        model: its columns, key and rules; says by what it is partitioned.
        compute: a pure function to the table's rows. Its arguments are named after the tables that
            it reads, and are expressions, or frames where annotated `pd.DataFrame`; `days` is the
            days that it is to give rows for (column day).
        windows: for partitioned tables that are read over several periods of this table: how many,
            ending with the period; by a table without partitions: over how many last days.
        columns: for tables without days: the only columns that it reads; a change of others makes
            none of its days stale.
        group: star or reports.
        owners: who answers for it.
        policy: when it refreshes itself.
        after: tables that its rows do not depend on, but that have to be up to date when they are
            checked.
        shows: figures that Dagster plots, of the table's rows as a frame.
        is_watched: whether stakeholders expect it to be fresh.
    """

    model: type[Table]
    compute: Callable[..., ir.Table | pd.DataFrame]
    windows: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: str = "star"
    owners: tuple[str, ...] = ("team:data",)
    policy: Policy = eager
    after: tuple[str, ...] = ()
    shows: Callable[[pd.DataFrame], Mapping[str, float]] | None = None
    is_watched: bool = False

    def window(self, model: type[Table]) -> int:
        """Over how much of a table that it reads: see `Node.reads`."""
        every = ALL if self.model.grain() is Grain.NONE else 1
        return self.windows.get(model.table_name(), every)

    def inputs(self) -> list[str]:
        """Names of the tables that the function reads, but for `days`."""
        names = list(inspect.signature(self.compute).parameters)
        return [name for name in names if name != DAYS]

    def needs_days(self) -> bool:
        """Whether the function asks for the days to give rows for."""
        return DAYS in inspect.signature(self.compute).parameters

    def reads(self) -> list[str]:
        """Names of all tables that the function reads."""
        days = [ReportingDay.table_name()] if self.needs_days() else []
        return list(dict.fromkeys([*self.inputs(), *days]))
