"""The newcomer's page, literally: what it has one write works, keeps the rules, and refreshes."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.discovery import code_location_of
from consumption_datamart.settings import Settings
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import Mart, tables_of
from consumption_datamart_tests.test_architecture import PROJECT
from consumption_datamart_tests.ticks import Automation

PAGE = PROJECT / "docs" / "first-assets.md"
FILES = ["ingest_tickets", "load_tickets", "make_ticket_counts", "report_tickets"]


def commands(step: str) -> list[list[str]]:
    """The commands of a step of the page, without the folder that they are in."""
    (found,) = re.findall(rf"<!-- step: {step} -->\n```sh\n(.*?)```", PAGE.read_text(), re.S)
    return [shlex.split(line.replace(".venv/bin/", "")) for line in found.splitlines()]


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """A mart of a day."""
    found = Mart.of(tmp_path_factory.mktemp("first"), "duckdb")
    write_dump(found.lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(found.lake, "entitlements", day(1), [entitlement()])
    write_dump(found.lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    assert cli.run("build", "--lake", found.lake, "--warehouse", found.url).code == 0
    return found


@pytest.fixture(scope="module")
def folder(mart: Mart) -> Path:
    """The team's folder, as the page has one write it."""
    folder = mart.lake.parent / "team_assets"
    for program, *arguments in commands("new"):
        assert program == "consumption-datamart"
        ended = cli.run(*arguments, "--folder", folder)
        assert ended.code == 0, ended.err
    assert sorted(path.stem for path in folder.glob("[!t]*.py")) == FILES
    return folder


def test_its_tests_pass_and_it_keeps_the_rules(folder: Path) -> None:
    pytest_, validate, discover = commands("check")
    arguments = [str(folder) if each == "team_assets" else each for each in pytest_[1:]]
    ended = subprocess.run(
        [sys.executable, *arguments, "-p", "no:cacheprovider"],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    assert "5 passed" in ended.stdout
    for command in (validate, discover):
        ended = cli.run(*command[1:], "--folder", folder)
        assert (ended.code, ended.err) == (0, "")


def test_they_refresh_by_themselves_one_after_the_other(folder: Path, mart: Mart) -> None:
    settings = Settings(lake=str(mart.lake), warehouse=mart.url, team_assets=str(folder))
    definitions, found = code_location_of(settings, build_definitions)
    assert found is not None
    assert found.broken == {}
    models = [model for each in found.files for model in each.own_models]
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(definitions, instance)
        asked = automation.settle()
        assert automation.failures == []
        assert {*asked} == {"tickets", "ticket_counts", "report_tickets"}
        rows = tables_of(mart.url, *models)
        assert rows["mart.ticket_counts"] == [
            {"customer_id": f"CUST-{number}", "customer_name": None, "row_count": 1}
            for number in (100001, 100002)
        ]
        assert rows["mart.report_tickets"] == [
            {"region": "unknown", "customers": 2, "row_count": 2}
        ]
        # what is fetched again is loaded, and all that is made of it follows
        (folder / "_landing" / "tickets" / "2020-01-01.csv").write_text(
            "customer_id,how_many\nCUST-1,7\n"
        )
        ingested = {dg.AssetKey(["ingest", "tickets"])}
        job = definitions.resolve_implicit_job_def_def_for_assets(ingested)
        assert job is not None
        with automation.later():
            job.get_subset(asset_selection=ingested).execute_in_process(instance=instance)
        then = automation.settle()
        assert {*then} == {"tickets", "ticket_counts", "report_tickets"}
        rows = tables_of(mart.url, *models)
        assert {row["customer_id"]: row["customer_name"] for row in rows["mart.ticket_counts"]} == {
            "CUST-1": "Acme", "CUST-100001": None, "CUST-100002": None,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ingestion", "Tickets"], "'Tickets': write a name in lower case"),
        (["ingestion", "a/b"], "'a/b': write a name in lower case"),
        (["ingestion", "orders", "--owner", "nobody"], "--owner 'nobody': write team:NAME"),
        (["ingestion", "orders", "--owner", 'team:a"b'], "write team:NAME"),
        (["loader", "orders"], "there is no ingest_orders.py for it to load"),
        (["report", "report_x"], "leave out report_"),
        (
            ["report", "x", "--of", "nope"],
            "--of nope: name a table of mart with a column customer_id",
        ),
        (["report", "x", "--of", "dim_day"], "dim_customer, dim_deployment"),
        (["ingestion", "tickets"], "ingest_tickets.py: it is there already"),
    ],
)
def test_what_cannot_be_written_is_told(arguments: list[str], told: str, folder: Path) -> None:
    ended = cli.run("assets", "new", *arguments, "--folder", folder)
    assert ended.code == 1
    assert told in ended.err


def test_a_new_asset_needs_no_dagster(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['x', 'assets', 'new', 'ingestion', 'one', '--folder', 'f'];"
        "from consumption_datamart.cli import run; code = run();"
        "print(code, 'dagster' in sys.modules, 'ibis' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ended.stdout == "0 False False\n", ended.stderr
