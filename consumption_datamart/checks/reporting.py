"""Checks as Dagster shows them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import dagster as dg

from consumption_datamart.checks.check import Check, Result
from consumption_datamart.checks.evaluation import ResultKey
from consumption_datamart.checks.loads import LATE
from consumption_datamart.errors import DatamartError
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import Table

SEVERITY = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


def asset_key(model: type[Table]) -> dg.AssetKey:
    """Key of the asset that is the model's table."""
    return dg.AssetKey([model.schema_name(), model.table_name()])


def check_spec(check: Check, condition: Any = None) -> dg.AssetCheckSpec:
    """The check as an asset check.

    Args:
        check: to show.
        condition: when automation runs it; none: whenever it refreshes the table.
    """
    return dg.AssetCheckSpec(
        name=check.name,
        asset=asset_key(check.model),
        blocking=check.is_blocking,
        description=check.description,
        automation_condition=condition,
        metadata={"kind": check.kind, "threshold": float(check.limit)},
    )


def evaluations(
    results: Sequence[Result], failed_before: Collection[ResultKey] = (), error: str | None = None
) -> Iterator[dg.AssetCheckEvaluation]:
    """What to tell Dagster of results.

    Of each check one evaluation of all that was looked at. Before it, by partition, that of each
    day that fails, of each day that had failed before, and of a day that was looked at alone. Other
    days of a range are not told one by one: an event costs tens of milliseconds where Dagster keeps
    its history on a disk (docs/decisions/archive/0021). Weeks and months are no partitions there.

    Args:
        results: of evaluations.
        failed_before: of which tables, checks and days the result before these was a failure.
        error: that stopped the publication, if any did.
    """
    by_check: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        by_check[result.check.model.full_name(), result.check.name].append(result)
    for (table, name), found in by_check.items():
        is_daily = found[0].check.model.grain() is Grain.DAY
        days = {result.day for result in found if is_daily and result.day is not None}
        for result in found if days and error is None else ():
            was_wrong = (table, name, result.day) in failed_before
            if len(days) == 1 or was_wrong or not result.passed:
                yield _evaluation([result], result.day, None)
        yield _evaluation(found, None, error if not all(each.passed for each in found) else None)


def events(
    results: Sequence[Result], failed_before: Collection[ResultKey] = (), error: str | None = None
) -> Iterator[dg.AssetCheckEvaluation | dg.AssetCheckResult]:
    """The same, of the checks of the step that yields them."""
    for each in evaluations(results, failed_before, error):
        if each.partition is not None:
            yield each
        else:
            yield dg.AssetCheckResult(
                asset_key=each.asset_key,
                check_name=each.check_name,
                passed=each.passed,
                severity=each.severity,
                description=each.description,
                metadata=each.metadata,
            )


def _evaluation(
    results: Sequence[Result], day: date | None, error: str | None
) -> dg.AssetCheckEvaluation:
    check = results[0].check
    failing = [result for result in results if not result.passed]
    measured = [result.measured for result in results if result.measured is not None]
    figures: dict[str, float] = {"rows concerned": sum(result.rows for result in results)}
    if measured:
        figures |= {"measured": float(max(measured)), "threshold": float(check.limit)}
    if len(results) > 1:
        figures |= {"days": len(results), "days failing": len(failing)}
    more = f"; and {len(failing) - 1} days more" if len(failing) > 1 else ""
    told = error or (f"{failing[0]}{more}" if failing else None)
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(check.model),
        check_name=check.name,
        passed=not failing,
        severity=SEVERITY[check.severity],
        blocking=check.is_blocking,
        description=told,
        metadata=figures | ({"error": error} if error else {}),
        partition=day.isoformat() if day else None,
    )


def told_checks(keys: Iterable[dg.AssetCheckKey]) -> list[dg.AssetCheckKey]:
    """Those whose failure is told by the signal `check`: that a dump is late has one of its own."""
    return [key for key in keys if not key.name.startswith(LATE)]


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turns an error that a user can act on into a Dagster failure that says just that."""
    try:
        yield
    except DatamartError as error:
        raise dg.Failure(description=str(error)) from error
