"""What a person sees in Dagster's UI, in a headless Chromium: `make ui`, which needs `chromium`."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumption_datamart_tests.dagster_dev import PROJECT, Dagster, dagster_dev
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump

pytestmark = pytest.mark.ui
SCREENSHOTS = PROJECT / ".datamart" / "screenshots"
WAIT = 30_000
"""Milliseconds until a page must show what it is asked for."""


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    """A mart that has built itself."""
    folder = tmp_path_factory.mktemp("ui")
    lake = folder / "lake"
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    settings = {"lake": lake, "warehouse": f"duckdb://{folder}/mart.duckdb", "start_day": day(1)}
    with dagster_dev(folder, **settings) as running:
        running.wait(lambda: _has_built(running, "report_renewals"), "the mart is there")
        yield running


def _has_built(dagster: Dagster, table: str) -> bool:
    return any(
        run["status"] == "SUCCESS"
        for run in dagster.runs()
        if any(key["path"][-1] == table for key in run["assetSelection"] or ())
    )


@pytest.fixture
def page(dagster: Dagster) -> Iterator[Any]:
    """An empty page of a browser; it must not log errors."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium")
    assert executable, "there is no chromium; install it (Debian: apt install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=dagster.url)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    assert errors == []


def shown(page: Any, path: str, *texts: str) -> None:
    """Open a page; it must show the texts, and no error. Its picture is kept."""
    page.goto(path)
    for text in texts:
        page.get_by_text(text).first.wait_for(timeout=WAIT)
    skip = page.get_by_role("button", name="Skip")
    if skip.count():
        skip.first.click()
    assert not page.get_by_text(re.compile("PythonError|Unexpected|went wrong")).count()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", path).strip("-")
    page.wait_for_timeout(1_000)
    page.screenshot(path=Path(SCREENSHOTS, f"{name}.png"))


def test_the_asset_graph_shows_the_groups(page: Any) -> None:
    shown(page, "/asset-groups", "raw", "star", "reports", "lake")


def test_an_asset_shows_its_latest_figures(page: Any) -> None:
    shown(page, "/assets/mart/dim_product", "Latest materialization", "Row count", "Columns")


def test_a_report_shows_its_policy_and_freshness(page: Any) -> None:
    shown(page, "/assets/mart/report_renewals", "at_most_every(5)", "Freshness policy")


def test_a_report_shows_its_checks(page: Any) -> None:
    checks = "/assets/mart/report_consumption_daily?view=checks"
    shown(page, checks, "complete", "Passed")


def test_what_is_monitored_has_a_page(page: Any) -> None:
    shown(page, "/assets/monitoring/figure", "Figures of every publication", "At 06:00 AM UTC")


def test_schedules_and_sensors_are_on(page: Any, dagster: Dagster) -> None:
    names = ["observe_lake_every_minute", "observe_lake_at_first", "automation"]
    names += ["monitor_every_morning", "alerts"]
    shown(page, "/automation", *names)
    assert dagster.switched_on() == set(names)
