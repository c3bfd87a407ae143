"""A mart that is restored from a backup, on another machine, is healed by the next build."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from consumption_datamart.alerts.machine import Alert, State, Transition
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.build import build
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import settings, tables_of
from consumption_datamart_tests.oracle import expected_tables

ALERT = Alert("check", "a table", State.alarm, 1, datetime(2026, 1, 1), "It fails.")


@pytest.mark.parametrize("release_raw", [True, False])
def test_a_restored_mart_is_healed_and_keeps_its_history(release_raw: bool, tmp_path: Path) -> None:
    lake, here, there = tmp_path / "lake", tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement(starts_on=day(1), ends_on=day(90))])
    for number in (1, 2):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    url = f"duckdb://{here}/mart.duckdb"
    more = {"release_raw": release_raw}
    assert not build(settings(lake, url).model_copy(update=more)).failures
    AlertStore(open_warehouse(url)).write([ALERT], [(Transition(State.ok, ALERT, 1.0), ["mail"])])
    checked = tables_of(url)["monitoring.check_result"]

    for name in ("mart.duckdb", "mart.alerts.sqlite"):  # as docs/operations.md says
        shutil.copy(here / name, there)
    shutil.rmtree(here)
    write_dump(lake, "telemetry", day(2), [usage(event_ts=noon(2), quantity=7.0)])
    write_dump(lake, "telemetry", day(3), [usage(event_ts=noon(3))])
    (lake / "telemetry" / f"{day(1)}.csv").unlink()

    restored = f"duckdb://{there}/mart.duckdb"
    assert not build(settings(lake, restored).model_copy(update={"release_raw": True})).failures
    assert differing(tables_of(restored), expected_tables(lake)) == {}
    found = tables_of(restored)["monitoring.check_result"]
    assert all(each in found for each in checked)
    assert ALERT in AlertStore(open_warehouse(restored)).alerts().values()
