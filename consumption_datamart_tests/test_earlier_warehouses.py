"""Warehouses that an earlier version has built are read, and go on without losing their history.

`warehouses/` has one of each engine, of the lake that is simulated here, with alerts. They are kept
as that version has left them: never write them anew.
"""

import lzma
from datetime import date
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.report import VIEWS, executive_report
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import Tables, differing
from consumption_datamart_tests.mart import (
    Mart,
    build,
    settings,
    tables_of,
    without_monitoring,
)

KEPT = Path(__file__).parent / "warehouses"
LAKE = {"days": 5, "customers": 3, "products": 2, "rows_per_day": 20, "seed": 7, "dirt": 0.05}
LAST = date(2026, 3, 5)
HISTORY = ("check_result", "figure", "alert", "alert_transition")


@pytest.fixture
def earlier(engine: str, tmp_path: Path) -> Mart:
    """The warehouse that was kept, and its lake."""
    mart = Mart.of(tmp_path, engine)
    content = lzma.decompress((KEPT / f"warehouse.{engine}.xz").read_bytes())
    (tmp_path / f"warehouse.{engine}").write_bytes(content)
    simulate(mart.lake, end=LAST, **LAKE)
    return mart


def lost(before: Tables, after: Tables) -> dict[str, int]:
    """How many rows of the history are no more, by table."""
    found = {}
    for name in (f"monitoring.{each}" for each in HISTORY):
        kept = {repr(row) for row in after[name]}
        found[name] = sum(repr(row) not in kept for row in before[name])
    return {name: rows for name, rows in found.items() if rows}


def test_it_is_reported_from(earlier: Mart) -> None:
    found = executive_report(settings(*earlier), by_all=True)
    assert found.last_day == LAST
    assert found.verdict.pairs == len(found.listings["customer"].rows) > 0
    assert (found.verdict.covered, found.verdict.changes) == (None, None)
    assert "used 129 % of what it is entitled to in 30 days" in [
        action.reason for action in found.actions
    ]
    for by in VIEWS:
        ended = cli.run("report", "--warehouse", earlier.url, "--by", by, "--compare", "2026-03-04")
        assert ended.code == (by == "commitment"), "of the last day only"
        ended = cli.run("report", "--warehouse", earlier.url, "--by", by)
        assert (ended.code, ended.err) == (0, "")
        assert ("nothing fits" in ended.out) == (by != "customer")


def test_a_build_keeps_its_history_and_equals_a_fresh_one(
    earlier: Mart, engine: str, tmp_path: Path
) -> None:
    before = tables_of(earlier.url)
    alerts = AlertStore(open_warehouse(earlier.url)).history()
    build(*earlier)
    after = tables_of(earlier.url)
    book = AlertStore(open_warehouse(earlier.url))
    book.write(book.alerts().values(), [])
    assert len(alerts) > 0
    assert_frame_equal(AlertStore(open_warehouse(earlier.url)).history(), alerts, check_dtype=False)
    assert "mart.product_unit_daily" not in after
    assert all(before[f"monitoring.{name}"] for name in HISTORY)
    assert lost(before, after) == {}
    fresh = f"{engine}://{tmp_path}/fresh.{engine}"
    build(earlier.lake, fresh)
    assert differing(without_monitoring(after), without_monitoring(tables_of(fresh))) == {}


def test_an_upgrade_is_tried_on_a_copy(earlier: Mart) -> None:
    before = tables_of(earlier.url)
    place = ["--lake", earlier.lake, "--warehouse", earlier.url]
    ended = cli.run("upgrade", "--check", *place)
    assert (ended.code, ended.err) == (0, "")
    assert "Lost: mart.product_unit_daily: is no longer part of the mart" in ended.out
    assert "report_renewals: it was never built" in ended.out
    assert tables_of(earlier.url) == before
    assert cli.run("upgrade", *place).out == "Upgraded; build next.\n"
    assert cli.run("upgrade", *place).out == "It is of this version.\n"
    assert cli.run("upgrade", "--check", *place).out == "It is of this version.\n"
