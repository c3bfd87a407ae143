"""Objectives, with numbers computed by hand from results that are written down."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from consumption_datamart.assets.monitoring import MONITORING, objective_specs
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.schema.monitoring import CheckResult, Objective
from consumption_datamart.warehouse import open_warehouse, publish
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, usage, write_dump
from consumption_datamart_tests.mart import Row, build, tables_of

(SPEC,) = MONITORING
CONSUMPTION, RENEWALS = "mart.report_consumption_daily", "mart.report_renewals"
MADE_OF_CONSUMPTION = (
    "mart.report_account_consumption_daily",
    "mart.report_portfolio_daily",
    "mart.report_band_changes",
)


def result(number: int, *, passed: bool = True, **other: object) -> Row:
    """A result of the consumption report's model on the day with that number."""
    return {
        "evaluated_at": datetime(2026, 4, 1, 6),
        "checked_table": CONSUMPTION,
        "check_name": "model",
        "checked_day": day(number),
        "kind": "correctness",
        "severity": "error",
        "passed": passed,
        "measured": 0.0,
        "threshold": 0.0,
        "rows_concerned": 0,
    } | other


def measured(url: str, results: Sequence[Row]) -> dict[str, Row]:
    """The objectives, by name, that these results make."""
    warehouse = open_warehouse(url)
    publish(warehouse, CheckResult, pd.DataFrame(results))
    rows = SPEC.compute(check_result=warehouse.table(CheckResult))
    publish(warehouse, Objective, rows, inputs=[CheckResult])
    warehouse.release()
    return {row["objective_name"]: row for row in tables_of(url)["monitoring.objective"]}


def test_days_are_counted_and_the_budget_is_what_may_be_bad(warehouse: str) -> None:
    bad = {20, 38, 40}
    found = measured(warehouse, [result(n, passed=n not in bad) for n in range(1, 41)])
    row = found[f"{CONSUMPTION} correctness"]
    # days 13 to 40 are measured, 0.28 of them may be bad; of days 34 to 40 two are
    assert (row["days_good"], row["days_measured"], row["target"]) == (25, 28, 0.99)
    assert row["budget_left"] == pytest.approx(1 - 3 / 0.28)
    assert row["burn_rate"] == pytest.approx((2 / 7) / 0.01)


def test_good_days_leave_the_budget_whole(warehouse: str) -> None:
    row = measured(warehouse, [result(n) for n in range(1, 11)])[f"{CONSUMPTION} correctness"]
    assert (row["days_good"], row["days_measured"]) == (10, 10)
    assert (row["budget_left"], row["burn_rate"]) == (1.0, 0.0)


def test_an_old_bad_day_burns_nothing_any_more(warehouse: str) -> None:
    found = measured(warehouse, [result(n, passed=n != 20) for n in range(1, 41)])
    row = found[f"{CONSUMPTION} correctness"]
    assert row["budget_left"] == pytest.approx(1 - 1 / 0.28)
    assert row["burn_rate"] == 0.0


def test_the_last_result_of_a_day_counts_and_every_check_has_to_pass(warehouse: str) -> None:
    later = {"evaluated_at": datetime(2026, 4, 1, 7)}
    results = [
        result(1, passed=False), result(1, **later),
        result(2), result(2, passed=False, **later),
        result(3), result(3, check_name="complete", passed=False),
        result(4), result(4, check_name="complete"),
    ]  # fmt: skip
    row = measured(warehouse, results)[f"{CONSUMPTION} correctness"]
    assert (row["days_good"], row["days_measured"]) == (2, 4)


def test_what_a_report_is_made_of_counts_too(warehouse: str) -> None:
    results = [
        result(1, checked_table="mart.fact_usage_daily", passed=False),
        result(2, checked_table="lake.raw_telemetry", kind="warnings", passed=False),
        result(3, checked_table="mart.dim_customer", checked_day=None, passed=False),
    ]
    found = measured(warehouse, results)
    active = "mart.report_active_customers_by_product_daily"
    judged = {
        name: (row["days_good"], row["days_measured"])
        for name, row in found.items()
        if row["days_measured"]
    }
    daily = [CONSUMPTION, active, *MADE_OF_CONSUMPTION]
    expected = [f"{name} {kind}" for name in daily for kind in ("correctness", "warnings")]
    # of tables without days by the day of the evaluation
    expected += [f"{RENEWALS} correctness", "mart.report_commitments correctness"]
    assert judged == dict.fromkeys(expected, (0, 1))


def test_what_has_no_days_is_judged_by_the_day_of_its_evaluation(warehouse: str) -> None:
    first = datetime(2026, 4, 1, 6)
    whole = {"checked_table": RENEWALS, "checked_day": None}
    results = [
        result(1, evaluated_at=first + timedelta(days=n), passed=n not in (3, 9), **whole)
        for n in range(10)
    ]
    mended = first + timedelta(days=9, hours=3)
    row = measured(warehouse, [*results, result(1, evaluated_at=mended, **whole)])[
        f"{RENEWALS} correctness"
    ]
    assert (row["days_good"], row["days_measured"]) == (9, 10)
    assert row["budget_left"] == pytest.approx(1 - 1 / 0.1)


def test_freshness_is_of_the_report_itself_and_of_its_deliveries(warehouse: str) -> None:
    fresh = {"check_name": "fresh", "checked_day": None, "kind": "freshness"}
    late = fresh | {"check_name": "late_telemetry", "checked_table": "lake.dumps"}
    next_day = {"evaluated_at": datetime(2026, 4, 2, 6)}
    results = [
        result(1, **fresh), result(1, **late), result(1, **fresh | next_day),
        result(1, passed=False, **late | next_day),
    ]  # fmt: skip
    found = measured(warehouse, results)
    assert found[f"{CONSUMPTION} freshness"]["days_good"] == 1
    assert found[f"{CONSUMPTION} freshness"]["days_measured"] == 2
    assert found[f"{RENEWALS} freshness"]["days_measured"] == 2


def test_there_is_an_objective_of_each_kind_for_each_report_measured_or_not(warehouse: str) -> None:
    found = measured(warehouse, [result(1)])
    assert found.keys() == {f"{spec.table} {spec.kind}" for spec in objective_specs()}
    assert len(found) == 3 * len(REPORTS)
    row = found[f"{RENEWALS} warnings"]
    assert (row["days_measured"], row["budget_left"], row["burn_rate"]) == (0, 1.0, 0.0)


def test_the_command_shows_them_the_most_missed_first(
    warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    measured(warehouse, [result(n, passed=n != 20) for n in range(1, 41)])
    ended = cli.run("slo", "--warehouse", warehouse)
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines() if "report_" in line]
    made_of_it = {name.removeprefix("mart.") for name in (CONSUMPTION, *MADE_OF_CONSUMPTION)}
    missed = lines[: len(made_of_it)]
    assert {line[-1] for line in missed} == made_of_it
    assert {tuple(line[:-1]) for line in missed} == {
        ("correctness", "99%", "27/28", "-257%", "0.0")
    }
    assert len(lines) == 3 * len(REPORTS)
    assert ["freshness", "99%", "0/0", "–", "–", "report_renewals"] in lines


def test_the_command_tells_that_nothing_was_measured(warehouse: str) -> None:
    ended = cli.run("slo", "--warehouse", warehouse)
    assert (ended.code, ended.out) == (1, "")
    assert "no objective was measured yet" in ended.err


def test_a_build_measures_them(lake: Path, tmp_path: Path) -> None:
    write_dump(lake, "telemetry", day(5), [usage()])
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    build(lake, url)
    rows = {row["objective_name"]: row for row in tables_of(url)["monitoring.objective"]}
    assert {row["kind"] for row in rows.values()} == {"correctness", "warnings", "freshness"}
    assert rows[f"{CONSUMPTION} correctness"]["days_good"] == 1
    results = tables_of(url)["monitoring.check_result"]
    (own,) = [row for row in results if row["checked_table"] == "monitoring.objective"]
    assert (own["check_name"], own["passed"]) == ("model", True)
    assert own["evaluated_at"].date() >= date(2026, 1, 1)
