"""The mart follows its lake by itself, in the processes in which it really runs."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from consumption_datamart.partitions import range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart_tests.compare import Tables, differing
from consumption_datamart_tests.dagster_dev import PROJECT, dagster_dev
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import tables_of
from consumption_datamart_tests.oracle import expected_tables

MANY = 2
"""Runs at once; nothing limits their number, and each has a process of its own."""
DONE = {"SUCCESS", "FAILURE", "CANCELED"}
ONE_REPORT_DAY = "SELECT used_30d FROM mart.report_consumption_daily WHERE day = ?"
ONE_RAW_DAY = "SELECT max(quantity) FROM lake.raw_telemetry WHERE dump_day = ?"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake of a few days."""
    lake = tmp_path / "lake"
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in (1, 2, 4):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    return lake


def read(path: Path, sql: str, *parameters: object) -> Any:
    """The first value that a query of the warehouse gives; None while it has not even the table."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            row = connection.execute(sql, parameters).fetchone()
            return row[0] if row else None
    except duckdb.Error:
        return None


def has(path: Path, expected: Tables) -> bool:
    """Whether the warehouse has what is expected."""
    try:
        tables = tables_of(f"duckdb://{path}")
    except duckdb.Error:
        return False
    return not differing(tables, expected)


def test_the_mart_follows_its_lake(lake: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    settings = {"lake": lake, "warehouse": f"duckdb://{path}", "start_day": day(-4)}
    with dagster_dev(tmp_path, **settings, refresh_minutes=1) as dagster:
        # nothing is switched on by hand, and the mart is there
        assert dagster.switched_on() == {
            "alerts",
            "automation",
            "monitor_every_morning",
            "observe_lake_at_first",
            "observe_lake_every_minute",
        }
        at_first = expected_tables(lake)
        dagster.wait(lambda: has(path, at_first), "the whole mart is there")
        dagster.wait(
            lambda: all(run["status"] in DONE for run in dagster.runs()), "all runs have ended"
        )
        first = {run["runId"] for run in dagster.runs()}

        # one dump is restated, another is written again as it was
        write_dump(lake, "telemetry", day(2), [usage(event_ts=noon(2), quantity=7.0)])
        same = lake / "telemetry" / f"{day(4)}.csv"
        same.write_bytes(same.read_bytes())
        dagster.wait(lambda: read(path, ONE_RAW_DAY, day(2)) == 7.0, "raw is fresh")
        restated = expected_tables(lake)
        dagster.wait(lambda: has(path, restated), "the reports are fresh")
        since = [run for run in dagster.runs() if run["runId"] not in first]
        assert {run["status"] for run in since} <= {"SUCCESS", "STARTED", "STARTING", "QUEUED"}
        assert days_of(since, "raw_telemetry") == {day(2)}

        # any number of runs at once, with no configuration: they wait for each other
        only = range_tags(Days(day(1), day(1)))
        many = {dagster.launch("mart/fact_usage_daily", only) for _ in range(MANY)}

        def ended() -> bool:
            return all(run["status"] in DONE for run in dagster.runs() if run["runId"] in many)

        dagster.wait(ended, "all of them have ended")
        ends = [run["status"] for run in dagster.runs() if run["runId"] in many]
        assert ends == ["SUCCESS"] * MANY
        assert has(path, restated)


def test_a_run_that_is_killed_before_it_has_done_anything_is_made_up_for(
    lake: Path, tmp_path: Path
) -> None:
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    settings = {"lake": lake, "warehouse": f"duckdb://{path}", "start_day": day(-4)}
    with dagster_dev(tmp_path, **settings) as dagster:

        def has_begun() -> bool:
            return any(
                run["status"] == "STARTED" and run["assetSelection"] for run in dagster.runs()
            )

        dagster.wait(has_begun, "the mart is being made", step=0.1)
        assert dagster.kill_runs()
        expected = expected_tables(lake)
        dagster.wait(lambda: has(path, expected), "the whole mart is there")
        assert {"FAILURE", "SUCCESS"} <= {run["status"] for run in dagster.runs()}


def days_of(runs: list[dict[str, Any]], table: str) -> set[date]:
    """The days of a table that runs were about."""
    days = set()
    for run in runs:
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        if any(key["path"][-1] == table for key in run["assetSelection"] or ()):
            both = [tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")]
            days |= {date.fromisoformat(each or tags["dagster/partition"]) for each in both}
    return days
