"""A build in this process, without Dagster: the functions that its assets call, in order."""

import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.monitoring import MONITORING
from consumption_datamart.build.result import BuiltTable, OnStep, Tally, asset_name
from consumption_datamart.checks import Check, Inspection, evaluations
from consumption_datamart.errors import AuditError, DatamartError
from consumption_datamart.factories import (
    LISTED,
    Catalog,
    LakeTableSpec,
    ListedSpec,
    TableSpec,
    load_lake_table,
    problem_of,
    profiles_of,
    refresh_listed,
    refresh_table,
)
from consumption_datamart.lake.listing import Listing
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.raw import models_of
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Profile, Warehouse

Published = Mapping[type[Table], tuple[Profile, int | None]]
"""What was published of each table, and how many days of it; None: it has none."""


@dataclass(frozen=True)
class Step:
    """Tables that are published together.

    Attributes:
        models: of the tables, that which names the step first.
        inputs: the tables that they are made of, or that they follow.
        checks: of the tables.
        refresh: publishes them, or days of them; gives what could not be, in a line, too.
    """

    models: Sequence[type[Table]]
    inputs: Collection[type[Table]]
    checks: Sequence[Check]
    refresh: Callable[[Days | None, Inspection], tuple[Published, str | None]]

    @property
    def name(self) -> str:
        """Of its asset's step, as Dagster would have it."""
        return self.models[0].table_name()


class InProcess:
    """Runs steps one after the other; see `Executor`."""

    def __init__(
        self, catalog: Catalog, found: Listing, warehouse: Warehouse, on_step: OnStep
    ) -> None:
        """Nothing was run yet.

        Args:
            catalog: of all tables.
            found: what the lake has.
            warehouse: where the tables are.
            on_step: see `build`.
        """
        self.catalog, self.found, self.warehouse = catalog, found, warehouse
        self.on_step, self.tally = on_step, Tally()
        steps = [self._loading(spec) for spec in LAKE] + [self._listing(spec) for spec in LISTED]
        steps += [self._computing(spec) for spec in [*catalog.specs, *MONITORING]]
        by_model = {step.models[0]: step for step in steps}
        order = TopologicalSorter({model: step.inputs for model, step in by_model.items()})
        self.steps = [by_model[model] for model in order.static_order() if model in by_model]

    def everything(self) -> list[type[Table]]:
        """All tables, from the lake to the reports and what is measured of them."""
        return [model for step in self.steps for model in step.models]

    def together(self, model: type[Table]) -> Sequence[type[Table]]:
        """The tables that are published with one."""
        return next(step.models for step in self.steps if model in step.models)

    def run(self, days: Days, models: Collection[type[Table]]) -> None:
        """Refreshes tables, or the days of them; what is made of one that fails is left out."""
        stuck: set[type[Table]] = set()
        for step in self.steps:
            if step.models[0] not in models:
                continue
            if not stuck.isdisjoint(step.inputs) or not self._succeeds(step, days):
                stuck.update(step.models)

    def _succeeds(self, step: Step, days: Days) -> bool:
        inspection = Inspection(step.checks)
        grain, told = step.models[0].grain(), None
        self.on_step(step.name, None)
        try:
            within = None if grain is Grain.NONE else grain.whole(days)
            published, problem = self.warehouse.patiently(lambda: step.refresh(within, inspection))
        except Exception as error:  # whatever it is, other tables are built
            published, problem = {}, _first_cause(error)
            told = problem if isinstance(error, AuditError) else None
        seconds = inspection.seconds()
        for model, (profile, count) in published.items():
            self.tally.add(_built(model, profile, count, 0.0 if problem else seconds))
        self.tally.evaluations += [
            each
            for each in evaluations(inspection.results, error=told)
            if each.partition is None and (told or not problem)
        ]
        if problem:
            self.tally.failures[step.name] = problem
            return False
        self.on_step(step.name, seconds)
        return True

    def _loading(self, spec: LakeTableSpec) -> Step:
        models = models_of(spec.contract)

        def refresh(days: Days | None, inspection: Inspection) -> tuple[Published, str | None]:
            log = logging.getLogger(__name__)
            loads = load_lake_table(
                spec.contract, self.catalog, self.found, self.warehouse, days, inspection, log
            )
            problem = problem_of(loads)
            loaded = [each for load in loads for each, _ in load.loaded]
            if problem and not any(loaded):
                return {}, problem
            count = len({day for each in loaded if each for day in each.each()})
            profiles = profiles_of(models, loads)
            return {m: (p, count if days else None) for m, p in profiles.items()}, problem

        return Step(models, [], self.catalog.checks_of_load(spec.contract), refresh)

    def _listing(self, spec: ListedSpec) -> Step:
        def refresh(_: Days | None, inspection: Inspection) -> tuple[Published, None]:
            published = refresh_listed(spec, self.catalog, self.found, self.warehouse, inspection)
            return {spec.model: (published.profile, None)}, None

        return Step([spec.model], [], spec.checks(self.catalog), refresh)

    def _computing(self, spec: TableSpec) -> Step:
        inputs = [*self.catalog.upstream(spec), *(self.catalog.models[name] for name in spec.after)]

        def refresh(days: Days | None, inspection: Inspection) -> tuple[Published, None]:
            _, published = refresh_table(spec, self.catalog, self.warehouse, days, inspection)
            count = len(list(days.each())) if days else None
            return {spec.model: (published.profile, count)}, None

        return Step([spec.model], inputs, self.catalog.checks(spec), refresh)


def _built(model: type[Table], profile: Profile, days: int | None, seconds: float) -> BuiltTable:
    total = profile.figures.sum()
    counts = {
        name: int(total[name]) for name in ("rows", "quarantined", "warnings") if name in total
    }
    return BuiltTable(
        asset_name(model),
        days,
        counts["rows"],
        counts.get("quarantined"),
        counts.get("warnings"),
        seconds,
    )


def _first_cause(error: BaseException) -> str:
    """What is wrong, in a line: what an error of ours says, else what has caused it."""
    if isinstance(error, DatamartError):
        return str(error)
    while error.__cause__ is not None:
        error = error.__cause__
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
