"""Monitoring: all checks, evaluated on what is stored, every day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import ibis

from consumption_datamart.automation import once_built
from consumption_datamart.checks import (
    Check,
    Result,
    as_dagster_failure,
    asset_key,
    checks_of_dumps,
    checks_of_listed,
    evaluate_stored,
    evaluations,
    prune,
    record,
)
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.factories.freshness import FRESH, MEANING
from consumption_datamart.factories.lake_table import LakeTableSpec
from consumption_datamart.factories.metadata import asset_spec
from consumption_datamart.factories.usual import usual_results
from consumption_datamart.private import freshness
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.monitoring import CheckResult
from consumption_datamart.schema.raw import Declarations
from consumption_datamart.schema.reports import ReportRenewals

MONITOR_JOB = "monitor"
EVERY_MORNING = "0 6 * * *"
LINES = 100
"""Failing checks that a run of the job names; it counts the others."""


def all_checks(lake: Sequence[LakeTableSpec], catalog: Catalog) -> list[Check]:
    """All checks of all tables."""
    loaded = [check for spec in lake for check in catalog.checks_of_load(spec.contract)]
    computed = [check for spec in catalog.specs for check in catalog.checks(spec)]
    listed = checks_of_dumps(catalog.sources, catalog.settings)
    listed += checks_of_listed(Declarations, catalog.settings)
    return loaded + listed + computed


def check_results_asset(lake: Sequence[LakeTableSpec], catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of all recorded results; materializing it evaluates every check anew.

    Nothing is built. Steps that publish record the results of their own checks, too.
    """
    checks = all_checks(lake, catalog)

    @dg.multi_asset(
        name=CheckResult.table_name(),
        specs=[
            asset_spec(
                CheckResult,
                "monitoring",
                deps=[asset_key(spec.model) for spec in catalog.specs if spec.is_watched],
                automation_condition=once_built(ReportRenewals),
            )
        ],
    )
    def _check_results(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with as_dagster_failure():
            target = warehouse.open()
            results = evaluate_stored(
                target, checks, catalog.settings.monitored_days, catalog.nodes()
            )
            results += _freshness(context.instance, catalog)
            by_name = {node.name: node.model for node in catalog.nodes()}
            results += usual_results(target, by_name, catalog.settings)
            with target.transaction([CheckResult]) as transaction:
                failed_before = record(transaction, results)
                kept = timedelta(days=catalog.settings.keep_results_days)
                prune(transaction, datetime.now(UTC).date() - kept)
        for each in evaluations(results, failed_before):
            context.log_event(each)
        yield dg.MaterializeResult(asset_key=asset_key(CheckResult), metadata=_summary(results))

    return _check_results


def monitor_schedule() -> dg.ScheduleDefinition:
    """Every morning at six (UTC): evaluates all checks."""
    return dg.ScheduleDefinition(
        name="monitor_every_morning",
        job_name=MONITOR_JOB,
        cron_schedule=EVERY_MORNING,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Evaluates all checks on what is stored; builds nothing.",
    )


def _freshness(instance: dg.DagsterInstance, catalog: Catalog) -> list[Result]:
    """Whether the tables that stakeholders look at are late, as far as Dagster knows."""
    keys = {asset_key(spec.model): spec.model for spec in catalog.specs if spec.is_watched}
    return [
        Result(
            Check(
                FRESH,
                keys[key],
                MEANING,
                lambda: ibis.memtable({}),
                {},
                kind="freshness",
            ),
            None,
            passed=state != "FAIL",
        )
        for key, state in freshness(instance, keys).items()
        if state in ("PASS", "WARN", "FAIL")
    ]


def _summary(results: Sequence[Result]) -> Mapping[str, Any]:
    failing = [result for result in results if not result.passed]
    lines = [f"- {result.check.model.full_name()}: {result}" for result in failing[:LINES]]
    if more := len(failing[LINES:]):
        lines.append(f"- and {more:,} more, see `{CheckResult.full_name()}`")
    return {
        "evaluated": len(results),
        "failing": len(failing),
        "failing errors": sum(result.check.is_blocking for result in failing),
        "what fails": dg.MetadataValue.md("\n".join(lines) or "nothing"),
    }
