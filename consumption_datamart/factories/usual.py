"""Checks that tell when a table holds other than it usually does, or takes longer."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import ibis

from consumption_datamart.checks import Check, Result, as_dagster_failure, asset_key
from consumption_datamart.checks.figures import (
    MEANINGS,
    ROWS,
    SECONDS,
    Found,
    compared,
    has_rows,
    has_seconds,
)
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse

USUAL = "usual"


def usual_checks(catalog: Catalog) -> dg.AssetChecksDefinition:
    """For each table that is refreshed whether its last day and its last run are as usual.

    Nothing runs them: the job `monitor` evaluates them with all others, and where an alert of an
    anomaly begins or ends it says so. One may run them by hand.
    """
    by_name = {model.full_name(): model for model in [node.model for node in catalog.nodes()]}
    which = [(name, ROWS) for name in by_name if has_rows(name)]
    which += [(name, SECONDS) for name in by_name if has_seconds(name)]
    checks = {pair: as_check(by_name[pair[0]], pair[1]) for pair in which}
    settings = catalog.settings

    @dg.multi_asset_check(
        name=USUAL,
        specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=asset_key(check.model),
                description=check.description,
                metadata={"kind": check.kind},
            )
            for check in checks.values()
        ],
        can_subset=True,
    )
    def _usual(
        context: dg.AssetCheckExecutionContext, readers: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        with as_dagster_failure():
            results = usual_results(readers.open().released(), by_name, settings)
        known = {(asset_key(each.check.model), each.check.name): each for each in results}
        for key in sorted(context.selected_asset_check_keys):
            result = known.get((key.asset_key, key.name))
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=result is None or result.passed,
                severity=dg.AssetCheckSeverity.WARN,
                description=result.told if result and not result.passed else None,
                metadata=_metadata(result),
            )

    return _usual


def usual_results(
    warehouse: Warehouse, models: Mapping[str, type[Table]], settings: Settings
) -> list[Result]:
    """The results of these checks, of the tables that have a model.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    found = compared(warehouse, settings) or []
    return [_result(each, models[each.table]) for each in found if each.table in models]


def as_check(model: type[Table], name: str) -> Check:
    """The definition of one of them; what it measures is not computed by it."""
    return Check(name, model, MEANINGS[name], lambda: ibis.memtable({}), {}, kind="delivery")


def _result(found: Found, model: type[Table]) -> Result:
    check = as_check(model, found.name)
    return Result(check, None, found.passed, found.measured, told=found.told)


def _metadata(result: Result | None) -> Mapping[str, Any]:
    return {} if result is None or result.measured is None else {"measured": result.measured}
