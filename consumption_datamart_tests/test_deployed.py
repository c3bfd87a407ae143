"""The deployment as it runs: logins, rights, headers, backups, upgrades, runs that hang or die.

All in one: it takes minutes until everything is up.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from consumption_datamart_tests.deployed import (
    DONE,
    OPERATOR,
    PASSWORD,
    VIEWER,
    Deployed,
    deployed,
)
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump

pytestmark = pytest.mark.deploy
TEAM = '''
"""Assets that take their time."""

import time

import dagster as dg


@dg.asset(owners=["team:tests"], description="Waits until a file is there.", kinds={{"python"}})
def patient() -> None:
    import pathlib
    pathlib.Path("{root}/begun").touch()
    while not pathlib.Path("{root}/go_on").exists():
        time.sleep(0.2)
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """All services, of a lake of two days."""
    lake = tmp_path_factory.mktemp("deployed") / "lake"
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in (1, 2):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    settings = {"MART_ENV": "production", "MART_STOP_SECONDS": "5", "MART_DRAIN_SECONDS": "8"}
    of_mart = {"CONSUMPTION_DATAMART_TEAM_ASSETS": "/etc/consumption-datamart/team"}
    with deployed(lake, settings, of_mart) as found:
        team = found.deploy / "etc" / "team"
        team.mkdir(parents=True)
        (team / "slow.py").write_text(TEAM.format(root=found.root / "volumes" / "data"))
        found.mart("start")
        yield found


def begun(site: Deployed, run_id: str) -> None:
    """Waits until the patient asset is being made."""
    file = site.root / "volumes" / "data" / "begun"
    site.wait(file.exists, f"run {run_id} has begun")
    site.wait(lambda: site.status(run_id) == "STARTED", f"run {run_id} is STARTED")


@pytest.fixture
def patient(site: Deployed) -> Iterator[None]:
    """The asset's files are gone before and after."""
    files = [site.root / "volumes" / "data" / name for name in ("begun", "go_on")]
    for file in files:
        file.unlink(missing_ok=True)
    yield
    files[1].touch()


def test_nobody_reads_anything_without_a_login(site: Deployed) -> None:
    for path in ("/", "/index.html", "/view/", "/view/graphql", "/operate/", "/operate/graphql"):
        for who in (None, ("ann", "another password"), ("eve", PASSWORD)):
            method = "POST" if path.endswith("graphql") else "GET"
            answer = site.request(method, path, who, json={"query": "{version}"})
            assert answer.status_code == 401, (path, who)
    assert site.get("/metrics").status_code == 401
    assert site.handshake("/view/graphql", None, None) == 401
    assert site.get("/operate/", VIEWER).status_code == 401
    assert site.request("POST", "/operate/graphql", VIEWER, json={}).status_code == 401


def test_both_see_what_they_may(site: Deployed) -> None:
    for path, who in (("/view/", VIEWER), ("/view/", OPERATOR), ("/operate/", OPERATOR)):
        answer = site.get(path, who)
        assert answer.status_code == 200, path
        assert f'"assetPrefix":"{path.rstrip("/")}"' in answer.text
    own = f"https://{site.host}"
    for path, who in (("/view/graphql", VIEWER), ("/operate/graphql", OPERATOR)):
        assert site.handshake(path, who, own) == 101
        assert site.handshake(path, who, "https://elsewhere.example") == 403


def test_a_viewer_changes_nothing(site: Deployed) -> None:
    answer = site.launch("observe_lake", who=VIEWER)
    assert answer["__typename"] == "UnauthorizedError"
    for path in ("report_asset_materialization/x", "report_asset_check/x", "logs/x"):
        assert site.request("POST", f"/view/{path}", VIEWER).status_code == 403
    assert site.request("PUT", "/index.html", VIEWER).status_code == 403

    def allowed(who: tuple[str, str]) -> set[bool]:
        found = site.ask("{permissions {permission value}}", who)["data"]["permissions"]
        assert len(found) > 10
        return {each["value"] for each in found}

    assert allowed(VIEWER) == {False}
    assert True in allowed(OPERATOR)


def test_no_other_site_may_use_a_login(site: Deployed) -> None:
    for path, who in (("/view/graphql", VIEWER), ("/operate/graphql", OPERATOR)):
        for origin in ("https://elsewhere.example", "null", f"http://{site.host}"):
            headers = {"Origin": origin}
            answer = site.request("POST", path, who, json={"query": "{version}"}, headers=headers)
            assert answer.status_code == 403, origin
        assert site.get(f"{path}?query={{version}}", who).status_code == 405
        own = {"Origin": f"https://{site.host}"}
        answer = site.request("POST", path, who, json={"query": "{version}"}, headers=own)
        assert answer.json()["data"]["version"]
    headers = {"Origin": "https://elsewhere.example"}
    told = site.request(
        "POST", "/operate/report_asset_materialization/x", OPERATOR, headers=headers
    )
    assert told.status_code == 403


def test_headers_say_what_browsers_must_not_do(site: Deployed) -> None:
    for path, who in (("/view/", VIEWER), ("/", None), ("/metrics", VIEWER)):
        headers = site.get(path, who).headers
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "nginx"
    host = site.host
    assert requests.get(f"http://{host}/view/", auth=VIEWER, timeout=30).status_code == 400


def test_the_mart_follows_its_lake_and_the_page_and_metrics_are_there(site: Deployed) -> None:
    site.wait(lambda: site.get("/", VIEWER).status_code == 200, "the page is written", 600)
    assert "Consumption" in site.get("/", VIEWER).text
    metrics = site.get("/metrics", VIEWER).text
    assert 'consumption_datamart_table_rows{table="lake.raw_telemetry"} 2.0' in metrics
    assert "consumption_datamart_dagster_runs" in metrics
    told = site.mart("status")
    assert told.count(" healthy") == len(site.engine.names)
    site.service("viewer").stop()
    with pytest.raises(AssertionError, match="6 of 7 services are healthy"):
        site.mart("status")
    site.mart("start")


def test_a_run_whose_code_server_dies_is_told_and_tried_again(
    site: Deployed, patient: None
) -> None:
    run_id = site.launch(asset="patient")["run"]["runId"]
    begun(site, run_id)
    code = site.service("code")
    pid = code.pid
    assert pid is not None
    code.kill(pid)  # as a machine does that is out of memory: the server and its runs
    (site.root / "volumes" / "data" / "go_on").touch()
    site.mart("start")
    took = site.wait(lambda: site.status(run_id) == "FAILURE", "the dead run is told")
    print(f"told dead after {took:.0f} s")

    def again() -> list[str]:
        return [run["status"] for run in site.runs() if run["parentRunId"] == run_id]

    site.wait(lambda: again() == ["SUCCESS"], "it is tried again")


def test_a_run_whose_process_dies_is_told_and_tried_again(site: Deployed, patient: None) -> None:
    run_id = site.launch(asset="patient")["run"]["runId"]
    begun(site, run_id)
    pid = site.service("code").pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    done = subprocess.run(["pgrep", "-g", str(pid)], capture_output=True, text=True, check=True)
    for child in {*children, *done.stdout.split()} - {str(pid)}:
        if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(int(child), signal.SIGKILL)
    (site.root / "volumes" / "data" / "go_on").touch()
    site.wait(lambda: site.status(run_id) == "FAILURE", "the dead run is told")
    site.wait(
        lambda: (
            [run["status"] for run in site.runs() if run["parentRunId"] == run_id] == ["SUCCESS"]
        ),
        "it is tried again",
    )


def test_a_run_that_hangs_is_ended(site: Deployed, patient: None) -> None:
    tags = {"dagster/max_runtime": "5", "dagster/max_retries": "0"}
    run_id = site.launch(asset="patient", tags=tags)["run"]["runId"]
    begun(site, run_id)
    took = site.wait(lambda: site.status(run_id) == "FAILURE", "it is told as failed")
    print(f"ended after {took:.0f} s")


def test_a_backup_is_restored(site: Deployed) -> None:
    told = site.mart("backup")
    backup = told.rpartition("deploy/")[2].strip()
    assert {file.name for file in (site.deploy / backup).iterdir()} == {
        "storage.dump",
        "warehouse.duckdb",
        "warehouse.alerts.sqlite",
        "SHA256SUMS",
    }
    before = {run["runId"] for run in site.runs()}
    later = site.launch("observe_lake")["run"]["runId"]
    site.wait(lambda: site.status(later) in DONE, "a run after the backup")
    volume = site.root / "volumes" / "data"
    held = (volume / "consumption.duckdb").read_bytes()
    site.mart("run", "consumption-datamart", "rollback")
    assert (volume / "consumption.duckdb.held").exists()
    (volume / "consumption.duckdb").write_bytes(b"not a database")
    site.mart("restore", backup)
    assert not (volume / "consumption.duckdb.held").exists()
    assert not list(volume.glob("consumption.previous.*"))
    now = {run["runId"] for run in site.runs()}
    assert later not in now
    assert before <= now
    assert len((volume / "consumption.duckdb").read_bytes()) == len(held)
    assert site.get("/metrics", VIEWER).status_code == 200
    (site.deploy / backup / "storage.dump").write_bytes(b"damaged")
    with pytest.raises(AssertionError, match="take another backup"):
        site.mart("restore", backup)


def test_an_upgrade_breaks_off_what_does_not_end_and_begins_it_again(
    site: Deployed, patient: None
) -> None:
    run_id = site.launch(asset="patient")["run"]["runId"]
    begun(site, run_id)
    told = site.mart("upgrade")
    assert "still under way: 1;" in told
    (site.root / "volumes" / "data" / "go_on").touch()
    site.wait(lambda: site.status(run_id) in {"FAILURE", "CANCELED"}, "it is told")
    site.wait(
        lambda: any(
            run["parentRunId"] == run_id and run["status"] == "SUCCESS" for run in site.runs()
        ),
        "it is begun again",
    )


def test_all_end_by_themselves_when_they_are_asked_to(site: Deployed) -> None:
    (site.root / "stopped.jsonl").unlink(missing_ok=True)
    site.mart("stop")
    told = [json.loads(line) for line in (site.root / "stopped.jsonl").read_text().splitlines()]
    assert {each["service"] for each in told} == set(site.engine.names)
    assert [each for each in told if each["killed"]] == []
