"""What Dagster shows of a build: figures, samples, lineage and checks."""

import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import ibis.expr.types as ir
import pytest

from consumption_datamart.assets.star.usage import fact_usage_daily
from consumption_datamart.definitions import build_definitions, models
from consumption_datamart.factories import TableSpec, mart_table_asset
from consumption_datamart.partitions import range_tags
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.facts import FactConsumptionDaily, FactUsageDaily
from consumption_datamart.schema.grain import Grain
from consumption_datamart.settings import Settings
from consumption_datamart.simulation import simulate
from consumption_datamart_tests.lakes import day, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    MODELS,
    Tables,
    build_tables,
    catalog,
    tables_of,
    without_monitoring,
)

PROJECT = Path(__file__).parent.parent
FIRST, LAST = date(2026, 3, 27), date(2026, 3, 31)


class Built(NamedTuple):
    """What a build left in Dagster's instance and in the warehouse."""

    result: dg.ExecuteInProcessResult
    tables: Tables

    def metadata(self, table: str) -> dict[str | None, dict[str, object]]:
        """What is recorded of a table, by partition; by None for a table without days."""
        found: dict[str | None, dict[str, object]] = {}
        for event in self.result.all_events:
            if event.is_step_materialization and event.asset_key.path[-1] == table:
                made = event.step_materialization_data.materialization
                values = {name: value.value for name, value in made.metadata.items()}
                found.setdefault(made.partition, {}).update(values)
        return found


def run(lake: Path, url: str, first: date, last: date) -> dg.ExecuteInProcessResult:
    """The build job, for a range of days, as the UI would launch it."""
    definitions = build_definitions(
        lake=str(lake), warehouse=url, start_day=date(2026, 1, 1), load_attempts=1
    )
    tags = range_tags(Days(first, last))
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("build")
        return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A small dirty lake, built."""
    folder = tmp_path_factory.mktemp("dagster")
    size = {"days": 5, "customers": 12, "products": 4, "rows_per_day": 60}
    simulate(folder / "lake", **size, end=LAST, dirt=0.15, format="csv")
    odd = usage(event_id="odd", event_ts="2026-03-31T00:00:00")
    part = {"part": "part-0", "extra": {"region": "eu", "note": "x"}}
    write_dump(folder / "lake", "telemetry", LAST, [odd], **part)
    url = f"duckdb://{folder}/warehouse.duckdb"
    result = run(folder / "lake", url, FIRST, LAST)
    assert result.success
    return Built(result, tables_of(url))


DAILY = {name for name, model in MODELS.items() if model.grain() is Grain.DAY}


@pytest.mark.parametrize("name", [model.full_name() for model in models().values()])
def test_rows_and_warnings_are_recorded_in_total_and_by_code(name: str, built: Built) -> None:
    model = MODELS[name]
    metadata = built.metadata(model.table_name())
    days = [day.isoformat() for day in (date(2026, 3, number) for number in range(27, 32))]
    assert list(metadata) == (days if name in DAILY else [None])
    for partition, figures in metadata.items():
        rows = [
            row
            for row in built.tables[name]
            if partition is None or str(row[model.day_column()]) == partition
        ]
        is_whole = model.grain() is Grain.NONE
        count = figures["dagster/row_count" if is_whole else "dagster/partition_row_count"]
        assert count == len(rows)
        assert figures["seconds"] > 0
        if codes := model.warning_codes():
            found = Counter(
                code for row in rows for code in row["meta__warnings"].split(";") if code
            )
            recorded = {code: figures[f"warnings {code}"] for code in codes}
            assert recorded == {code: found[code] for code in codes}
            assert figures["warnings"] == sum(bool(row["meta__warnings"]) for row in rows)


@pytest.mark.parametrize("table", ["invoices", "entitlements", "telemetry"])
def test_no_row_goes_unaccounted_for(table: str, built: Built) -> None:
    day_of = MODELS[f"lake.raw_{table}"].day_column()
    for partition, figures in built.metadata(f"raw_{table}").items():
        files, quarantine = (
            [
                row
                for row in built.tables[f"lake.{kind}_{table}"]
                if partition is None or str(row[day_of]) == partition
            ]
            for kind in ("files", "quarantine")
        )
        assert figures["rows read"] == sum(row["rows_read"] for row in files) > 0
        assert figures["rows read"] == (
            figures["kept"] + figures["quarantined"] + figures["superseded"]
        )
        assert figures["quarantined"] == len(quarantine)
        reasons = Counter(row["reason"] for row in quarantine)
        recorded = built.metadata(f"quarantine_{table}")[partition]
        assert {name: recorded[name] for name in reasons} == reasons


def test_unexpected_columns_are_told(built: Built) -> None:
    told = built.metadata("raw_telemetry")[str(LAST)] | built.metadata("raw_telemetry").get(
        None, {}
    )
    assert told["unexpected_columns"] == {"telemetry/2026-03-31/part-0.csv": "note, region"}
    assert all(
        "unexpected_columns" not in figures for figures in built.metadata("raw_invoices").values()
    )


def test_samples_are_shown_as_tables(built: Built) -> None:
    figures = built.metadata("raw_telemetry")[str(LAST)]
    assert figures["sample"].startswith("| event_id ")
    assert len(figures["sample"].splitlines()) == 2 + 5
    flagged = figures["sample of warnings"].splitlines()
    assert all("unusual_quantity" in row or "invalid_customer_id" in row for row in flagged[2:])
    assert len(flagged) > 2


def lineage(built: Built, table: str) -> dict[str, set[str]]:
    """The columns that each column is made of, as `table.column`."""
    for figures in built.metadata(table).values():
        if "dagster/column_lineage" in figures:
            columns = figures["dagster/column_lineage"].deps_by_column
            return {
                name: {f"{dep.asset_key.path[-1]}.{dep.column_name}" for dep in deps}
                for name, deps in columns.items()
            }
    return {}


@pytest.mark.parametrize(
    ("table", "column", "sources"),
    [
        ("raw_telemetry", "quantity", {"telemetry.quantity"}),
        ("usage_by_unit_daily", "total_quantity", {"raw_telemetry.quantity"}),
        ("fact_usage_daily", "total_quantity", {"usage_by_unit_daily.total_quantity"}),
        ("usage_by_unit_daily", "day", {"raw_telemetry.dump_day"}),
        (
            "fact_consumption_daily",
            "used_quantity",
            {
                "dim_product.metering",
                "fact_usage_daily.peak_quantity",
                "fact_usage_daily.total_quantity",
            },
        ),
        ("report_consumption_daily", "used_30d", {"fact_consumption_daily.used_quantity"}),
        ("report_consumption_daily", "product_name", {"dim_product.product_name"}),
        (
            "fact_invoice_line",
            "amount",
            {"raw_invoices.quantity", "raw_invoices.unit_price"},
        ),
        (
            "entitlement_value",
            "annual_value",
            {"fact_invoice_line.amount", "fact_invoice_line.term_months"},
        ),
        ("report_renewals", "annual_value", {"entitlement_value.annual_value"}),
        ("report_commitments", "used_to_date", {"fact_consumption_daily.used_quantity"}),
    ],
)
def test_columns_go_back_to_what_they_are_made_of(
    table: str, column: str, sources: set[str], built: Built
) -> None:
    assert sources <= lineage(built, table)[column]


def test_every_figure_of_a_report_goes_back_to_the_lake(built: Built) -> None:
    def origins(column: str) -> set[str]:
        table, name = column.split(".")
        if table in ("telemetry", "entitlements", "invoices"):
            return {column}
        return set().union(*(origins(each) for each in lineage(built, table).get(name, ())))

    assert "telemetry.quantity" in origins("report_consumption_daily.used_30d")
    assert "entitlements.quantity" in origins("report_consumption_daily.entitled_30d")
    assert "invoices.customer_name" in origins("report_consumption_daily.customer_name")
    assert "invoices.unit_price" in origins("report_renewals.annual_value")


def test_each_table_was_checked_and_the_check_blocks(built: Built) -> None:
    evaluated = built.result.get_asset_check_evaluations()
    checks = [check for check in evaluated if check.check_name == "model"]
    assert sorted(str(check.asset_key.path[-1]) for check in checks) == sorted(
        [*models(), "objective"]
    )
    assert all(check.passed for check in checks)
    graph = build_definitions().resolve_asset_graph()
    assert all(graph.get(check.asset_check_key).blocking for check in checks)


def broken(usage_by_unit_daily: ir.Table) -> ir.Table:
    """Usage of a day that breaks the model."""
    return fact_usage_daily(usage_by_unit_daily).mutate(event_count=0)


def never(fact_usage_daily: ir.Table) -> ir.Table:
    """Made of what is broken."""
    raise AssertionError(f"{fact_usage_daily} must not be read")


def test_a_failing_audit_is_a_failed_check_and_stops_what_is_behind_it(
    lake: Path, warehouse: str
) -> None:
    write_dump(lake, "telemetry", day(5), [usage(event_ts=noon(5))])
    specs = [TableSpec(FactUsageDaily, broken), TableSpec(FactConsumptionDaily, never)]
    build_tables(lake, warehouse, [spec.model.full_name() for spec in specs])
    before = tables_of(warehouse)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [mart_table_asset(spec, catalog(Settings(), *specs)) for spec in specs],
            resources={"warehouse": WarehouseResource(url=warehouse)},
            partition_key=str(day(5)),
            instance=instance,
            raise_on_error=False,
        )
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert "1 rows break 'event_count" in check.description
    (failure,) = result.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data.description
    assert told.startswith("mart.fact_usage_daily: 1 rows break 'event_count")
    assert without_monitoring(tables_of(warehouse)) == without_monitoring(before)


def test_a_failure_says_no_more_than_a_user_needs(lake: Path, warehouse: str) -> None:
    write_dump(lake, "telemetry", day(5), [usage()], columns=["event_id"])
    result = run(lake, warehouse, day(5), day(5))
    (failure,) = result.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data.description
    assert told.startswith("telemetry/2026-01-05.csv: required column 'event_ts' is missing")


def test_dagster_can_load_the_code_location(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "definitions", "validate"],
        cwd=PROJECT,
        env={"PATH": "", "DAGSTER_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_ten_years_of_days_resolve_quickly() -> None:
    begun = time.monotonic()
    definitions = build_definitions(start_day=date(2016, 1, 1), through=date(2026, 12, 31))
    graph = definitions.resolve_asset_graph()
    report = graph.get(dg.AssetKey(["mart", "report_consumption_daily"]))
    partitions = report.partitions_def
    keys = partitions.get_partition_keys()
    assert (keys[0], keys[-1]) == ("2016-01-01", "2026-12-31")
    mapping = report.partition_mappings[dg.AssetKey(["mart", "fact_consumption_daily"])]
    every_day = partitions.subset_with_partition_keys(keys)
    upstream = mapping.get_upstream_mapped_partitions_result_for_partitions(
        every_day, partitions, partitions
    )
    assert len(upstream.partitions_subset) == len(keys)
    assert time.monotonic() - begun < 10
