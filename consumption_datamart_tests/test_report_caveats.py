"""A report says what is wrong with it, before its tables, and nothing where all is well."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from consumption_datamart.warehouse.duckdb import DuckDBWarehouse
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import DUCKDB, Built, Mart, written_by_another

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)


def write_lake(lake: Path) -> None:
    """Three days; telemetry has none of the second."""
    write_dump(lake, "invoices", day(5), [invoice()])
    write_dump(lake, "entitlements", day(5), [entitlement()])
    for number in (4, 6, 7):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])


def build_by_command(lake: Path, url: str) -> None:
    """As from cron."""
    assert cli.run("build", "--lake", lake, "--warehouse", url).code == 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The mart of that lake, on its last day."""
    with time_machine.travel(NOW):
        yield Built(tmp_path_factory.mktemp("built"), write_lake, build_by_command)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def report(mart: Mart, later: timedelta, *options: str) -> cli.Ended:
    """What the command says so long after noon of the last day."""
    with time_machine.travel(NOW + later):
        return cli.run("report", "--warehouse", mart.url, *options)


def lines(mart: Mart, later: timedelta = timedelta(minutes=1), *options: str) -> list[str]:
    """What stands before the tables."""
    ended = report(mart, later, *options)
    assert (ended.code, ended.err) == (0, "")
    assert ", as of 2026-01-07 12:0" in ended.out
    before, _ = ended.out.split("Consumption, ")
    return before.splitlines()


GAP = "telemetry has no dump of 2026-01-05: the report is without it."


def test_dumps_that_are_missing_or_late(mart: Mart) -> None:
    assert lines(mart) == [GAP]
    assert lines(mart, timedelta(minutes=1), "--day", "2026-01-04") == [], "it is not in its days"
    invoices = "invoices is late: its last dump is of 2026-01-05, 4 days ago."
    entitlements = invoices.replace("invoices", "entitlements")
    assert lines(mart, timedelta(days=2)) == [GAP], "of these there may be none on a day"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSUMPTION_DATAMART_POSTED_LATE_AFTER_DAYS", "3")
        assert lines(mart, timedelta(days=2)) == [entitlements, invoices, GAP]
    telemetry = "telemetry is late: its last dump is of 2026-01-07, 30 days ago."
    assert telemetry in lines(mart, timedelta(days=30))
    assert lines(mart, timedelta(days=31)) == [GAP], "it is an archive"


def test_what_could_not_be_refreshed(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(5), [usage()])
    (mart.lake / "telemetry" / "2026-01-06.csv").write_bytes(b"\xff\xfe\xfa")
    with time_machine.travel(NOW + timedelta(seconds=30)):
        assert cli.run("build", "--lake", mart.lake, "--warehouse", mart.url).code == 1
    failed, table = lines(mart)
    assert failed.startswith("Builds fail since 2026-01-07 12:0")
    assert "first so: raw_telemetry: telemetry/2026-01-06.csv: " in failed
    told = "lake.raw_telemetry 2026-01-06 could not be refreshed: it is as it was before."
    assert table == told
    for format in ("json", "csv"):
        ended = report(mart, timedelta(minutes=1), "--format", format)
        assert ended.code == 0
        assert ended.err.splitlines() == [failed, table]
        assert "could not" not in ended.out
        assert format == "csv" or json.loads(ended.out)["as_of"].startswith("2026-01-07T12:0")


@DUCKDB
def test_what_was_built_and_is_not_released(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(7), [usage(event_ts=noon(7), quantity=5.0)])
    with time_machine.travel(NOW + timedelta(minutes=10)), pytest.MonkeyPatch.context() as patch:
        # as where it is killed before its end
        patch.setattr(DuckDBWarehouse, "release", lambda *_, **__: None)
        build_by_command(*mart)
    assert lines(mart) == [GAP]
    told = "What was built since 2026-01-07 12:10 UTC is not shown: "
    assert lines(mart, timedelta(minutes=80))[0].startswith(told)


@DUCKDB
def test_a_report_does_not_wait_for_a_build(mart: Mart) -> None:
    with written_by_another(mart.lake.with_name("warehouse.working.duckdb")):
        first, *others = lines(mart)
    assert first.startswith("What could not be refreshed is not known now: another process")
    assert others == [GAP]
