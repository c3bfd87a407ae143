"""Checks where they run: with each publication, which they stop or not, and in the daily job."""

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import ibis.expr.types as ir
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.assets.star.usage import fact_usage_daily
from consumption_datamart.checks import Inspection, checks_of_load, prune
from consumption_datamart.definitions import build_definitions
from consumption_datamart.factories import (
    MONITOR_JOB,
    TableSpec,
    mart_table_asset,
)
from consumption_datamart.lake.sources import Sources
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import DimCustomer
from consumption_datamart.schema.facts import FactUsageDaily
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.schema.monitoring import Publication
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.lakes import Row, day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    DUCKDB,
    Built,
    Mart,
    as_written,
    build,
    build_tables,
    catalog,
    load_table,
    settings,
    tables_of,
    without_monitoring,
)

Compute = Callable[[ir.Table], ir.Table]
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's history, for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def write_lake(lake: Path) -> None:
    """Three days."""
    write_dump(lake, "invoices", day(5), [invoice()])
    write_dump(lake, "entitlements", day(5), [entitlement()])
    for number in (5, 6, 7):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of that lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake, build_tables)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def right(usage_by_unit_daily: ir.Table) -> ir.Table:
    """The fact as it is to be."""
    return fact_usage_daily(usage_by_unit_daily)


def wrong_on(*days: date) -> Compute:
    """A fact that is twice the usage on some days: its model allows that."""

    def doubled(usage_by_unit_daily: ir.Table) -> ir.Table:
        fact = fact_usage_daily(usage_by_unit_daily)
        total = fact.day.isin(days).ifelse(fact.total_quantity * 2, fact.total_quantity)
        return fact.mutate(total_quantity=total)

    return doubled


def publish_usage(
    url: str, instance: dg.DagsterInstance, compute: Compute, first: date, last: date
) -> dg.ExecuteInProcessResult:
    """Run the asset of fact_usage_daily for some days."""
    spec = TableSpec(FactUsageDaily, compute)
    return dg.materialize(
        [mart_table_asset(spec, catalog(Settings(), spec))],
        resources={"warehouse": WarehouseResource(url=url)},
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": str(first),
            "dagster/asset_partition_range_end": str(last),
        },
        raise_on_error=False,
    )


def recorded(url: str, check: str, table: str = "mart.fact_usage_daily") -> list[Row]:
    """The results of a check, as they were written down."""
    rows = [
        row
        for row in tables_of(as_written(url))["monitoring.check_result"]
        if (row["check_name"], row["checked_table"]) == (check, table)
    ]
    return sorted(rows, key=lambda row: (row["evaluated_at"], str(row["checked_day"])))


def test_what_fails_a_blocking_check_is_not_published_but_written_down(
    mart: Mart, instance: dg.DagsterInstance
) -> None:
    before = tables_of(mart.url)
    result = publish_usage(mart.url, instance, wrong_on(day(6)), day(5), day(7))
    assert not result.success
    assert without_monitoring(tables_of(mart.url)) == without_monitoring(before)
    (failed,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert (failed.check_name, failed.severity, failed.blocking) == ("reconciles", ERROR, True)
    assert "reconciles on 2026-01-06: 0.5 where at most 1e-09 may be" in failed.description
    (failure,) = result.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data.description
    assert told.startswith("mart.fact_usage_daily: reconciles on 2026-01-06")
    assert told.endswith("nothing was published")
    rows = recorded(mart.url, "reconciles")
    assert [(row["checked_day"], row["passed"]) for row in rows] == [
        (day(5), True),
        (day(6), False),
        (day(7), True),
    ]
    assert rows[1] | {"evaluated_at": None} == {
        "evaluated_at": None,
        "checked_table": "mart.fact_usage_daily",
        "check_name": "reconciles",
        "checked_day": day(6),
        "kind": "correctness",
        "severity": "error",
        "passed": False,
        "measured": 0.5,
        "threshold": 1e-9,
        "rows_concerned": 0,
    }


def test_an_audit_that_fails_is_written_down(mart: Mart, instance: dg.DagsterInstance) -> None:
    def without_events(usage_by_unit_daily: ir.Table) -> ir.Table:
        return right(usage_by_unit_daily).mutate(event_count=0)

    broken = publish_usage(mart.url, instance, without_events, day(6), day(6))
    assert not broken.success
    assert [(row["checked_day"], row["passed"]) for row in recorded(mart.url, "model")] == [
        (day(6), False)
    ]


def told(result: dg.ExecuteInProcessResult, check: str) -> list[tuple[str | None, bool]]:
    """Partition and verdict of each evaluation of a check in a run, in order."""
    return [
        (each.partition, each.passed)
        for each in result.get_asset_check_evaluations()
        if each.check_name == check
    ]


@DUCKDB
def test_results_are_told_by_partition_where_a_day_is_alone_fails_or_is_mended(
    mart: Mart, instance: dg.DagsterInstance
) -> None:
    one = publish_usage(mart.url, instance, right, day(6), day(6))
    assert told(one, "reconciles") == [("2026-01-06", True), (None, True)]
    several = publish_usage(mart.url, instance, right, day(5), day(7))
    assert told(several, "reconciles") == [(None, True)]
    (check,) = [
        each for each in several.get_asset_check_evaluations() if each.check_name == "reconciles"
    ]
    figures = {name: value.value for name, value in check.metadata.items()}
    assert figures == {
        "days": 3, "days failing": 0, "measured": 0.0, "rows concerned": 0, "threshold": 1e-9,
    }  # fmt: skip
    publish_usage(mart.url, instance, wrong_on(day(6)), day(5), day(7))
    mended = publish_usage(mart.url, instance, right, day(5), day(7))
    assert told(mended, "reconciles") == [("2026-01-06", True), (None, True)]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [dg.AssetCheckKey(dg.AssetKey(["mart", "fact_usage_daily"]), "reconciles")]
    )
    assert [record.status.value for record in latest.values()] == ["SUCCEEDED"]


def run(job: str, url: str, instance: dg.DagsterInstance, **own: object) -> dg.JobExecutionResult:
    """A job of the code location that needs no partitions."""
    definitions = build_definitions(warehouse=url, start_day=date(2026, 1, 1), **own)
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, raise_on_error=False
    )


@DUCKDB
def test_what_is_suspicious_is_published_with_a_warning(
    lake: Path, warehouse: str, instance: dg.DagsterInstance
) -> None:
    write_lake(lake)
    odd = [usage(event_ts=noon(8)), usage(event_ts=noon(8), event_id="2", quantity=-1.0)]
    write_dump(lake, "telemetry", day(8), odd)
    build(lake, warehouse, day(8), day(8))
    assert len(tables_of(warehouse)["lake.raw_telemetry"]) == 1
    rows = recorded(warehouse, "quarantined_share", "lake.quarantine_telemetry")
    (failed,) = [row for row in rows if not row["passed"]]
    assert (failed["checked_day"], failed["measured"]) == (day(8), 0.5)
    assert (failed["severity"], failed["rows_concerned"]) == ("warn", 1)
    checks = run(MONITOR_JOB, warehouse, instance).get_asset_check_evaluations()
    failing = [check for check in checks if not check.passed]
    assert [(check.check_name, check.partition) for check in failing] == [
        ("quarantined_share", "2026-01-08"),
        ("quarantined_share", None),
    ]
    assert all(check.severity == WARN for check in failing)


def spoil(url: str, sql: str) -> None:
    """Do to a stored table what no publication would."""
    warehouse = open_warehouse(url)
    with warehouse.transaction() as transaction:
        table = sql.replace("FACT", warehouse.qualified(FactUsageDaily))
        transaction.backend.raw_sql(table.replace("CUSTOMER", warehouse.qualified(DimCustomer)))


def test_the_monitoring_job_finds_what_is_wrong_with_what_is_stored_and_builds_nothing(
    mart: Mart, instance: dg.DagsterInstance
) -> None:
    assert run(MONITOR_JOB, mart.url, instance).success
    before = without_monitoring(tables_of(mart.url))
    spoil(mart.url, f"UPDATE FACT SET total_quantity = 9 WHERE day = '{day(6)}'")
    spoil(mart.url, "DELETE FROM CUSTOMER")
    done = run(MONITOR_JOB, mart.url, instance)
    assert done.success
    failing = {
        (check.asset_key.path[-1], check.check_name, check.partition)
        for check in done.get_asset_check_evaluations()
        if not check.passed
    }
    days = {None, *(str(day(number)) for number in (5, 6, 7))}
    assert failing == {
        ("fact_usage_daily", "reconciles", None),
        ("fact_usage_daily", "reconciles", "2026-01-06"),
        ("dim_customer", "has_every_member", None),
        ("fact_invoice_line", "customer_key_in_dim_customer", None),
        ("fact_invoice_line", "customer_id_in_dim_customer", None),
        *(
            (fact, "customer_id_in_dim_customer", on)
            for fact in ("fact_usage_daily", "fact_entitlement_daily", "fact_consumption_daily")
            for on in days
        ),
    }
    assert before["mart.dim_product"] == tables_of(mart.url)["mart.dim_product"]
    (made,) = done.asset_materializations_for_node("check_result")
    assert made.metadata["failing"].value == 1 + 1 + 2 + 3 * 3
    assert "reconciles on 2026-01-06" in made.metadata["what fails"].value


@DUCKDB
def test_what_awaits_its_refresh_is_not_judged(mart: Mart, instance: dg.DagsterInstance) -> None:
    spoil(mart.url, f"UPDATE FACT SET total_quantity = 9 WHERE day = '{day(6)}'")
    target = open_warehouse(mart.url)
    with target.transaction() as transaction:
        transaction.backend.raw_sql(
            f"UPDATE {target.qualified(Publication)} SET version = 999999, changed_version = 999999"
            f" WHERE published_table = 'mart.usage_by_unit_daily' AND published_day = '{day(6)}'"
        )
    checks = run(MONITOR_JOB, mart.url, instance).get_asset_check_evaluations()
    assert all(check.passed for check in checks)


def test_what_later_results_have_replaced_is_forgotten_in_the_end(
    lake: Path, warehouse: str
) -> None:
    write_lake(lake)
    target, checks = (
        open_warehouse(warehouse),
        checks_of_load(Telemetry, Sources().of(Telemetry), Settings()),
    )
    for _ in range(2):
        load_table(target, Telemetry, lake, Days(day(5), day(7)), inspect=Inspection(checks))
    target.release()
    counts = {}
    for name in ("check_result", "figure"):
        rows = tables_of(warehouse)[f"monitoring.{name}"]
        counts[name] = len(rows)
        assert len(rows) % 2 == 0
    for before, kept in [(date(2026, 1, 1), 1.0), (date(2999, 1, 1), 0.5)]:
        with target.transaction() as transaction:
            prune(transaction, before)
        tables = tables_of(as_written(warehouse))
        for name, count in counts.items():
            assert len(tables[f"monitoring.{name}"]) == count * kept


@DUCKDB
def test_a_mart_that_is_not_built_is_monitored_in_peace(
    warehouse: str, instance: dg.DagsterInstance
) -> None:
    done = run(MONITOR_JOB, warehouse, instance)
    assert done.success
    (own,) = done.get_asset_check_evaluations()
    assert (own.asset_key.path[-1], own.passed) == ("objective", True)


def test_every_check_of_a_table_is_evaluated_before_it_is_published() -> None:
    known = catalog(Settings(), *STAR, *REPORTS)
    for spec in known.specs:
        checks = known.checks(spec)
        up_to_date = {spec.model.table_name(), *spec.reads(), *spec.after}
        read = {model.table_name() for check in checks for model in check.reads.values()}
        assert read <= up_to_date, "what is read is published at another time"
        references = [check for check in checks if "_in_dim_" in check.name]
        assert all(check.is_blocking for check in references if "dim_day" not in check.name)


@DUCKDB
def test_reports_are_fresh_or_late_as_dagster_says_and_that_is_written_down(
    warehouse: str, instance: dg.DagsterInstance
) -> None:
    states = {"report_renewals": FreshnessState.FAIL, "report_consumption_daily": "PASS"}
    for name, state in states.items():
        change = FreshnessStateChange(
            key=dg.AssetKey(["mart", name]),
            new_state=FreshnessState(state),
            previous_state=FreshnessState.UNKNOWN,
            state_change_timestamp=time.time(),
        )
        instance._report_runless_asset_event(asset_event=change)
    done = run(MONITOR_JOB, warehouse, instance)
    told = {
        (check.asset_key.path[-1], check.check_name): check.passed
        for check in done.get_asset_check_evaluations()
        if check.asset_key.path[0] == "mart"
    }
    assert told == {
        ("report_renewals", "fresh"): False,
        ("report_consumption_daily", "fresh"): True,
    }
    (row,) = recorded(warehouse, "fresh", "mart.report_renewals")
    assert (row["passed"], row["kind"], row["checked_day"]) == (False, "freshness", None)
    alone = build_definitions(warehouse=warehouse).resolve_implicit_global_asset_job_def()
    checks = [
        dg.AssetCheckKey(dg.AssetKey(["mart", f"report_{name}"]), "fresh")
        for name in ("renewals", "consumption_daily", "active_customers_by_product_daily")
    ]
    found = alone.get_subset(asset_selection=set(), asset_check_selection=set(checks))
    evaluated = found.execute_in_process(instance=instance).get_asset_check_evaluations()
    assert {(each.asset_key.path[-1], each.passed) for each in evaluated} == {
        ("report_renewals", False),
        ("report_consumption_daily", True),
        ("report_active_customers_by_product_daily", True),
    }


def test_the_job_runs_every_morning_by_itself() -> None:
    definitions = build_definitions()
    (schedule,) = [
        each for each in definitions.schedules or () if each.name == "monitor_every_morning"
    ]
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "UTC")
    assert schedule.job_name == MONITOR_JOB
    assert settings(Path(), "x").monitored_days == 28
