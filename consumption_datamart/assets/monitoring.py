"""Objectives: what readers may expect of the reports, measured from recorded check results."""

from collections.abc import Mapping
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.assets.flags import as_number
from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.automation import once_built
from consumption_datamart.factories import TableSpec
from consumption_datamart.schema.monitoring import OBJECTIVE_KINDS, CheckResult, Objective
from consumption_datamart.schema.raw import Dumps, models_of, raw_of
from consumption_datamart.schema.table import Table

TARGET = 0.99
"""Share of days that are to be good."""
PERIOD_DAYS, RECENT_DAYS = 28, 7
"""Days that an objective is measured over, and those that the rate of burning is read off."""


class ObjectiveSpec(NamedTuple):
    """An objective that is set.

    Attributes:
        table: full name of the table that it is set for.
        kind: of the checks that decide.
        checked: full names of the tables whose checks decide.
        target: share of days that are to be good.
    """

    table: str
    kind: str
    checked: tuple[str, ...]
    target: float = TARGET


def objective_specs() -> list[ObjectiveSpec]:
    """For each report one objective of each kind.

    Of correctness and warnings the checks of all tables decide that the report is made of and that
    are of its grain: those with days are judged by the day of their rows, all others by the day of
    their evaluation. Of freshness its own check decides, and whether dumps come in.
    """
    found = []
    for spec in REPORTS:
        alike = tuple(sorted(each.full_name() for each in _made_of(spec.model)))
        own = (spec.model.full_name(), Dumps.full_name())
        for kind in OBJECTIVE_KINDS:
            checked = own if kind == "freshness" else alike
            found.append(ObjectiveSpec(spec.model.full_name(), kind, checked))
    return found


def objective(check_result: ir.Table) -> ir.Table:
    """How much of what was promised was kept, over the last 28 days.

    A day is good if the last result of each check of the kind on that day is a pass. The days that
    may be bad are the budget; the rate at which it burns is read off the last 7 days: at 1 it lasts
    for just the period.

    Args:
        check_result: all results that were recorded.
    """
    latest = _last_results(check_result)
    parts = []
    for spec in objective_specs():
        name = {
            "objective_name": ibis.literal(f"{spec.table} {spec.kind}"),
            "objective_table": ibis.literal(spec.table),
            "kind": ibis.literal(spec.kind),
            "target": ibis.literal(spec.target, "float64"),
        }
        rows = latest.filter(latest.kind == spec.kind, latest.checked_table.isin(spec.checked))
        parts.append(rows.select(day=rows.day, good=rows.good, **name))
        # an objective of which nothing was measured is there all the same
        nothing = {"day": ibis.null("date"), "good": ibis.null("int64")}
        parts.append(ibis.literal(1).as_table().select(**nothing, **name))
    of_check = ibis.union(*parts)
    keys = ["objective_name", "objective_table", "kind", "target"]
    by_day = of_check.group_by(*keys, "day").aggregate(good=of_check.good.min())
    last = by_day.day.max().over(group_by=by_day.objective_name)
    aged = by_day.mutate(age=last.delta(by_day.day, unit="day"))
    aged = aged.filter(aged.day.isnull() | (aged.age < PERIOD_DAYS))
    is_recent = aged.age < RECENT_DAYS
    found = aged.group_by(keys).aggregate(
        days_good=aged.good.sum().fill_null(0),
        days_measured=aged.day.count(),
        recent_good=aged.good.sum(where=is_recent).fill_null(0),
        recent=aged.day.count(where=is_recent),
    )
    may_be_bad = 1.0 - found.target
    bad = (found.days_measured - found.days_good).cast("float64")
    recent_bad = (found.recent - found.recent_good).cast("float64")
    left = 1.0 - bad / (found.days_measured.nullif(0) * may_be_bad)
    return found.mutate(
        budget_left=left.fill_null(1.0),
        burn_rate=(recent_bad / (found.recent.nullif(0) * may_be_bad)).fill_null(0.0),
    )


def shown(objectives: pd.DataFrame) -> Mapping[str, float]:
    """What Dagster plots of the objectives over time."""
    figures = {}
    for row in objectives.itertuples():
        figures[f"budget left: {row.objective_name}"] = float(row.budget_left)
        figures[f"burn rate: {row.objective_name}"] = float(row.burn_rate)
    return figures


def _last_results(results: ir.Table) -> ir.Table:
    """Of each check the last result on each day: of its rows, or of its evaluation."""
    day = results.checked_day.fill_null(results.evaluated_at.date())
    dated = results.select(
        "checked_table", "check_name", "kind", "evaluated_at", day=day,
        good=as_number(results.passed),
    )  # fmt: skip
    last_first = ibis.row_number().over(
        group_by=[dated.checked_table, dated.check_name, dated.day],
        order_by=dated.evaluated_at.desc(),
    )
    ranked = dated.mutate(position=last_first)
    return ranked.filter(ranked.position == 0)


def _made_of(model: type[Table]) -> set[type[Table]]:
    """The table and all that it is made of, as far as that is of the same grain."""
    specs = {spec.model.table_name(): spec for spec in STAR + REPORTS}
    loads = {raw_of(spec.contract).table_name(): models_of(spec.contract) for spec in LAKE}
    seen: set[str] = set()
    left, found = [model.table_name()], set()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in specs:
            found.add(specs[name].model)
            left += specs[name].reads()
        found.update(loads.get(name, ()))
    return {each for each in found if each.grain() is model.grain()}


MONITORING = (
    TableSpec(
        Objective,
        objective,
        group="monitoring",
        policy=lambda _: once_built(CheckResult),
        after=tuple(spec.model.table_name() for spec in REPORTS),
        shows=shown,
    ),
)
