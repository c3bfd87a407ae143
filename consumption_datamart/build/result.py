"""What a build did."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import dagster as dg

from consumption_datamart.checks import asset_key
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table

OnStep = Callable[[str, float | None], None]
"""Is told the name of a step as it begins, and again, with its seconds, once it has succeeded."""


@dataclass(frozen=True)
class BuiltTable:
    """A table that was built.

    Attributes:
        name: of the asset.
        days: of it that were built; None: it has none.
        rows: published, over all days that were built.
        quarantined: rows that were set aside; None where rows cannot be.
        warnings: rows with warnings; None where rows cannot have any.
        seconds: that it took.
    """

    name: str
    days: int | None
    rows: int
    quarantined: int | None
    warnings: int | None
    seconds: float

    def __add__(self, other: "BuiltTable") -> "BuiltTable":
        """Both, of the same table."""
        return replace(
            self,
            days=_sum(self.days, other.days),
            rows=self.rows + other.rows,
            quarantined=_sum(self.quarantined, other.quarantined),
            warnings=_sum(self.warnings, other.warnings),
            seconds=self.seconds + other.seconds,
        )


@dataclass
class Tally:
    """What became of steps so far.

    Attributes:
        tables: that were built, by name.
        failures: what went wrong, a line each, by step.
        evaluations: of checks, each of all that was looked at.
    """

    tables: dict[str, BuiltTable] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    evaluations: list[dg.AssetCheckEvaluation] = field(default_factory=list)

    def add(self, built: BuiltTable) -> None:
        """One more; days of a table may be built one after the other."""
        known = self.tables.get(built.name)
        self.tables[built.name] = known + built if known else built


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        days: of the daily tables.
        tables: that were built, from the lake to the reports.
        failures: what went wrong, a line each, by asset.
        skipped: assets that were not built because one before them failed.
        remarks: what whoever delivers to the lake should know, a line each.
        evaluations: of checks, the last of each last.
    """

    days: Days
    tables: list[BuiltTable]
    failures: dict[str, str]
    skipped: list[str]
    remarks: Sequence[str] = ()
    evaluations: Sequence[dg.AssetCheckEvaluation] = ()

    @property
    def problem(self) -> str | None:
        """What went wrong, in a line; None: nothing."""
        lines = [f"{step}: {text}" for step, text in self.failures.items()]
        lines += [f"{name}: not built, as something before it is missing" for name in self.skipped]
        more = f"; and {len(lines) - 1} more" if lines[1:] else ""
        return lines[0].rstrip(".") + more if lines else None


def summarize(
    days: Days,
    order: Sequence[type[Table]],
    planned: Collection[type[Table]],
    tally: Tally,
    remarks: Sequence[str] = (),
) -> BuildResult:
    """What became of the planned tables.

    Args:
        days: of the daily tables.
        order: of the tables that the result tells of; others come last.
        planned: the tables that were to be built.
        tally: what became of the steps.
        remarks: on the lake.
    """
    missing = {asset_name(model) for model in planned} - tally.tables.keys()
    skipped = sorted(name for name in missing if name.split("/")[-1] not in tally.failures)
    position = {asset_name(model): number for number, model in enumerate(order)}
    tables = sorted(tally.tables.values(), key=lambda each: position.get(each.name, len(position)))
    return BuildResult(days, tables, tally.failures, skipped, remarks, tally.evaluations)


def asset_name(model: type[Table]) -> str:
    """Of the asset that is the model's table: `mart/dim_day`."""
    return asset_key(model).to_user_string()


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
