"""What Prometheus is told of the mart, read as Prometheus reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from prometheus_client import start_http_server
from prometheus_client.parser import text_string_to_metric_families

from consumption_datamart.metrics import registry
from consumption_datamart.settings import Settings
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ONLY_LOADED, Mart, tables_of

Found = dict[str, dict[tuple[str, ...], float]]
RAW = ("lake.raw_telemetry",)


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """Three days, one of which cannot be read; of one row is set aside, and one is suspicious."""
    found = Mart.of(tmp_path_factory.mktemp("metrics"), "duckdb")
    write_dump(found.lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(found.lake, "entitlements", day(1), [entitlement()])
    rows = [usage(event_ts=noon(1)), usage(event_id="2", event_ts=noon(1), quantity=-1)]
    write_dump(found.lake, "telemetry", day(1), rows)
    write_dump(found.lake, "telemetry", day(2), [usage(event_ts=noon(2), customer_id="odd")])
    (found.lake / "telemetry" / f"{day(3)}.csv").write_text("event_id\n")
    ended = cli.run("build", "--lake", found.lake, "--warehouse", found.url)
    assert ended.code == 1
    return found


def parsed(text: str) -> Found:
    """The value of each metric by its labels in the order of their names."""
    return {
        family.name.removeprefix("consumption_datamart_"): {
            tuple(sample.labels.values()): sample.value for sample in family.samples
        }
        for family in text_string_to_metric_families(text)
    }


@pytest.fixture(scope="module")
def found(mart: Mart) -> Found:
    """What the command prints."""
    ended = cli.run("metrics", "--warehouse", mart.url)
    assert (ended.code, ended.err) == (0, "")
    return parsed(ended.out)


def test_tables_are_as_the_warehouse_has_them(found: Found, mart: Mart) -> None:
    tables = tables_of(mart.url)
    for (table,), number in found["table_rows"].items():
        assert number == len(tables[table]), table
    assert {"mart.dim_customer", *RAW} <= {table for (table,) in found["table_rows"]}
    for (table,), number in found["table_rows_with_warnings"].items():
        assert number == sum(1 for row in tables[table] if row["meta__warnings"]), table
    assert found["table_rows_with_warnings"][RAW] == 1
    assert (found["lake_rows_read"][RAW], found["lake_rows_quarantined"][RAW]) == (3, 1)
    assert found["table_build_seconds"][RAW] > 0


def test_moments_are_in_seconds_of_utc(found: Found) -> None:
    now = datetime.now(UTC).timestamp()
    for name in ("released", "alerts_evaluated"):
        assert 0 <= now - found[f"{name}_timestamp_seconds"][()] < 900
    assert 0 <= now - found["table_published_timestamp_seconds"][RAW] < 900
    last = datetime.fromtimestamp(found["table_last_day_timestamp_seconds"][RAW], UTC)
    assert last == datetime(2026, 1, 2, tzinfo=UTC)


def test_what_is_wrong_is_counted(found: Found, mart: Mart) -> None:
    assert found["partitions_failed"][RAW] == 1
    assert found["alerts_open"]["build", "alarm"] == 1
    objectives = tables_of(mart.url)["monitoring.objective"]
    for row in objectives:
        labels = (row["kind"], row["objective_name"], row["objective_table"])
        assert found["objective_target_ratio"][labels] == row["target"]
        if row["days_measured"]:
            assert found["objective_budget_left_ratio"][labels] == row["budget_left"]
    assert "dagster_runs" not in found


@pytest.fixture
def address(mart: Mart) -> Iterator[str]:
    """Of a server of its own."""
    server, thread = start_http_server(
        0, "127.0.0.1", registry(Settings(lake=str(mart.lake), warehouse=mart.url))
    )
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_request_is_answered_with_the_state_of_now(
    address: str, found: Found, mart: Mart
) -> None:
    answer = requests.get(address, timeout=30)
    assert parsed(answer.text)["table_rows"] == found["table_rows"]
    path = Path(mart.url.removeprefix("duckdb://"))
    path.rename(f"{path}.away")
    try:
        assert requests.get(address, timeout=30).status_code == 500
    finally:
        Path(f"{path}.away").rename(path)


def test_a_file_is_replaced_as_a_whole_or_stays(mart: Mart, found: Found, tmp_path: Path) -> None:
    file = tmp_path / "mart.prom"
    file.write_text("old")
    ended = cli.run("metrics", "--warehouse", f"duckdb://{tmp_path}/none.duckdb", "--out", file)
    assert ended.code == 1
    assert "nothing was built yet" in ended.err
    assert file.read_text() == "old"
    assert cli.run("metrics", "--warehouse", mart.url, "--out", file) == (0, "", "")
    assert parsed(file.read_text())["table_rows"] == found["table_rows"]
    assert [each.name for each in tmp_path.iterdir()] == ["mart.prom"]


def test_an_address_that_is_taken_or_is_none_is_told(mart: Mart, address: str) -> None:
    taken = address.removeprefix("http://").removesuffix("/metrics")
    for where, told in ((taken, "Address already in use"), ("9464", "127.0.0.1:9464")):
        ended = cli.run("metrics", "--warehouse", mart.url, "--listen", where)
        assert ended.code != 0
        assert told in ended.err


@ONLY_LOADED
def test_dagsters_queue_is_told_where_it_keeps_a_record(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"duckdb://{tmp_path}/m.duckdb"
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    assert cli.run("build", "--lake", lake, "--warehouse", url).code == 0
    (tmp_path / "dagster").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    told = parsed(cli.run("metrics", "--warehouse", url).out)
    assert told["dagster_runs"] == {("queued",): 0, ("started",): 0}
