"""The example projects of `examples/dbt`, built by dbt on a mart; slow, as dbt is."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart_tests import cli, postgres_server
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import SLOW
from consumption_datamart_tests.ticks import Automation

pytestmark = [
    SLOW,
    pytest.mark.filterwarnings("ignore"),  # dbt's own, of many kinds
]
EXAMPLES = Path(__file__).parent.parent / "examples" / "dbt"
ALL = {"last_day", "customer_summary", "product_summary", "order_summary", "revenue_at_risk"}
SUMMARY = "SELECT customer_name, products, mean_consumption FROM product_analytics.customer_summary"
GRAPH = """
finance/order_summary (finance, at_most_every(5), team:finance) <- mart/fact_invoice_line
finance/revenue_at_risk (finance, eager, team:finance) <- mart/report_renewals, \
product_analytics/customer_summary
product_analytics/customer_summary (customers, at_most_every(5), team:product-analytics) <- \
mart/dim_customer, product_analytics/last_day
product_analytics/last_day (product_analytics, eager, team:product-analytics) <- \
mart/report_consumption_daily
product_analytics/product_summary (product_analytics, on_cron(0 6 * * *), \
team:product-analytics) <- mart/dim_product, product_analytics/last_day
"""


class Company:
    """A lake, its mart, and the two projects."""

    def __init__(self, folder: Path, url: str) -> None:
        """Of a few days; the mart is built by the command."""
        self.folder, self.url, self.lake = folder, url, folder / "lake"
        self.projects = folder / "projects"
        shutil.copytree(EXAMPLES, self.projects, ignore=shutil.ignore_patterns("target", "logs"))
        write_dump(self.lake, "invoices", day(1), [invoice(invoice_date=day(1))])
        write_dump(self.lake, "entitlements", day(1), [entitlement()])
        self.use(4.0)

    def use(self, quantity: float) -> None:
        """Another quantity is used on the second day, and the mart built."""
        write_dump(self.lake, "telemetry", day(2), [usage(event_ts=noon(2), quantity=quantity)])
        assert cli.run("build", "--lake", self.lake, "--warehouse", self.url).code == 0

    def definitions(self, **settings: Any) -> dg.Definitions:
        """The code location, with both projects."""
        where = ",".join(str(self.projects / name) for name in ("product_analytics", "finance"))
        known = {"lake": str(self.lake), "warehouse": self.url, "dbt_projects": where}
        return build_definitions(**(known | settings))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """On DuckDB."""
    folder = tmp_path_factory.mktemp("company")
    return Company(folder, f"duckdb://{folder}/mart.duckdb")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A history that is thrown away."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def read(company: Company, sql: str) -> list[tuple[Any, ...]]:
    """What dbt has written, by DuckDB itself."""
    with duckdb.connect(company.folder / "mart_dbt.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, *keys: str, **more: Any
) -> dg.ExecuteInProcessResult:
    """Materialize some models, as the UI does."""
    assets = {dg.AssetKey.from_user_string(key) for key in keys}
    job = definitions.resolve_implicit_job_def_def_for_assets(assets)
    assert job is not None
    return job.get_subset(asset_selection=assets).execute_in_process(
        instance=instance, raise_on_error=False, **more
    )


def test_the_lineage_goes_from_the_mart_through_one_project_to_the_other(company: Company) -> None:
    graph = company.definitions().resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        if key.path[0] in ("finance", "product_analytics"):
            said = [node.group_name, node.automation_condition.get_label(), *node.owners]
            made_of = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
            lines.append(f"{key.to_user_string()} ({', '.join(said)}) <- {made_of}")
    assert "\n".join(lines) == GRAPH.strip()
    checks = {
        check.name
        for check in graph.get_check_keys_for_assets(
            {dg.AssetKey(["product_analytics", "customer_summary"])}
        )
    }
    assert {"means_are_not_negative", "unique_customer_summary_customer_id"} <= checks


def test_the_models_follow_the_mart_by_their_policies(
    company: Company, instance: dg.DagsterInstance
) -> None:
    automation = Automation(company.definitions(), instance)
    asked = automation.tick()
    assert asked.keys() & ALL == ALL - {"product_summary"}
    automation.run({name: days for name, days in asked.items() if name in ALL})
    assert automation.failures == []
    assert read(company, SUMMARY) == [("Acme", 1, pytest.approx(0.2))]
    assert read(company, "SELECT orders, ordered FROM finance.order_summary") == [(1, 125)]
    assert automation.tick().keys() & ALL == set()
    company.use(8.0)
    asked = automation.tick(6)
    assert asked.keys() & ALL >= {"last_day", "customer_summary"}
    automation.run({name: days for name, days in asked.items() if name in ALL})
    assert read(company, SUMMARY) == [("Acme", 1, pytest.approx(0.4))]


def test_columns_their_lineage_and_checks_are_recorded(
    company: Company, instance: dg.DagsterInstance
) -> None:
    result = run(company.definitions(), instance, "product_analytics/last_day")
    assert result.success
    (made,) = result.asset_materializations_for_node("dbt_product_analytics")
    columns = made.metadata["dagster/column_schema"].value.columns
    assert [column.name for column in columns][:2] == ["day", "customer_id"]
    lineage = made.metadata["dagster/column_lineage"].value.deps_by_column
    report = dg.AssetKey(["mart", "report_consumption_daily"])
    assert [each.asset_key for each in lineage["customer_id"]] == [report]
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]


def test_a_run_goes_on_where_the_one_before_has_failed(
    company: Company, instance: dg.DagsterInstance
) -> None:
    test = company.projects / "product_analytics" / "tests" / "fails.sql"
    test.write_text("select product_id from {{ ref('product_summary') }}")
    keys = [f"product_analytics/{name}" for name in ("last_day", "product_summary")]
    failed = run(company.definitions(), instance, *keys)
    assert not failed.success
    test.write_text(test.read_text() + " where 1 = 0")
    resumed = {"dagster/parent_run_id": failed.run_id, "dagster/is_resume_retry": "true"}
    result = run(company.definitions(), instance, *keys, tags=resumed)
    assert result.success
    made = {
        each.asset_key.path[-1]: "made by run" in each.metadata
        for each in result.asset_materializations_for_node("dbt_product_analytics")
    }
    assert made == {"last_day": True, "product_summary": False}


def test_a_project_that_is_broken_takes_nothing_else_down(company: Company, tmp_path: Path) -> None:
    shutil.copytree(company.projects, tmp_path / "projects")
    broken = tmp_path / "projects" / "finance"
    shutil.rmtree(broken / "target", ignore_errors=True)
    (broken / "models" / "bad.sql").write_text("select * from {{ ref('gone') }}")
    where = f"{broken},{tmp_path}/projects/product_analytics"
    graph = company.definitions(dbt_projects=where).resolve_asset_graph()
    told = graph.get(dg.AssetKey(["dbt", "finance"])).description
    assert "**Wrong**: dbt project finance: Compilation Error" in told
    assert "models/bad.sql" in told
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {"product_analytics/last_day", "mart/dim_day"} <= keys
    assert not any(key.startswith("finance/") for key in keys)


def test_on_postgresql_models_are_in_the_mart_s_own_database(tmp_path: Path, database: str) -> None:
    company = Company(tmp_path, database)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(
            company.definitions(),
            instance,
            "product_analytics/last_day",
            "product_analytics/customer_summary",
            "finance/revenue_at_risk",
        )
    assert result.success
    name = postgres_server.database_of(database)
    assert postgres_server.run(name, SUMMARY) == [("Acme", 1, pytest.approx(0.2))]
