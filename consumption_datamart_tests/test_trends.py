"""Figures over time: what is recorded of each publication, and the page that plots it."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.checks import Inspection
from consumption_datamart.cli.trends import sparkline
from consumption_datamart.definitions import build_definitions
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Invoices, Telemetry
from consumption_datamart.trends import CHARTS, figures
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ENGINES, load_table, tables_of

ODD = {"customer_id": "nobody", "quantity": 2e6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with warnings and bad rows, loaded by each engine, one day of it twice."""
    path = tmp_path_factory.mktemp("trends")
    write_dump(
        path / "lake", "invoices", day(5), [invoice(customer_id="x"), invoice(unit_price=-1)]
    )
    write_dump(path / "lake", "telemetry", day(5), [usage(), usage(event_id="2", **ODD)])
    events = [usage(event_ts=noon(7)), usage(event_ts=noon(7)), usage(quantity=1.0)]
    write_dump(path / "lake", "telemetry", day(7), events)
    for engine in ENGINES:
        target, lake = open_warehouse(url(path, engine)), path / "lake"
        load_table(target, Invoices, lake, inspect=Inspection([]))
        load_table(target, Telemetry, lake, Days(day(5), day(7)), inspect=Inspection([]))
        load_table(target, Telemetry, lake, Days(day(7), day(7)), inspect=Inspection([]))
        target.release()
    return path


def url(folder: Path, engine: str) -> str:
    """A warehouse that the lake was loaded into."""
    return f"{engine}://{folder}/warehouse.{engine}"


def test_every_publication_writes_its_figures_down(folder: Path, engine: str) -> None:
    rows = tables_of(url(folder, engine))["monitoring.figure"]
    of_day = {
        (row["built_table"], row["figure"]): row["number"]
        for row in rows
        if row["built_day"] == day(5)
    }
    assert of_day[("lake.raw_telemetry", "rows")] == 2
    assert of_day[("lake.raw_telemetry", "warnings")] == 1
    assert of_day[("lake.raw_telemetry", "warnings unusual_quantity")] == 1
    assert of_day[("lake.raw_telemetry", "warnings invalid_customer_id")] == 1
    assert of_day[("lake.quarantine_telemetry", "rows")] == 0
    assert 0 < of_day[("lake.raw_telemetry", "seconds")] < 60
    times = Counter(
        row["built_day"]
        for row in rows
        if (row["built_table"], row["figure"]) == ("lake.quarantine_telemetry", "rows")
    )
    assert times == {day(5): 1, day(6): 1, day(7): 2}


def test_they_become_series_by_table_and_code(folder: Path, engine: str) -> None:
    found = figures(open_warehouse(url(folder, engine)))
    series = {
        (row.chart, row.series, row.at.date()): row.number
        for row in found.itertuples()
        if row.at.year == 2026 and row.at.date() < date(2026, 2, 1)
    }
    assert series["warnings", "raw_telemetry: unusual_quantity", day(5)] == 1
    assert series["warnings", "raw_telemetry: unusual_quantity", day(6)] == 0
    assert series["quarantined", "quarantine_telemetry: wrong_day", day(7)] == 1
    assert series["quarantined", "quarantine_telemetry: duplicate_key", day(7)] == 1
    assert series["rows", "raw_telemetry", day(7)] == 1
    assert set(found.chart) == CHARTS.keys()
    assert set(found[found.chart == "seconds"].series) == {"raw_invoices", "raw_telemetry"}
    without_days = found[found.series == "raw_invoices: invalid_customer_id"]
    assert list(without_days.number) == [1]


def test_the_page_shows_them_with_titles_units_and_legends(
    folder: Path, engine: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    ended = cli.run("trends", "--warehouse", url(folder, engine), "--export", page)
    assert (ended.code, ended.out, ended.err) == (0, "", f"Wrote {page}\n")
    drawn = page.read_text()
    texts = re.findall(r"<!-- (.*?) -->", drawn)
    for chart in CHARTS.values():
        assert chart.title in texts
        assert chart.unit in texts
    assert "raw\\_telemetry: unusual\\_quantity" in texts or (
        "raw_telemetry: unusual_quantity" in texts
    )
    assert not re.search(r"(src|href)=\"http", drawn), "it needs nothing else"


def test_the_terminal_shows_them_as_blocks(folder: Path) -> None:
    ended = cli.run_apart("trends", "--warehouse", url(folder, "duckdb"))
    assert (ended.code, ended.err) == (0, "")
    lines = [re.split(r"\s{2,}", line.strip()) for line in ended.out.splitlines()]
    assert ["raw_telemetry: unusual_quantity", "█▁▁", "1", "0", "2026-01-07"] in lines
    assert ["raw_telemetry", "█▁▅", "2", "1", "2026-01-07"] in lines
    assert all(any(chart.title in line for line in lines) for chart in CHARTS.values())


def test_blocks_tell_nothing_from_little() -> None:
    assert sparkline([0, 0.01, 1, 4, 7.9, 8]) == "▁▂▂▅▇█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


WRONG = {
    "another ending": (["--export", "page.pdf"], "ends with .html"),
    "no such folder": (["--export", "/nowhere/page.html"], "/nowhere/page.html"),
    "no such warehouse": (["--export", "x.html", "--warehouse", "sqlite:///x/y"], "run consump"),
}


@pytest.mark.parametrize(("arguments", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_in_a_line(arguments: list[str], told: str, folder: Path) -> None:
    ended = cli.run("trends", "--warehouse", url(folder, "duckdb"), *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert told in ended.err


def test_the_ui_shows_them_as_plots(folder: Path) -> None:
    definitions = build_definitions(warehouse=url(folder, "duckdb"), start_day=day(1))
    with dg.DagsterInstance.ephemeral() as instance:
        done = definitions.resolve_job_def("monitor").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["monitoring", "figure"])]
        )
    (made,) = done.asset_materializations_for_node("figure")
    for name, chart in CHARTS.items():
        assert isinstance(made.metadata[name], dg.FloatMetadataValue)
        assert made.metadata[chart.title].value.startswith(
            f"![{chart.title}](data:image/png;base64,"
        )
