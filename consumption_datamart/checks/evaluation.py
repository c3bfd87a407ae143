"""Evaluating checks: on what is about to be published, or on what is stored."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import Check, Compared, Result
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import CheckResult, Figure
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Transaction
from consumption_datamart.warehouse.rows import day_of

ResultKey = tuple[str, str, date | None]
"""Table, check and day."""


def evaluate(
    checks: Sequence[Check],
    table: Callable[[type[Table]], ir.Table],
    fetch: Callable[[ir.Table], list[tuple[Any, ...]]],
    days: Days | None,
    today: date | None = None,
) -> list[Result]:
    """Evaluates checks, each in a query of its own.

    In one query they would share what they read, which DuckDB then copies aside first.

    Args:
        checks: all of tables with days, or all of tables without.
        table: a table as an expression.
        fetch: the rows of an expression.
        days: that are looked at, of daily tables.
        today: the date; by default that of the clock, in UTC.

    Returns:
        A result for each check and day, of a table without days, and of what is said of a table as
        a whole, for each check. A day of which
        nothing is measured passes.
    """
    today = today or datetime.now(UTC).date()
    results = []
    for check in checks:
        if check.judge is not None:
            judged = check.judge(lambda model: fetch(table(model)))
            results.append(check.result(None, *judged))
            continue
        measured: dict[date | None, tuple[float | None, int]] = {}
        for day, value, rows in fetch(check.expression(table, days, today)):
            measured[day and day_of(day)] = None if value is None else float(value), int(rows)
        wanted = check.days_of(days)
        found = measured if check.compare is None else _compared(check, measured, wanted)
        results += [check.result(day, *found.get(day, (None, 0))) for day in wanted]
    return results


def _compared(
    check: Check,
    measured: Mapping[date | None, tuple[float | None, int]],
    days: Iterable[date | None],
) -> Mapping[date | None, Compared]:
    """What days are, compared with others; None stands for the last."""
    series = {day: each[0] for day, each in measured.items() if day and each[0] is not None}
    if check.compare is None or not series:
        return {}
    last = max(series)
    return {day: check.compare(series, day or last) for day in days if day is None or day in series}


def record(transaction: Transaction, results: Iterable[Result]) -> set[ResultKey]:
    """Writes results down in `monitoring.check_result`.

    Returns:
        Of which tables, checks and days the last result, before these, was a failure.
    """
    transaction.upgrade(CheckResult)
    found = list(results)
    if not found:
        return set()
    # who is looked at alone is told anyway
    failed = (
        last_failed(transaction, {result.check.model.full_name() for result in found})
        if len({result.day for result in found}) > 1
        else set()
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    transaction.append(CheckResult, [_as_row(result, now) for result in found])
    return failed


def _as_row(result: Result, now: datetime) -> tuple[object, ...]:
    check = result.check
    which = (check.model.full_name(), check.name, result.day, check.kind, check.severity)
    return (now, *which, result.passed, result.measured, float(check.limit), result.rows)


def prune(transaction: Transaction, before: date) -> None:
    """Forgets results and figures from before a date that later ones of the same day replace."""
    keys = {
        CheckResult: ("evaluated_at", "checked_day", "checked_table", "check_name"),
        Figure: ("published_at", "built_day", "built_table", "figure"),
    }
    for model, (written, *same) in keys.items():
        transaction.require(model)
        rows = transaction.slice(model)
        last = rows[written].max().over(ibis.window(group_by=same))
        ranked = rows.select(written, *same, last=last)
        replaced = ranked.filter(ranked[written] < ranked["last"]).select(written, *same)
        transaction.delete(model, rows[written] < ibis.literal(before), among=replaced)


def last_failed(transaction: Transaction, tables: Collection[str]) -> set[ResultKey]:
    """Of which checks and days of some tables the last result is a failure."""
    results = transaction.slice(CheckResult)
    of_tables = results.filter(results.checked_table.isin(sorted(tables)))
    keys = ["checked_table", "check_name", "checked_day"]
    last = of_tables.group_by(keys).aggregate(
        failed=of_tables.evaluated_at.max(where=~of_tables.passed),
        passed=of_tables.evaluated_at.max(where=of_tables.passed),
    )
    failed = last.filter(last.failed.notnull(), last.passed.isnull() | (last.passed < last.failed))
    found = transaction.rows(failed.select(keys))
    return {(table, name, day and day_of(day)) for table, name, day in found}
