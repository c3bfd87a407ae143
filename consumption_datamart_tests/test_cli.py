"""What a user of the command relies on: exit codes, output, help, and current reference pages."""

import csv
import io
import json
import re
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.cli.reference import reference
from consumption_datamart.definitions import models
from consumption_datamart.schema.codes import BANDS
from consumption_datamart.schema.dictionary import dictionary
from consumption_datamart.schema.superset import superset
from consumption_datamart_tests import cli
from consumption_datamart_tests.mart import STORED, tables_of

DOCS = Path(__file__).parent.parent / "docs"
SIZE = ["--days", 40, "--customers", 12, "--products", 4, "--rows-per-day", 20]
END = "2026-03-31"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated lake, and the mart that was built of it."""
    path = tmp_path_factory.mktemp("cli")
    simulated = cli.run("simulate", "--out", path / "lake", *SIZE, "--end", END, "--dirt", 0.05)
    assert simulated.code == 0
    assert f"Wrote 40 days to {END}" in simulated.err
    built = cli.run("build", "--lake", path / "lake", "--warehouse", url(path))
    assert built.code == 0
    (path / "built.txt").write_text(built.out)
    return path


def url(folder: Path) -> str:
    """The warehouse."""
    return f"duckdb://{folder}/warehouse.duckdb"


def test_build_shows_every_table_with_its_rows(folder: Path) -> None:
    out = (folder / "built.txt").read_text()
    assert f"Built 2026-02-20 … {END}" in out
    tables = tables_of(url(folder))
    for model in models().values():
        (line,) = re.findall(rf"^ *{model.table_name()} .*$", out, re.MULTILINE)
        assert f" {len(tables[model.full_name()]):,} " in line
    shown = re.search(r"^ *raw_telemetry +([\d,]+) +([\d,]+) +([\d,]+) ", out, re.MULTILINE)
    assert shown is not None
    kept, set_aside, flagged = (int(number.replace(",", "")) for number in shown.groups())
    assert kept == len(tables["lake.raw_telemetry"])
    assert set_aside == len(tables["lake.quarantine_telemetry"]) > 0
    assert flagged == sum(bool(row["meta__warnings"]) for row in tables["lake.raw_telemetry"]) > 0


def test_build_takes_a_range_of_days_and_leaves_nothing_behind_but_the_warehouse(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    days = ["--from", "2026-03-01", "--to", "2026-03-02"]
    ended = cli.run("build", "--lake", folder / "lake", "--warehouse", url(folder), *days)
    assert ended.code == 0
    assert "Built 2026-03-01 … 2026-03-02" in ended.out
    assert not list(tmp_path.iterdir())
    names = {path.name for path in folder.iterdir()}
    tables = {f"warehouse{kind}.duckdb" for kind in ("", ".previous", ".working")}
    alerts = {"warehouse.alerts.sqlite", "warehouse.alerts.sqlite.lock"}
    assert names == {"lake", "built.txt", *tables, *alerts}


def test_report_as_json(folder: Path) -> None:
    ended = cli.run("report", "--warehouse", url(folder), "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    report = json.loads(ended.out)
    tables = tables_of(url(folder))
    assert report["day"] == report["last_day"] == END
    expected = [row for row in tables["mart.report_consumption_daily"] if str(row["day"]) == END]
    by_key = {(row["customer_id"], row["product_id"]): row for row in expected}
    assert report["by"] == "customer"
    assert len(report["rows"]) == len(expected) == report["verdict"]["pairs"] > 0
    for row in report["rows"]:
        found = by_key[row["customer_id"], row["product_id"]]
        assert row.pop("metering") in ("capacity", "consumable")
        assert row.pop("unit")
        assert row == found | {"day": END}
    risks = {row["entitlement_id"] for row in tables["mart.report_renewals"] if row["at_risk"]}
    assert report["verdict"]["at_risk"]["rows"] == len(risks)
    acted_on = {action["entitlement_id"] for action in report["actions"]}
    assert risks <= acted_on


@pytest.mark.parametrize("by", ["customer", "product", "account", "commitment"])
def test_report_as_csv(by: str, folder: Path) -> None:
    arguments = ["report", "--warehouse", url(folder), "--day", "2026-03-10", "--by", by]
    rows = list(csv.DictReader(io.StringIO(cli.run(*arguments, "--format", "csv").out)))
    report = json.loads(cli.run(*arguments, "--format", "json").out)
    assert (report["day"], report["last_day"]) == ("2026-03-10", END)
    assert len(rows) == len(report["rows"]) > 0
    for row, expected in zip(rows, report["rows"], strict=True):
        for column, value in expected.items():
            assert row[column] == ("" if value is None else str(value)), column


@pytest.mark.parametrize("by", ["customer", "product", "account", "commitment"])
def test_report_as_tables(by: str, folder: Path) -> None:
    ended = cli.run("report", "--warehouse", url(folder), "--by", by)
    assert (ended.code, ended.err) == (0, "")
    assert f"30 days to {END}, as of " in ended.out
    assert "To act on first" in ended.out
    assert set(BANDS) & set(ended.out.split())
    assert "nan" not in ended.out.lower()
    assert max(map(len, ended.out.splitlines())) <= 80


def test_report_tells_that_the_mart_is_empty(lake: Path, tmp_path: Path) -> None:
    arguments = ["--warehouse", url(tmp_path)]
    assert cli.run("build", "--lake", lake, *arguments).code == 0
    for format in ("table", "json", "csv"):
        ended = cli.run("report", *arguments, "--format", format)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith("Error: ")
        assert "empty" in ended.err


def test_simulate_makes_the_same_lake_from_the_same_seed(tmp_path: Path) -> None:
    arguments = ["simulate", *SIZE, "--end", END, "--format", "csv", "--seed", 5]
    for name in ("one", "other"):
        assert cli.run(*arguments, "--out", tmp_path / name).code == 0
    files = sorted((tmp_path / "one").rglob("*.csv"))
    # and snapshots of bundles, accounts and rates: at first, and on the first of the month
    assert len(files) == 3 * 40 + 3 * 2
    for file in files:
        other = tmp_path / "other" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    "wrong", [["--days", 0], ["--dirt", 2], ["--format", "xml"], ["--rows-per-day", -1], ["--day"]]
)
def test_simulate_refuses_what_makes_no_lake(wrong: list[object], tmp_path: Path) -> None:
    ended = cli.run("simulate", "--out", tmp_path / "lake", *SIZE, *wrong)
    assert ended.code == 2
    assert str(wrong[0]) in ended.err
    assert not (tmp_path / "lake").exists()


def test_simulate_tells_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = cli.run("simulate", "--out", tmp_path / "file", *SIZE)
    assert ended.code == 1
    assert f"Error: --out {tmp_path / 'file'}: cannot be written to" in ended.err


@pytest.mark.parametrize(
    "command",
    [[], ["build"], ["report"], ["quarantine"], ["slo"], ["trends"], ["alerts"], ["simulate"]],
)
def test_help(command: list[str]) -> None:
    ended = cli.run(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(" ".join(["Usage: consumption-datamart", *command]))


def test_version() -> None:
    assert cli.run("--version") == (
        0,
        f"consumption-datamart {version('consumption-datamart')}\n",
        "",
    )


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("rep", ["report"]),
        ("report --by ", ["customer", "product", "account", "commitment"]),
        ("report --band un", ["unlimited", "unentitled", "unused"]),
        ("report --status o", ["overrunning", "on_track"]),
    ],
)
def test_a_shell_completes(typed: str, completed: list[str]) -> None:
    words = f"consumption-datamart {typed}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    ended = cli.run_apart(_CONSUMPTION_DATAMART_COMPLETE="complete_bash", **asked)
    assert (ended.code, ended.out.split()) == (0, completed)


def test_the_command_as_a_process(tmp_path: Path) -> None:
    ended = cli.run_apart("simulate", "--out", tmp_path, *SIZE, "--end", END)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"Wrote 40 days to {END} into {tmp_path}\n"


def test_the_process_ends_with_the_exit_code_of_the_command(tmp_path: Path) -> None:
    ended = cli.run_apart("report", "--warehouse", url(tmp_path))
    told = (
        f"Error: warehouse {url(tmp_path)}: the mart is not built; run consumption-datamart build"
    )
    assert ended == (1, "", f"{told}\n")


def test_a_run_is_recorded_where_dagster_home_says(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["build", "--lake", folder / "lake", "--warehouse", url(tmp_path), "--from", END]
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))
    ended = cli.run(*arguments)
    assert ended.code == 1
    assert f"DAGSTER_HOME={tmp_path}/nowhere: there is no such folder" in ended.err
    (tmp_path / "nowhere").mkdir()
    assert cli.run(*arguments).code == 0
    with dg.DagsterInstance.from_config(str(tmp_path / "nowhere")) as instance:
        (run,) = instance.get_runs()
        assert run.is_success
        key = dg.AssetKey(["mart", "report_consumption_daily"])
        assert instance.get_materialized_partitions(key) == {END}


def test_the_datasets_are_current() -> None:
    there = (path for path in (DOCS / "superset").rglob("*") if path.is_file())
    found = {str(path.relative_to(DOCS / "superset")): path.read_text() for path in there}
    assert found == superset(), "write them anew: make docs"


@pytest.mark.parametrize(
    ("file", "written", "command"),
    [
        ("cli.md", reference, "python -m consumption_datamart.cli.reference > docs/cli.md"),
        (
            "data-dictionary.md",
            lambda: dictionary([*STORED.values()]),
            "make docs",
        ),
    ],
)
def test_a_reference_page_is_current(file: str, written: object, command: str) -> None:
    assert (DOCS / file).read_text().strip() == written().strip(), f"write it anew: {command}"
