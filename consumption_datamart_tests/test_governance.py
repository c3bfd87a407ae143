"""The commands assets …: what there is, whose it is, and whether it is well."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.errors import DatamartError
from consumption_datamart.governance import Asset, CheckState, Evidence, Made
from consumption_datamart.governance.health import STATES, Health, healths
from consumption_datamart.governance.of_dagster import made_of, read_instance
from consumption_datamart.governance.view import defined
from consumption_datamart.schema.dimensions import DimProduct
from consumption_datamart.schema.monitoring import Publication, TableVersion
from consumption_datamart.schema.versions import version_of
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart.warehouse.duckdb import DuckDBWarehouse
from consumption_datamart.warehouse.versions import read_versions
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import Mart, copy_mart, written_by_another

NOW = datetime(2026, 1, 9, 12)


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """Three days, of one of which the dump cannot be read."""
    found = Mart.of(tmp_path_factory.mktemp("governance"), "duckdb")
    write_dump(found.lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(found.lake, "entitlements", day(1), [entitlement()])
    for number in (1, 2):
        write_dump(found.lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    (found.lake / "telemetry" / f"{day(3)}.csv").write_text("event_id\n")
    assert cli.run("build", "--lake", found.lake, "--warehouse", found.url).code == 1
    return found


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen on which nothing is broken."""
    monkeypatch.setenv("COLUMNS", "250")


def run(mart: Mart, *arguments: object) -> cli.Ended:
    """Run a command on the mart."""
    return cli.run("assets", *arguments, "--lake", mart.lake, "--warehouse", mart.url)


def found(mart: Mart, *arguments: object) -> list[dict[str, object]]:
    """What a command says to a program."""
    rows: list[dict[str, object]] = json.loads(run(mart, *arguments, "--format", "json").out)
    return rows


def test_assets_are_selected_as_dagster_selects(mart: Mart) -> None:
    rows = found(mart, "list", "--select", 'group:reports and owner:"team:data"')
    assert len(rows) == 7
    assert {row["group"] for row in rows} == {"reports"}
    upstream = found(mart, "list", "--select", '1+key:"mart/report_portfolio_daily"')
    assert {row["key"] for row in upstream} == {
        "mart/report_portfolio_daily",
        "mart/report_consumption_daily",
    }
    for wrong, told in (("group:andd x", "no selection"), ("group:none", "no asset is so")):
        ended = run(mart, "list", "--select", wrong)
        assert ended.code == 1
        assert told in ended.err


def test_health_names_what_fails_and_what_is_made_of_it(mart: Mart) -> None:
    ended = run(mart, "health", "--format", "csv")
    assert ended.code == 1
    assert "DAGSTER_HOME is not set" in ended.err
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(ended.out))}
    assert rows["lake/raw_telemetry"]["state"] == "failing"
    assert rows["lake/raw_telemetry"]["why"] == "the last refresh of 2026-01-03 has failed"
    assert rows["mart/report_renewals"]["state"] == "degraded"
    assert (
        "lake/raw_telemetry, which it is made of, is failing"
        in (rows["mart/report_renewals"]["why"])
    )
    assert rows["lake/raw_invoices"]["state"] == "healthy"
    assert rows["lake/invoices"]["state"] == "healthy"
    assert rows["lake/accounts"]["state"] == "unknown"
    assert run(mart, "health", "--select", 'owner:"team:accounting"').code == 0


def test_what_has_failed_is_told_though_it_is_not_released(mart: Mart, tmp_path: Path) -> None:
    own = copy_mart(mart.lake.parent, tmp_path, "duckdb")
    file = own.lake / "telemetry" / f"{day(2)}.csv"
    rows = file.read_text()
    file.write_text(rows.replace("customer_id", "customer_no"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DuckDBWarehouse, "release", lambda *_, **__: None)
        assert cli.run("build", "--lake", own.lake, "--warehouse", own.url).code == 1
    failing = ["health", "--select", 'key:"lake/raw_telemetry"', "--format", "json"]
    (row,) = json.loads(run(own, *failing).out)
    assert row["why"] == "the last refresh of 2026-01-02 … 2026-01-03 has failed"
    with written_by_another(tmp_path / "warehouse.working.duckdb"):
        ended = run(own, *failing)
    (row,) = json.loads(ended.out)
    assert row["why"] == "the last refresh of 2026-01-03 has failed"
    assert "what has failed since is not known" in ended.err


@pytest.mark.usefixtures("wide")
def test_one_asset_is_shown_with_all_that_is_known(mart: Mart) -> None:
    told = run(mart, "show", "report_renewals").out
    for part in (
        "mart/report_renewals",
        "team:data",
        "decimal(36, 8)",
        "[the product's unit]",
        "within 26 hours",
        "lake/raw_telemetry, which it is made of, is failing",
        "warnings_share",
        "mart/report_consumption_daily",
    ):
        assert part in told
    ended = run(mart, "show", "report_renewal")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "Error: asset 'report_renewal': there is none; did you mean mart/report_renewals?\n"
    )


def test_columns_are_traced_to_where_they_come_from(mart: Mart) -> None:
    ended = run(mart, "lineage", "report_renewals", "--depth", 1, "--format", "json")
    told = json.loads(ended.out)
    assert "mart/dim_product" in told["upstream"]
    assert told["columns"]["days_left"] == [
        {"key": "mart/dim_entitlement", "column": "ceases_on"},
        {"key": "mart/reporting_day", "column": "day"},
    ]
    raw = json.loads(run(mart, "lineage", "raw_invoices", "--format", "json").out)
    assert raw["columns"]["currency"] == [{"key": "lake/invoices", "column": "currency"}]


def test_owners_and_counts_add_up(mart: Mart) -> None:
    owners = found(mart, "owners")
    assert all(row["assets"] == sum(row[state] for state in STATES) for row in owners)
    counts = found(mart, "inventory")
    assert {row["by"] for row in counts} == {"group", "kind", "owner", "grain"}
    assert sum(row["assets"] for row in counts if row["by"] == "group") == 51
    assert sum(row["assets"] for row in owners) == 51


def test_history_tells_rows_and_seconds(mart: Mart) -> None:
    told = json.loads(run(mart, "history", "raw_telemetry", "--format", "json").out)
    assert sum(row["rows"] for row in told["made"]) == 2
    assert told["trend"]["rows"] == "too few materializations for a trend"


def test_where_nothing_is_built_nothing_is_known(mart: Mart, tmp_path: Path) -> None:
    ended = cli.run(
        "assets", "health", "--lake", mart.lake, "--warehouse", f"duckdb://{tmp_path}/m.duckdb"
    )
    assert ended.code == 1
    assert "is not built; run consumption-datamart build" in ended.err
    assert "51 unknown" in ended.out


@pytest.fixture(scope="module")
def changed(mart: Mart, tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """The mart, in which `dim_product` is said to have lost a column and got another."""
    folder = tmp_path_factory.mktemp("changed")
    found = copy_mart(mart.lake.parent, folder, "duckdb")
    warehouse = open_warehouse(found.url)
    rows = warehouse.fetch(warehouse.table(TableVersion))
    rows = rows[(rows.versioned_table == "mart.dim_product")].assign(table_version=2)
    rows.loc[rows.column_name == "silence_unknown", "column_name"] = "is_silent"
    with warehouse.transaction() as transaction:
        transaction.load(TableVersion, transaction.stage(rows))
    Path(found.url.removeprefix("duckdb://")).unlink()  # a release is of what is published
    warehouse.release()
    return found


def test_each_table_begins_with_a_version(mart: Mart) -> None:
    warehouse = open_warehouse(mart.url)
    versions = read_versions(warehouse)
    published = warehouse.fetch(warehouse.table(Publication)).published_table
    assert versions.keys() >= set(published)
    assert {each.number for found in versions.values() for each in found} == {1}
    last = read_versions(warehouse, "mart.dim_product")["mart.dim_product"][-1].version
    assert last == version_of(DimProduct)


@pytest.mark.usefixtures("wide")
def test_versions_of_columns_are_shown_and_whom_a_change_breaks(changed: Mart) -> None:
    told = run(changed, "show", "dim_product").out
    assert "version 2 since" in told
    assert "column is_silent added (boolean) (compatible)" in told
    shown = json.loads(run(changed, "show", "dim_product", "--format", "json").out)
    assert [each["version"] for each in shown["versions"]] == [1, 2]
    rows = list(
        csv.DictReader(
            io.StringIO(run(changed, "history", "dim_product", "--versions", "--format", "csv").out)
        )
    )
    assert [(row["version"], row["column"], row["what"], row["class"]) for row in rows] == [
        ("1", "", "first seen", ""),
        ("2", "is_silent", "added", "compatible"),
        ("2", "silence_unknown", "removed", "breaking"),
    ]
    readers = {each.split(" ")[0] for each in rows[2]["read_by"].split("; ")}
    assert "mart/report_consumption_daily" in readers, "it is read to find the band"
    assert "mart/report_renewals" not in readers, "it reads the names of products only"
    versions = json.loads(
        run(changed, "history", "dim_product", "--versions", "--format", "json").out
    )
    removed = versions["versions"][1]["changes"][1]
    assert removed["is_breaking"]
    assert {each["key"] for each in removed["read_by"]} == readers
    assert all(each["is_known"] for each in removed["read_by"])


def test_what_is_no_table_of_the_mart_has_no_versions(mart: Mart) -> None:
    told = json.loads(run(mart, "history", "lake/invoices", "--versions", "--format", "json").out)
    assert told == {"key": "lake/invoices", "versions": []}


ASSET = Asset(
    "a", "g", "", (), (), {}, (), (), (), None, timedelta(hours=26), "whole", ("c",), "m.a", False
)
MADE = Evidence([Made(NOW - timedelta(hours=1), 10, 1)])


def check(*, passed: bool | None, is_blocking: bool) -> dict[str, CheckState]:
    """A check that said this."""
    return {"c": CheckState("c", passed, is_blocking, "" if passed else "c is wrong")}


@pytest.mark.parametrize(
    ("evidence", "health"),
    [
        (MADE, Health("healthy")),
        (Evidence(), Health("unknown", ("never made, as far as is known",))),
        (replace(MADE, failure="it broke"), Health("failing", ("it broke",))),
        (
            replace(MADE, checks=check(passed=False, is_blocking=True)),
            Health("failing", ("check c is wrong",)),
        ),
        (
            replace(MADE, checks=check(passed=False, is_blocking=False)),
            Health("degraded", ("check c is wrong",)),
        ),
        (replace(MADE, checks=check(passed=True, is_blocking=True)), Health("healthy")),
        (replace(MADE, odd=("too few rows",)), Health("degraded", ("too few rows",))),
        (
            Evidence([Made(NOW - timedelta(hours=30))]),
            Health("degraded", ("it is late: made 30 hours ago, where 26 hours are allowed",)),
        ),
    ],
)
def test_an_asset_is_as_what_is_known_of_it(evidence: Evidence, health: Health) -> None:
    assert healths({"a": ASSET}, {"a": evidence}, NOW) == {"a": health}


@pytest.mark.parametrize(("hours", "state"), [(2, "healthy"), (0, "failing")])
def test_a_build_mends_what_a_run_of_dagster_has_failed_before(hours: int, state: str) -> None:
    failed_at = NOW - timedelta(hours=hours)
    of_dagster = Evidence(failure="run 1 has failed", failed_at=failed_at)
    known = MADE.and_of(of_dagster)
    assert healths({"a": ASSET}, {"a": known}, NOW)["a"].state == state


def test_a_deadline_by_the_clock_is_missed_when_dagster_says_so() -> None:
    policy = dg.FreshnessPolicy.cron("0 6 * * *", timedelta(hours=2))
    (asset,) = defined(
        dg.Definitions(assets=[dg.AssetSpec("a", freshness_policy=policy)])
    ).all.values()
    late = healths({"a": asset}, {"a": replace(MADE, freshness="FAIL")}, NOW)["a"]
    assert late.why == ("it is late: it was not made by the time that its freshness policy names",)
    assert (
        healths({"a": asset}, {"a": replace(MADE, freshness="PASS")}, NOW)["a"].state == "healthy"
    )


def test_what_fails_reaches_all_that_is_made_of_it_and_no_more() -> None:
    chain = {
        key: replace(ASSET, key=key, upstream=up, fresh_within=None)
        for key, up in {"a": (), "b": ("a",), "c": ("b",), "other": ()}.items()
    }
    known = dict.fromkeys(chain, MADE)
    assert {h.state for h in healths(chain, known, NOW).values()} == {"healthy"}
    found = healths(chain, known | {"a": replace(MADE, failure="it broke")}, NOW)
    assert found["c"] == Health("degraded", ("a, which it is made of, is failing",))
    assert found["other"].state == "healthy"
    odd = healths(chain, known | {"a": replace(MADE, odd=("few rows",))}, NOW)
    assert odd["b"].state == "healthy"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that keeps a record."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def test_an_instance_tells_of_assets_that_are_no_tables(instance: dg.DagsterInstance) -> None:
    state = {"is_broken": False}

    @dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="own")])
    def own() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        if state["is_broken"]:
            raise ValueError("broken")
        yield dg.MaterializeResult(metadata={"dagster/row_count": 7, "seconds": 0.5})
        yield dg.AssetCheckResult(check_name="sound", passed=False, description="not sound")

    view = defined(dg.Definitions(assets=[own]))
    job = dg.Definitions(assets=[own]).resolve_implicit_global_asset_job_def()
    assert read_instance(instance, view.all)["own"].last is None
    for is_broken in (False, True, False):
        state["is_broken"] = is_broken
        job.execute_in_process(instance=instance, raise_on_error=False)
        known = read_instance(instance, view.all)["own"]
        assert (known.failure is not None) == is_broken
        assert known.last is not None
        assert (known.last.rows, known.last.seconds) == (7, 0.5)
        assert is_broken or known.checks["sound"].told == "not sound"
        health = healths(view.all, {"own": known}, NOW)["own"]
        assert health.state == "failing"
    assert [each.rows for each in made_of(instance, "own", 5)] == [7, 7]


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")  # of backfill_policy
def test_a_run_counts_whole_however_many_partitions_it_made(instance: dg.DagsterInstance) -> None:
    days = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-26")
    policy = dg.BackfillPolicy.single_run()

    @dg.asset(partitions_def=days, backfill_policy=policy)
    def own() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"dagster/partition_row_count": 10})

    job = dg.Definitions(assets=[own]).resolve_implicit_global_asset_job_def()
    keys = days.get_partition_keys()
    tags = {
        "dagster/asset_partition_range_start": keys[0],
        "dagster/asset_partition_range_end": keys[-1],
    }
    for _ in range(2):
        job.execute_in_process(instance=instance, tags=tags)
    (last,) = made_of(instance, "own", 1)
    assert (last.rows, last.days) == (250, 25)


def test_a_last_part_names_an_asset_where_it_is_the_only_one() -> None:
    specs = [dg.AssetSpec(["x", "one"]), dg.AssetSpec(["y", "one"]), dg.AssetSpec(["y", "two"])]
    view = defined(dg.Definitions(assets=specs))
    assert view.require("two").key == "y/two"
    with pytest.raises(DatamartError, match="several are called so: x/one, y/one"):
        view.require("one")
