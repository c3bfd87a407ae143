"""Alerts where no daemon runs: the command `build` evaluates them at its end, whatever that is."""

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import time_machine

from consumption_datamart.alerts.after_build import BuildEnd, evaluate_after_build
from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.machine import Alert, State, Transition
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.build.alerting import all_check_keys
from consumption_datamart.definitions import build_definitions, catalog_of, check_keys
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import DUCKDB, Built, Mart, build

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)


def write_lake(lake: Path) -> None:
    """Two good days."""
    write_dump(lake, "invoices", day(5), [invoice()])
    write_dump(lake, "entitlements", day(5), [entitlement()])
    write_dump(lake, "telemetry", day(5), [usage()])
    write_dump(lake, "telemetry", day(6), [usage(event_ts=noon(6))])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The mart of that lake, on the day after; alerts were never evaluated."""
    with time_machine.travel(NOW - timedelta(hours=2)):
        yield Built(tmp_path_factory.mktemp("built"), write_lake)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mart:
    """A copy of it, and settings of alerts of its own."""
    monkeypatch.setenv("CONSUMPTION_DATAMART_ALERTS_FILE", str(tmp_path / "alerts.toml"))
    monkeypatch.setenv("COLUMNS", "250")
    return built.copy(tmp_path, engine)


def run_build(mart: Mart, after: timedelta = timedelta(), *options: str) -> cli.Ended:
    """Build so long after noon of the day."""
    with time_machine.travel(NOW + after):
        return cli.run("build", "--lake", mart.lake, "--warehouse", mart.url, *options)


def alerts(mart: Mart, after: timedelta = timedelta()) -> cli.Ended:
    """What the command says so long after noon."""
    with time_machine.travel(NOW + after):
        return cli.run("alerts", "--warehouse", mart.url)


def open_alerts(mart: Mart) -> set[str]:
    """Signal and subject of what is open."""
    known = AlertStore(open_warehouse(mart.url).released()).alerts().values()
    return {f"{each.signal} {each.subject}" for each in known if each.is_open}


def open_by_hand(mart: Mart, *names: tuple[str, str]) -> None:
    """Alerts that somebody else has opened, and told."""
    at = datetime(2026, 1, 6, 12)
    opened = [Alert(*name, State.alarm, 2, at, "It is broken.") for name in names]
    book = AlertStore(open_warehouse(mart.url).released())
    book.write(opened, [(Transition(State.ok, each, 2.0), []) for each in opened])


def test_a_build_evaluates_alerts_though_nothing_is_new(mart: Mart) -> None:
    assert alerts(mart).code == 1
    assert run_build(mart).code == 0
    assert alerts(mart) == (0, "No alert is open, as of 2026-01-07 12:00 UTC.\n", "")
    write_dump(mart.lake, "telemetry", day(7), [usage(event_ts=noon(7))])
    with time_machine.travel(NOW + timedelta(hours=3)):
        build(*mart)
    out = alerts(mart, timedelta(hours=4)).out
    assert out.startswith("No alert is open, as of 2026-01-07 12:00 UTC.\nAlerts have not been")
    assert "evaluated since, though the mart was built at 2026-01-07 15:0" in out
    assert run_build(mart, timedelta(hours=5)).code == 0
    assert alerts(mart, timedelta(hours=6)).out.count("\n") == 1


def test_a_build_that_fails_alerts_until_one_succeeds(mart: Mart) -> None:
    (mart.lake / "telemetry" / "2026-01-07.parquet").write_bytes(b"broken")
    ended = run_build(mart)
    assert ended.code == 1
    assert "ALARM build the mart: raw_telemetry: telemetry/2026-01-07.parquet" in ended.err
    out = alerts(mart).out
    assert "build the mart: raw_telemetry: telemetry/2026-01-07.parquet" in out
    assert "As of 2026-01-07 12:0" in out
    (mart.lake / "telemetry" / "2026-01-07.parquet").unlink()
    ended = run_build(mart, timedelta(hours=1))
    assert ended.code == 0
    assert "RECOVERED build the mart" in ended.err
    assert open_alerts(mart) == set()


def test_a_build_without_a_lake_alerts_too(mart: Mart) -> None:
    mart.lake.rename(mart.lake.with_name("elsewhere"))
    ended = run_build(mart)
    assert ended.code == 1
    assert [line.split(":")[0] for line in ended.err.splitlines()] == [
        "ALARM build the mart",
        "Error",
    ]
    assert open_alerts(mart) == {"build the mart"}


def test_what_a_build_cannot_know_stays_as_it_is(mart: Mart) -> None:
    others = [
        ("run", "observe_lake"),
        ("automation", "automation"),
        ("check", "mart/report_renewals: fresh"),
        ("check", "mart/dim_day: model"),
    ]
    open_by_hand(mart, *others, ("check", "mart/dim_none: model"), ("budget", "of none"))
    assert run_build(mart).code == 0
    expected = {f"{signal} {subject}" for signal, subject in others}
    assert open_alerts(mart) == expected, "only what is no longer there is over"
    assert run_build(mart, timedelta(hours=1), "--full").code == 0
    assert open_alerts(mart) == expected - {"check mart/dim_day: model"}, "it was evaluated"


@DUCKDB
def test_a_build_that_is_recorded_knows_of_other_runs(
    mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    open_by_hand(mart, ("run", "observe_lake"), ("automation", "automation"))
    assert run_build(mart).code == 0
    assert open_alerts(mart) == {"automation automation"}


@DUCKDB
def test_alerts_that_cannot_be_evaluated_fail_no_build(mart: Mart, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text("[[route]]\nkind = 'pager'\nname = 'x'\n")
    ended = run_build(mart)
    assert ended.code == 0
    assert ended.err.startswith(f"Alerts could not be evaluated: {tmp_path}/alerts.toml: route.0")
    assert ended.err.count("\n") == 1
    assert alerts(mart).code == 1


class Hook(ThreadingHTTPServer):
    """Keeps what it is sent; it takes its time."""

    def __init__(self) -> None:
        self.received: list[str] = []
        super().__init__(("127.0.0.1", 0), Request)


class Request(BaseHTTPRequestHandler):
    """One message."""

    server: Hook

    def do_POST(self) -> None:
        """Keeps what it is about."""
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
        self.server.received += [f"{each['state']} {each['signal']}" for each in told]
        threading.Event().wait(0.5)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """One that listens."""
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def end(warehouse: str, hook: Hook) -> Callable[..., None]:
    """Ends a build as one process would."""
    route = {"kind": "webhook", "name": "hook", "url": f"http://127.0.0.1:{hook.server_port}"}

    def evaluate(problem: str | None, *, by_build: bool = True) -> None:
        settings = AlertSettings.model_validate(
            {"route": [route], "delivery": {"by_build": by_build}}
        )
        released = open_warehouse(warehouse).released()
        end = BuildEnd(problem, Settings())
        evaluate_after_build(released, end, settings, logging.getLogger("test"))

    return evaluate


def test_several_that_end_at_once_tell_once(end: Callable[..., None], hook: Hook) -> None:
    threads = [threading.Thread(target=end, args=["It is broken."]) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert hook.received == ["alarm build"]
    end(None)
    assert hook.received == ["alarm build", "recovered build"]


def test_what_a_build_is_not_to_tell_is_told_by_who_comes_next(
    end: Callable[..., None], hook: Hook, warehouse: str
) -> None:
    end("It is broken.", by_build=False)
    assert hook.received == []
    assert undelivered(warehouse) == ["hook"]
    end("It is broken.")
    assert hook.received == ["alarm build"]
    assert undelivered(warehouse) == [""]


def undelivered(url: str) -> Collection[str]:
    """Whom each transition is still to be told to."""
    return list(AlertStore(open_warehouse(url)).history().undelivered)


def test_the_checks_that_a_build_knows_are_those_of_the_code_location(lake: Path) -> None:
    definitions = build_definitions(lake=str(lake))
    made = [*(definitions.assets or ()), *(definitions.asset_checks or ())]
    assert sorted(all_check_keys(catalog_of(Settings(lake=str(lake))))) == sorted(check_keys(made))
