"""Reports are sent on by a real client to a server that answers as Census: whole, once, or told."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.preflight import findings
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.reverse_etl import CensusEntry, SyncEntry
from consumption_datamart.reverse_etl import assets as made
from consumption_datamart.schema.reports import ReportRenewals
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse, publish
from consumption_datamart_tests import cli, postgres_server
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import SLOW
from consumption_datamart_tests.ticks import Automation
from examples.platform.fakes.census import Crm, FakeCensus

TOML = """[census]
token = "${CENSUS_TOKEN}"
api = "URL/api/v1"
timeout_seconds = 1
poll_seconds = 0.05
"""
SYNC = """
[[sync]]
name = "renewals"
id = 7
table = "report_renewals"
"""
NAME = "reverse_etl/renewals"
KEY = dg.AssetKey(["reverse_etl", "renewals"])
ACCOUNTS = ["default/ENT-1/db", "default/ENT-2/db"]


def renewals(*quantities: float) -> pd.DataFrame:
    """The report, with an entitlement of each quantity."""
    known: dict[str, Any] = {
        "source": "default",
        "customer_id": "CUST-1",
        "customer_name": "Acme",
        "product_id": "db",
        "product_name": "Database",
        "unit": "vCPU",
        "ends_on": pd.Timestamp(day(60)),
        "days_left": 58,
        "consumption_30d": 0.5,
        "band": "low",
        "annual_value": 100.0,
        "currency": "EUR",
        "annual_value_reporting": None,
        "renewed_by": None,
        "renewed_quantity": None,
        "at_risk": False,
        "meta__warnings": "",
    }
    rows = enumerate(quantities, 1)
    found = [known | {"entitlement_id": f"ENT-{n}", "quantity": each} for n, each in rows]
    return pd.DataFrame(found)


class Company:
    """A report on a server, Census, and a CRM."""

    def __init__(self, folder: Path, url: str) -> None:
        """Two renewals are in the report, and nothing in the CRM."""
        self.url, self.warehouse = url, open_warehouse(url)
        self.crm = Crm(folder / "crm.sqlite")
        key = ("source", "entitlement_id", "product_id")
        self.census = FakeCensus(url, "outbox.renewals", key, self.crm)
        self.census.start()
        self.instance = dg.DagsterInstance.ephemeral()
        self.publish(10.0, 20.0)

    def publish(self, *quantities: float) -> None:
        """The report becomes another."""
        publish(self.warehouse, ReportRenewals, renewals(*quantities))

    def asset(self, **more: Any) -> dg.AssetsDefinition:
        """Of the sync."""
        known = {"timeout_seconds": 1, "poll_seconds": 0.05, "api": f"{self.census.url}/api/v1"}
        entry = CensusEntry(token="${CENSUS_TOKEN}", **(known | more.pop("census", {})))
        sync = SyncEntry(name="renewals", id=7, table="report_renewals", **more)
        return made.sync_asset(entry, sync, ReportRenewals, None)

    def send(self, *, again: bool = False, **more: Any) -> dg.ExecuteInProcessResult:
        """A run of the asset."""
        return dg.materialize(
            [self.asset(**more)],
            instance=self.instance,
            resources={"readers": WarehouseResource(url=self.url)},
            run_config={"ops": {"reverse_etl_renewals": {"config": {"again": again}}}},
            raise_on_error=False,
        )

    def quantities(self) -> list[float]:
        """What the CRM knows."""
        return [float(each["quantity"]) for each in self.crm.accounts().values()]


def told(result: dg.ExecuteInProcessResult) -> str:
    """Why it has failed, to the last attempt."""
    (failure,) = result.get_step_failure_events()
    error = failure.step_failure_data.user_failure_data
    return str(error.description)


def figures(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The metadata of the materialization."""
    (event,) = result.get_asset_materialization_events()
    found = event.step_materialization_data.materialization.metadata
    return {name: each.value for name, each in found.items()}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CENSUS_TOKEN", FakeCensus.password)
    monkeypatch.setattr(made, "RETRY", dg.RetryPolicy(max_retries=1, delay=0))


@pytest.fixture
def company(tmp_path: Path, database: str) -> Iterator[Company]:
    """With a database of its own."""
    found = Company(tmp_path, database)
    yield found
    found.census.stop()
    found.instance.dispose()


def test_a_report_is_sent_and_its_counts_are_told(company: Company) -> None:
    result = company.send()
    assert company.quantities() == [10.0, 20.0]
    found = figures(result)
    assert found.pop("publication") > 0
    assert found == {
        "dagster/row_count": 2,
        "sync run": 1,
        "sent before": False,
        "source_record_count": 2,
        "records_processed": 2,
        "records_updated": 2,
        "records_failed": 0,
        "records_invalid": 0,
    }


def test_what_was_sent_is_not_sent_again_unless_it_is_asked_for(company: Company) -> None:
    company.send()
    assert figures(company.send())["sent before"]
    assert len(company.census.runs) == 1
    assert not figures(company.send(again=True))["sent before"]
    assert len(company.census.runs) == 2


def test_a_later_publication_is_sent(company: Company) -> None:
    company.send()
    company.publish(10.0, 30.0)
    company.send()
    assert company.quantities() == [10.0, 30.0]
    assert [name for _, name in company.crm.operations()] == [*ACCOUNTS, ACCOUNTS[1]]


def test_what_is_published_while_it_is_sent_is_not_sent_by_half(company: Company) -> None:
    company.census.seconds = 0.3
    reads = company.census._run

    def run(number: int) -> None:
        company.publish(1.0, 2.0, 3.0)  # before Census reads
        reads(number)

    company.census._run = run  # type: ignore[method-assign]
    company.send()
    assert company.quantities() == [10.0, 20.0]
    company.census._run = reads  # type: ignore[method-assign]
    assert not figures(company.send())["sent before"]
    assert company.quantities() == [1.0, 2.0, 3.0]


def test_only_rows_that_where_is_true_of_are_sent(company: Company) -> None:
    company.send(where="quantity > 15 AND band LIKE 'l%'")
    assert company.quantities() == [20.0]


def test_a_condition_that_is_none_sends_nothing(company: Company) -> None:
    result = company.send(where="quantty > 15")
    assert told(result).startswith('[[sync]] renewals: where: column "quantty" does not exist')
    assert company.census.runs == {}


def test_rejected_rows_fail_it_and_it_is_sent_again(company: Company) -> None:
    company.census.rejects = {ACCOUNTS[1]}
    result = company.send()
    assert told(result) == (
        "[[sync]] renewals: sync run 1: of 2 rows the destination has rejected 1, and Census 0;"
        " look at them in Census; it is sent again at the next full hour"
    )
    (failure,) = result.get_step_failure_events()
    counts = failure.step_failure_data.user_failure_data.metadata
    assert (counts["records_updated"].value, counts["records_failed"].value) == (1, 1)
    company.census.rejects = set()
    assert figures(company.send())["records_updated"] == 1
    assert [name for _, name in company.crm.operations()] == ACCOUNTS


def test_a_sync_that_fails_fails_it(company: Company) -> None:
    company.census.ends = ["failed"]
    assert "sync run 1 has failed: as told; it is sent again" in told(company.send())
    company.send()
    assert company.quantities() == [10.0, 20.0]


def test_a_skipped_run_is_asked_for_again(company: Company) -> None:
    company.census.ends = ["skipped"]
    assert figures(company.send())["sync run"] == 2


@pytest.mark.parametrize(
    "kind", ["lost", "slow", "500", *(pytest.param(e, marks=SLOW) for e in ("nonsense", "null"))]
)
def test_a_sync_whose_answer_is_lost_is_found_and_not_started_twice(
    company: Company, kind: str
) -> None:
    company.census.slow_seconds = 1.2
    company.census.fault(kind, "POST .*trigger")
    result = company.send()
    assert result.success, told(result)
    assert company.quantities() == [10.0, 20.0]
    starts = [call for call in company.census.calls if "trigger" in call]
    assert len(company.census.runs) == 1
    assert len(starts) == (2 if kind == "500" else 1)


def test_a_run_that_was_killed_is_gone_on_with(company: Company) -> None:
    company.census.seconds = 1.0
    result = company.send(census={"patience_minutes": 0.001})
    assert "sync run 1 is not over after 0.001 minutes" in told(result)
    found = figures(company.send())
    assert (found["sync run"], found["sent before"]) == (1, False)
    assert len(company.census.runs) == 1


def test_a_lost_connection_to_the_warehouse_starts_no_second_sync(company: Company) -> None:
    company.census.seconds = 1.0
    reads = company.census._run

    def run(number: int) -> None:
        name = postgres_server.database_of(company.url)
        time.sleep(0.3)  # its number is written down by then
        postgres_server.run(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            name,
        )
        reads(number)

    company.census._run = run  # type: ignore[method-assign]
    result = company.send()
    assert result.success, told(result)
    assert len(company.census.runs) == 1
    assert [name for _, name in company.crm.operations()] == ACCOUNTS


def test_what_others_have_started_is_awaited_first(company: Company) -> None:
    company.send()
    company.publish(10.0, 30.0)
    company.census.seconds = 0.3
    company.census.started()
    assert figures(company.send())["sync run"] == 3
    assert {run["status"] for run in company.census.runs.values()} == {"completed"}


@pytest.mark.parametrize(
    "kind", ["429", "null", *(pytest.param(e, marks=SLOW) for e in ("500", "nonsense", "lost"))]
)
def test_a_question_is_put_again(company: Company, kind: str) -> None:
    company.census.fault(kind, "GET", times=2)
    assert company.send().success


def test_who_may_not_is_told_at_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CENSUS_TOKEN", "wrong-token")
    result = company.send()
    assert "401 Unauthorized" in told(result)
    assert "wrong-token" not in told(result)
    assert len(company.census.calls) == 1
    monkeypatch.delenv("CENSUS_TOKEN")
    assert "CENSUS_TOKEN is not set" in told(company.send())


def test_where_census_is_away_it_is_told_and_nothing_is_lost(company: Company) -> None:
    result = company.send(census={"api": "http://127.0.0.1:9/api/v1"})
    assert "census http://127.0.0.1:9/api/v1/syncs/7/sync_runs" in told(result)
    assert company.send().success


def test_two_runs_at_once_take_turns(company: Company) -> None:
    with made.outbox(company.warehouse, "renewals"):
        result = company.send()
    assert "[[sync]] renewals: another run sends it; wait until it is done" in told(result)
    assert company.send().success


def test_a_report_that_was_never_published_is_told(company: Company) -> None:
    postgres_server.run(postgres_server.database_of(company.url), "DROP SCHEMA mart CASCADE")
    postgres_server.run(postgres_server.database_of(company.url), "DROP SCHEMA monitoring CASCADE")
    assert "build the mart first" in told(company.send())


class Mart:
    """A lake and its mart on PostgreSQL, with a sync."""

    def __init__(self, folder: Path, url: str) -> None:
        """Built by the command."""
        self.folder, self.url, self.lake = folder, url, folder / "lake"
        write_dump(self.lake, "invoices", day(1), [invoice(invoice_date=day(1))])
        write_dump(self.lake, "entitlements", day(1), [entitlement(ends_on=day(60))])
        self.use(4.0)
        crm = Crm(folder / "crm.sqlite")
        key = ("source", "entitlement_id", "product_id")
        self.census = FakeCensus(url, "outbox.renewals", key, crm)
        self.census.start()
        self.file = folder / "reverse_etl.toml"
        self.says(SYNC)

    def says(self, syncs: str) -> None:
        """What the file says of syncs."""
        self.file.write_text(TOML.replace("URL", self.census.url) + syncs)

    def use(self, quantity: float) -> None:
        """Another quantity is used, and the mart built."""
        write_dump(self.lake, "telemetry", day(2), [usage(event_ts=noon(2), quantity=quantity)])
        ended = cli.run("build", "--lake", self.lake, "--warehouse", self.url)
        assert ended.code == 0, ended.err

    def settings(self, **more: Any) -> dict[str, Any]:
        """Of the code location."""
        known = {"lake": str(self.lake), "warehouse": self.url, "reverse_etl": str(self.file)}
        return known | more


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mart]:
    """Built once."""
    url = postgres_server.new_database()
    found = Mart(tmp_path_factory.mktemp("mart"), url)
    yield found
    found.census.stop()
    postgres_server.drop_database(url)


def own_keys(definitions: dg.Definitions) -> list[str]:
    """Of the assets of the room."""
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    return sorted(key.to_user_string() for key in keys if key.path[0] == "reverse_etl")


def test_it_follows_the_ledger_and_a_failed_sync_is_due_at_the_next_hour(mart: Mart) -> None:
    definitions = build_definitions(**mart.settings())
    graph = definitions.resolve_asset_graph()
    assert graph.get(KEY).parent_keys == {dg.AssetKey(["mart", "report_renewals"])}
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(definitions, instance)
        # far from the next full hour, at which what has failed is due
        automation.ahead = automation.until_next(60) + timedelta(minutes=1)

        def asked(minutes: float = 0.5) -> bool:
            requested = automation.tick(minutes)
            own = {name: days for name, days in requested.items() if name == "renewals"}
            automation.run(own)
            return bool(own)

        assert asked()
        assert not asked()
        sent = len(mart.census.runs)
        mart.census.ends = ["failed"]
        mart.use(5.0)
        assert asked()
        assert len(mart.census.runs) == sent + 1
        assert not asked()
        assert asked(60)
        assert len(mart.census.runs) == sent + 2
        assert not asked()
    (account,) = mart.census.crm.accounts().values()
    assert float(account["quantity"]) == 10


def test_census_away_at_load_is_nothing_to_the_code_location(mart: Mart) -> None:
    calls = len(mart.census.calls)
    assert own_keys(build_definitions(**mart.settings())) == [NAME]
    assert len(mart.census.calls) == calls


@pytest.mark.parametrize(
    ("syncs", "expected", "keys"),
    [
        ("[[sync", "reverse_etl.toml: it cannot be read", ["reverse_etl/reverse_etl/wrong"]),
        ("[[sink]]\nname = 'x'", "sink: there is no such section; there are census, sync", None),
        (
            SYNC + SYNC.replace("renewals", "other").replace("report_other", "report_x"),
            "[[sync]] other: table: the mart has no report_x; see docs/data-dictionary.md",
            [NAME, "reverse_etl/reverse_etl/wrong"],
        ),
        (
            SYNC + "polcy = 'eager'",
            "[[sync]] renewals: polcy: there is no such key; did you mean policy? there are name",
            None,
        ),
        (SYNC + "policy = 'eagr'", "[[sync]] renewals: policy: eagr: there is no such", [NAME]),
        (SYNC + SYNC, "[[sync]] renewals: two have this name", [NAME]),
        (SYNC.replace("id = 7", ""), "[[sync]] renewals: id: it is missing", None),
    ],
)
def test_a_mistake_is_told_and_takes_nothing_else_down(
    mart: Mart, caplog: pytest.LogCaptureFixture, syncs: str, expected: str, keys: list[str] | None
) -> None:
    mart.says(syncs)
    definitions = build_definitions(**mart.settings())
    assert expected in caplog.text
    assert str(mart.file) in caplog.text
    found = own_keys(definitions)
    assert "reverse_etl/reverse_etl/wrong" in found
    assert set(keys or []) <= set(found)
    assert ["mart", "report_renewals"] in [
        key.path for key in definitions.resolve_asset_graph().get_all_asset_keys()
    ]


def test_a_token_in_clear_is_refused_and_not_repeated(
    mart: Mart, caplog: pytest.LogCaptureFixture
) -> None:
    mart.file.write_text('[census]\ntoken = "t0psecret"\n')
    build_definitions(**mart.settings())
    assert "[census]: token: a secret has no place in this file" in caplog.text
    assert "t0psecret" not in caplog.text


def test_another_engine_is_refused(
    mart: Mart, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mart.says(SYNC)
    build_definitions(**mart.settings(warehouse=f"duckdb://{tmp_path}/m.duckdb"))
    assert "Census reads a mart on PostgreSQL" in caplog.text


def test_config_validate_asks_census(mart: Mart) -> None:
    mart.says(SYNC)
    mart.census.fault("401", "GET .*sync_runs")
    told = [
        each
        for _ in range(2)
        for each in findings(Settings(**mart.settings()))
        if each.subject == "sync renewals"
    ]
    assert [each.is_well for each in told] == [False, True]
    assert "401" in told[0].told
