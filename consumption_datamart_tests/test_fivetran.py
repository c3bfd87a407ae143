"""Fivetran's syncs are observed or started by a real client, against a server that answers as it.

The server really copies tables from one PostgreSQL database to another, from which queries fill the
lake.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import LakeError
from consumption_datamart.factories import OBSERVE_JOB
from consumption_datamart.fivetran import AccountEntry, ConnectorEntry, watch
from consumption_datamart.fivetran import assets as made
from consumption_datamart.lake.parsing import parse
from consumption_datamart.preflight import findings
from consumption_datamart.settings import Settings
from consumption_datamart_tests import postgres_server
from consumption_datamart_tests.mart import SLOW
from consumption_datamart_tests.ticks import Automation
from examples.platform.fakes.fivetran import FakeFivetran

ACCOUNT = """[fivetran]
key = "${FIVETRAN_KEY}"
secret = "${FIVETRAN_SECRET}"
api = "URL/v1"
timeout_seconds = 1
poll_seconds = 0.05
"""
CONNECTOR = """
[[connector]]
name = "erp"
id = "erp_conn"
tables = ["readings"]
"""
STARTED = CONNECTOR + 'policy = "on_cron(0 * * * *)"\n'
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
LAKE = f"""[[ingest]]
name = "usage"
url = "${{WAREHOUSE_URL}}"
query = "SELECT event_id, event_ts, quantity FROM fivetran_erp.readings WHERE event_ts::date = :day"
table = "telemetry"
since = {YESTERDAY}
after = ["fivetran/erp/readings"]
"""
KEY = dg.AssetKey(["fivetran", "erp", "readings"])
TABLE = "CREATE TABLE readings (event_id text, event_ts timestamptz, quantity numeric)"


class Company:
    """A database, Fivetran, what it writes to, and a lake."""

    def __init__(self, folder: Path, source: str, destination: str) -> None:
        """A reading of yesterday is there, and nothing was synced yet."""
        self.source, self.folder, self.lake = source, folder, folder / "lake"
        self.lake.mkdir()
        (self.lake / "lake.toml").write_text(LAKE)
        self.run(TABLE)
        self.use(1)
        self.fivetran = FakeFivetran(source, destination, "fivetran_erp", ("readings",))
        self.fivetran.start()
        self.file = folder / "fivetran.toml"
        self.says(CONNECTOR)
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None

    def run(self, sql: str) -> None:
        """In the source database."""
        postgres_server.run(postgres_server.database_of(self.source), sql)

    def use(self, number: int) -> None:
        """A reading of yesterday."""
        self.run(f"INSERT INTO readings VALUES ('E{number}', '{YESTERDAY} 12:00+00', {number})")

    def says(self, connectors: str, url: str = "") -> None:
        """What the file says of connectors."""
        self.file.write_text(ACCOUNT.replace("URL", url or self.fivetran.url) + connectors)

    def definitions(self, **more: Any) -> dg.Definitions:
        """The code location; on DuckDB."""
        where = f"duckdb://{self.folder}/mart.duckdb"
        known = {"lake": str(self.lake), "warehouse": where, "fivetran": str(self.file)}
        return build_definitions(**(known | more))

    def look(self, definitions: dg.Definitions) -> list[Any]:
        """A tick of the sensor, whose events are recorded as the daemon does."""
        sensor = definitions.resolve_sensor_def("fivetran_syncs")
        context = dg.build_sensor_context(
            self.instance, cursor=self.cursor, definitions=definitions
        )
        result = sensor(context)
        self.cursor = result.cursor
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return list(result.asset_events)

    def synced(self) -> None:
        """A sync of Fivetran's own schedule, to its end."""
        self.fivetran.started()
        while self.fivetran.status["sync_state"] == "syncing":
            pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVETRAN_KEY", FakeFivetran.user)
    monkeypatch.setenv("FIVETRAN_SECRET", FakeFivetran.password)
    monkeypatch.setattr(made, "RETRY", dg.RetryPolicy(max_retries=1, delay=0))


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """With databases of its own."""
    urls = [postgres_server.new_database() for _ in range(2)]
    monkeypatch.setenv("WAREHOUSE_URL", urls[1])
    found = Company(tmp_path, *urls)
    yield found
    found.fivetran.stop()
    found.instance.dispose()
    for url in urls:
        postgres_server.drop_database(url)


def kinds(events: list[Any]) -> list[object]:
    """What the sensor has told: keys, or whether the check has passed and why not."""
    return [
        event.asset_key if isinstance(event, dg.AssetMaterialization) else event.passed
        for event in events
    ]


def sync(company: Company) -> dg.ExecuteInProcessResult:
    """A run of the connector's assets, as the UI starts it."""
    job = company.definitions().resolve_implicit_job_def_def_for_assets({KEY})
    assert job is not None
    return job.get_subset(asset_selection={KEY}).execute_in_process(
        instance=company.instance, raise_on_error=False
    )


def told(result: dg.ExecuteInProcessResult) -> str:
    """Why it has failed, to the last attempt."""
    (failure,) = result.get_step_failure_events()
    return str(failure.step_failure_data.user_failure_data.description)


def test_a_sync_is_recorded_once_and_a_failed_one_is_told(company: Company) -> None:
    definitions = company.definitions()
    assert kinds(company.look(definitions)) == [True]
    company.synced()
    first, *_ = events = company.look(definitions)
    assert kinds(events) == [KEY]
    assert first.metadata["synced at"].value == company.fivetran.said["succeeded_at"]
    assert company.look(definitions) == []
    company.fivetran.fails = True
    company.synced()
    (check,) = company.look(definitions)
    assert check.description.startswith("the last sync of connector erp_conn failed at 20")
    assert company.look(definitions) == []
    company.fivetran.fails = False
    company.synced()
    assert kinds(company.look(definitions)) == [KEY, True]


@pytest.mark.parametrize(
    "kind",
    [
        "401",
        "500",
        "nonsense",
        *(pytest.param(e, marks=SLOW) for e in ("429", "slow", "lost", "null")),
    ],
)
def test_what_fivetran_does_not_tell_is_a_failed_check_and_the_sync_is_not_lost(
    company: Company, kind: str
) -> None:
    definitions = company.definitions()
    company.look(definitions)
    company.synced()
    company.fivetran.slow_seconds = 1.2
    company.fivetran.fault(kind, times=3)
    (check,) = company.look(definitions)
    assert not check.passed
    assert "fivetran" in check.description
    company.fivetran.faults.clear()
    assert kinds(company.look(definitions)) == [KEY, True]


def test_where_it_is_away_the_code_location_loads_and_secrets_are_not_told(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.says(CONNECTOR, "http://127.0.0.1:9")
    definitions = company.definitions()
    assert KEY in definitions.resolve_asset_graph().get_all_asset_keys()
    (check,) = company.look(definitions)
    assert "fivetran http://127.0.0.1:9/v1/connectors/erp_conn: " in check.description
    company.says(CONNECTOR)
    monkeypatch.setenv("FIVETRAN_SECRET", "wr0ng-secret")
    (check,) = company.look(company.definitions())
    assert "401 Unauthorized" in check.description
    assert "wr0ng-secret" not in check.description
    monkeypatch.delenv("FIVETRAN_KEY")
    (check,) = company.look(company.definitions())
    assert "FIVETRAN_KEY is not set" in check.description


def test_the_graph_goes_from_the_connector_through_the_query_to_the_lake(company: Company) -> None:
    graph = company.definitions().resolve_asset_graph()
    ingest = dg.AssetKey(["ingest", "usage"])
    assert graph.get(ingest).parent_keys == {KEY}
    assert graph.get(dg.AssetKey(["lake", "telemetry"])).parent_keys == {ingest}
    (company.lake / "lake.toml").write_text(
        '[[telemetry]]\nname = "own"\nfiles = "telemetry/{day}.parquet"\n'
        'after = ["fivetran/erp/readings"]\n'
    )
    definitions = company.definitions()
    source = dg.AssetKey(["lake", "telemetry", "own"])
    assert definitions.resolve_asset_graph().get(source).parent_keys == {KEY}
    job = definitions.resolve_job_def(OBSERVE_JOB)
    assert job.execute_in_process(instance=company.instance).success


def test_what_has_landed_is_read_into_the_lake_by_policy_and_again_when_it_is_synced_again(
    company: Company,
) -> None:
    definitions = company.definitions()
    automation = Automation(definitions, company.instance)
    file = company.lake / "telemetry" / f"{YESTERDAY}.parquet"

    def asked() -> bool:
        days = automation.tick().get("usage", set())
        automation.run({"usage": days} if days else {})
        return YESTERDAY in days

    assert not asked()  # nothing has landed
    company.look(definitions)
    company.synced()
    company.look(definitions)
    assert asked()
    assert pq.read_table(file).num_rows == 1
    assert not asked()
    company.use(2)
    company.synced()
    assert not asked()
    company.look(definitions)
    assert asked()
    assert pq.read_table(file).num_rows == 2
    assert not asked()


def test_a_sync_is_started_awaited_and_recorded_once(company: Company) -> None:
    company.says(STARTED)
    company.fivetran.seconds = 0.2
    result = sync(company)
    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == KEY
    assert company.fivetran.syncs == 1
    assert kinds(company.look(company.definitions())) == [True]
    assert company.fivetran.said["schedule_type"] == "auto"


def test_a_sync_that_a_run_has_not_recorded_yet_is_left_to_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.says(STARTED)
    company.look(definitions := company.definitions())
    company.fivetran.seconds = 0.2
    while_it_runs: list[Any] = []

    def remembered(*known: Any) -> None:
        while_it_runs.extend(company.look(definitions))
        watch.remember(*known)

    monkeypatch.setattr(made, "remember", remembered)
    assert sync(company).success
    assert while_it_runs == company.look(definitions) == []
    monkeypatch.setattr(made, "remember", pytest.fail)
    assert not sync(company).success
    assert kinds(company.look(definitions)) == [KEY]


def test_of_a_run_that_is_never_over_no_more_is_expected(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.says(STARTED)
    company.look(definitions := company.definitions())
    run = dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.STARTED)
    company.instance.add_run(run)
    account = AccountEntry(key="${K}", secret="${K}", patience_minutes=1)
    connector = ConnectorEntry(name="erp", id="erp_conn", tables=["readings"])
    watch.awaits(company.instance, account, connector, run.run_id)
    company.synced()
    assert company.look(definitions) == []
    monkeypatch.setattr(watch, "LATE_SECONDS", -60)
    watch.awaits(company.instance, account, connector, run.run_id)
    assert kinds(company.look(definitions)) == [KEY]


def test_two_that_share_a_connector_are_both_told_of_its_syncs(company: Company) -> None:
    company.says(CONNECTOR + CONNECTOR.replace('"erp"', '"two"'))
    company.look(definitions := company.definitions())
    company.synced()
    assert kinds(company.look(definitions)) == [KEY, dg.AssetKey(["fivetran", "two", "readings"])]


def test_a_slow_answer_fails_the_check_and_not_the_look(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.says(CONNECTOR)
    company.file.write_text(company.file.read_text().replace("seconds = 1", "seconds = 60"))
    monkeypatch.setattr(watch, "ANSWER_SECONDS", 0.2)
    company.fivetran.slow_seconds = 1
    company.fivetran.fault("slow", times=3)
    (check,) = company.look(company.definitions())
    assert "timed out" in check.description


@pytest.mark.parametrize(
    "kind", ["lost", "500", *(pytest.param(e, marks=SLOW) for e in ("slow", "nonsense", "null"))]
)
def test_a_sync_whose_answer_is_lost_is_not_started_twice(company: Company, kind: str) -> None:
    company.says(STARTED)
    company.fivetran.seconds = 0.3
    company.fivetran.slow_seconds = 1.2
    company.fivetran.fault(kind, "POST")
    assert sync(company).success
    assert company.fivetran.syncs <= (2 if kind == "slow" else 1)


def test_a_sync_that_is_under_way_is_awaited_and_not_stopped(company: Company) -> None:
    company.says(STARTED)
    company.fivetran.seconds = 3  # the code location is loaded meanwhile
    company.fivetran.started()
    assert sync(company).success
    assert company.fivetran.syncs == 1


def test_a_sync_that_fails_is_paused_or_is_put_off_fails_the_run(company: Company) -> None:
    company.says(STARTED)
    company.fivetran.fails = True
    assert told(sync(company)).startswith("[[connector]] erp: its sync has failed at 20")
    company.fivetran.said["paused"] = True
    assert "cannot be synced as it is currently paused" in told(sync(company))
    company.fivetran.said["paused"] = False
    company.fivetran.seconds = 5
    company.fivetran.status["rescheduled_for"] = "2099-01-01T00:00:00Z"
    assert "was put off by Fivetran to 2099" in told(sync(company))


@pytest.mark.parametrize(
    ("connectors", "expected"),
    [
        ("[[conn", "fivetran.toml: it cannot be read"),
        (CONNECTOR.replace("tables", "table"), "[[connector]] erp: table: there is no such key"),
        (CONNECTOR.replace('["readings"]', "[]"), "[[connector]] erp: tables: List should have"),
        (CONNECTOR + 'policy = "eager"', "policy: eager: nobody tells when a source has changed"),
        (CONNECTOR + 'policy = "hourly"', "policy: hourly: there is no such policy"),
    ],
)
def test_a_mistake_is_told_and_takes_nothing_else_down(
    company: Company, caplog: pytest.LogCaptureFixture, connectors: str, expected: str
) -> None:
    company.says(connectors)
    graph = company.definitions().resolve_asset_graph()
    assert expected in caplog.text
    assert dg.AssetKey(["fivetran", "fivetran", "wrong"]) in graph.get_all_asset_keys()
    assert dg.AssetKey(["mart", "report_renewals"]) in graph.get_all_asset_keys()


def test_after_names_an_asset() -> None:
    with pytest.raises(LakeError, match=r"\[\[ingest\]\] usage: after\.0 = 'readings': it is no"):
        parse(LAKE.replace("fivetran/erp/readings", "readings"), "lake.toml")


def test_what_nothing_will_come_from_is_told(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    company.says(CONNECTOR.replace("readings", "orders"))
    company.definitions()
    assert (
        f"lake.toml: after: fivetran/erp/readings: {company.file} has no such table; there are"
        " fivetran/erp/orders"
    ) in caplog.text
    company.definitions(fivetran=None)
    assert "CONSUMPTION_DATAMART_FIVETRAN, which is not set, has no such table" in caplog.text


def test_config_validate_asks_fivetran(company: Company) -> None:
    company.synced()
    company.says(CONNECTOR + CONNECTOR.replace('"erp"', '"two"').replace("readings", "orders"))
    known = {"lake": str(company.lake), "warehouse": f"duckdb://{company.folder}/mart.duckdb"}
    found = findings(Settings(**known, fivetran=str(company.file)))
    said = {each.subject: each for each in found if each.subject.startswith("connector")}
    assert said["connector erp"].is_well
    assert "connector erp_conn has no table orders; it has fivetran_erp.readings" in (
        said["connector two"].told
    )
