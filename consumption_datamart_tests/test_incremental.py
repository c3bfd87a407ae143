"""A build costs what has changed: the days that a change shows on, and nothing where none has."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from consumption_datamart.build import BuildResult, dry_run, in_process
from consumption_datamart.build import build as build_mart
from consumption_datamart.errors import WarehouseError
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    DUCKDB,
    Built,
    Mart,
    as_of_other_code,
    build,
    settings,
    tables_of,
)

LAST = 40


def write_lake(lake: Path) -> None:
    """Forty days of usage under one entitlement."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    terms = entitlement(starts_on=day(-20), ends_on=day(90))
    write_dump(lake, "entitlements", day(1), [terms])
    for number in range(1, LAST + 1):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of that lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def days_built(result: BuildResult) -> dict[str, int | None]:
    """How many days of each table of the mart were built; None where it has none."""
    return {table.name.split("/")[-1]: table.days for table in result.tables}


def untouched(lake: Path) -> None:
    """As it was."""


def touched(lake: Path) -> None:
    """Another time of change, the same content."""
    os.utime(lake / "telemetry" / f"{day(8)}.csv")


def written_again(lake: Path) -> None:
    """Another file, the same content."""
    dump = lake / "entitlements" / f"{day(1)}.csv"
    content = dump.read_bytes()
    dump.unlink()
    dump.write_bytes(content)


@pytest.mark.parametrize("same", [untouched, touched, written_again])
def test_an_unchanged_lake_is_noticed(same: Callable[[Path], None], mart: Mart) -> None:
    before = tables_of(mart.url)
    same(mart.lake)
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 0
    assert ended.out.startswith(f"Nothing to build: the lake is as it was, {day(1)} … {day(LAST)}")
    now = tables_of(mart.url)
    # what a build says of itself is about no table of the mart
    of_alerts = {name for name in now if name.startswith("monitoring.alert")}
    known = now.keys() - of_alerts
    assert {name: now[name] for name in known} == {name: before[name] for name in known}


def planned(mart: Mart) -> dict[str, list[tuple[str, str]]]:
    """What a dry run says: the days (first … last) of each table, and the reason."""
    before = tables_of(mart.url)
    found: dict[str, list[tuple[str, str]]] = {}
    for step in dry_run(settings(*mart)):
        found.setdefault(step.table.split(".")[1], []).append((str(step.days or ""), step.reason))
    assert tables_of(mart.url) == before
    return found


def days(first: int, last: int) -> str:
    """As a dry run writes them."""
    return f"{day(first)}" if first == last else f"{day(first)} … {day(last)}"


def test_a_dry_run_of_an_unchanged_lake(mart: Mart) -> None:
    assert planned(mart) == {}
    ended = cli.run("build", "--dry-run", "--lake", mart.lake, "--warehouse", mart.url)
    assert (ended.code, ended.out) == (0, "Nothing to build: the lake is as it was.\n")
    ended = cli.run("build", "--dry-run", "--full", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 2


@DUCKDB
def test_a_dry_run_of_a_restated_day(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(8), [usage(event_ts=noon(8), quantity=99.0)])
    found = planned(mart)
    dump = "a dump is new, changed or gone"
    assert found["raw_telemetry"] == [(days(8, 8), dump)]
    assert found["usage_by_unit_daily"] == [(days(8, 8), "raw_telemetry is refreshed")]
    assert found["report_consumption_daily"][0] == (
        days(8, 37),
        "fact_consumption_daily is refreshed",
    )
    assert found["dim_customer"] == [("", "deployment_monthly is refreshed")]
    assert not {"raw_invoices", "raw_entitlements"} & set(found)
    ended = cli.run("build", "--dry-run", "--lake", mart.lake, "--warehouse", mart.url)
    assert f"\nusage_by_unit_daily {day(8)}: raw_telemetry is refreshed\n" in ended.out
    built_then = days_built(build(*mart)).keys()
    loaded_with = {"quarantine_telemetry", "files_telemetry", "objective"}
    # reporting_day and dim_customer turn out to be as they were: what follows no others stays
    as_before = {"dim_entitlement", "entitlement_value", "fact_invoice_line", "dim_account"}
    as_before |= {"fact_entitlement_daily", "report_renewals"}
    assert built_then - loaded_with == set(found) - as_before


@DUCKDB
def test_a_dry_run_of_a_new_day(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(LAST + 1), [usage(event_ts=noon(LAST + 1))])
    found, new = planned(mart), days(LAST + 1, LAST + 1)
    assert found["raw_telemetry"] == [(new, "a dump is new, changed or gone")]
    assert found["reporting_day"] == [("", "dumps is refreshed")]
    for name in ("fact_usage_daily", "fact_entitlement_daily", "fact_consumption_daily"):
        assert found[name][0] == (new, "it was never built")
    assert found["report_consumption_daily"][0] == (new, "it was never built")


@DUCKDB
def test_a_dry_run_of_an_amendment_and_of_a_new_name(mart: Mart) -> None:
    line = invoice(invoice_date=day(9), invoice_id="INV-9", customer_name="New")
    write_dump(mart.lake, "invoices", day(LAST), [line])
    amendment = entitlement(amendment=1, starts_on=day(35), ends_on=day(90), quantity=7)
    write_dump(mart.lake, "entitlements", day(LAST), [amendment])
    found = planned(mart)
    assert found["raw_entitlements"] == [("", "a dump is new, changed or gone")]
    assert found["dim_entitlement"] == [("", "raw_entitlements is refreshed")]
    assert found["fact_entitlement_daily"] == [
        ("", "on the days that a change of dim_entitlement shows")
    ]
    report = "report_active_customers_by_product_daily"
    assert found[report] == [("", "on the days that a change of dim_customer or dim_product shows")]
    assert not {"raw_telemetry", "fact_usage_daily"} & set(found)


@DUCKDB
def test_a_dry_run_after_a_change_of_the_code(mart: Mart, monkeypatch: pytest.MonkeyPatch) -> None:
    as_of_other_code(monkeypatch)
    found = planned(mart)
    assert found["raw_telemetry"] == [(days(1, LAST), "it was built by other code")]
    assert found["dim_day"] == [("", "it was built by other code")]
    assert found["report_consumption_daily"][0] == (days(1, LAST), "it was built by other code")


def test_a_restated_day_costs_the_days_that_it_shows_on(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(8), [usage(event_ts=noon(8), quantity=99.0)])
    days = days_built(build(*mart))
    assert days["raw_telemetry"] == days["fact_usage_daily"] == days["fact_consumption_daily"] == 1
    assert days["report_consumption_daily"] == 30
    assert days["report_active_customers_by_product_daily"] == 30
    assert "objective" in days
    assert not {"raw_invoices", "raw_entitlements", "fact_entitlement_daily", "dim_day"} & set(days)
    assert days_built(build(*mart)) == {}


@DUCKDB
def test_an_amendment_costs_the_days_that_it_shows_on(mart: Mart) -> None:
    amendment = entitlement(
        amendment=1, starts_on=day(35), ends_on=day(90), quantity=7, invoice_id=None
    )
    write_dump(mart.lake, "entitlements", day(LAST), [amendment])
    days = days_built(build(*mart))
    assert days["fact_entitlement_daily"] == days["fact_consumption_daily"] == LAST - 34
    assert days["report_consumption_daily"] == LAST - 34
    assert not {"raw_invoices", "raw_telemetry", "fact_usage_daily"} & set(days)


@DUCKDB
def test_a_new_day_costs_that_day(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(LAST + 1), [usage(event_ts=noon(LAST + 1))])
    days = days_built(build(*mart))
    assert days["raw_telemetry"] == days["fact_consumption_daily"] == 1
    assert days["fact_entitlement_daily"] == days["report_consumption_daily"] == 1


@DUCKDB
def test_other_code_builds_everything_anew(mart: Mart, monkeypatch: pytest.MonkeyPatch) -> None:
    as_of_other_code(monkeypatch)
    days = days_built(build(*mart))
    assert days["raw_telemetry"] == days["report_consumption_daily"] == LAST
    assert {"raw_invoices", "raw_entitlements", "dim_day", "report_renewals"} <= set(days)
    assert days_built(build(*mart)) == {}


@DUCKDB
def test_all_days_are_built_anew_when_asked_for(mart: Mart) -> None:
    ended = cli.run("build", "--full", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 0
    assert "dim_day" in ended.out


def test_a_dump_that_cannot_be_read_is_tried_by_each_build(mart: Mart) -> None:
    dump = mart.lake / "telemetry" / f"{day(8)}.csv"
    good = dump.read_bytes()
    before = tables_of(mart.url)
    dump.write_bytes(b"\xff\n")
    for _ in range(2):
        ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
        assert ended.code == 1
        assert f"telemetry/{day(8)}.csv" in ended.err
        assert "Not built, because of the above: lake/" in ended.err
        assert "fact_usage_daily" not in ended.err, "what was loaded before does for it"
    dump.write_bytes(good)
    assert cli.run("build", "--lake", mart.lake, "--warehouse", mart.url).code == 0
    name, after = "mart.report_consumption_daily", tables_of(mart.url)
    assert sorted(after[name], key=str) == sorted(before[name], key=str)


def test_where_the_mart_cannot_be_made_longer_no_later_day_is_shown(
    mart: Mart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usage of a day of which the entitlements are not counted yet would look like no right to."""
    write_dump(mart.lake, "telemetry", day(8), [usage(event_ts=noon(8), quantity=9.0)])
    write_dump(mart.lake, "telemetry", day(LAST + 1), [usage(event_ts=noon(LAST + 1))])

    def lost(*_: object) -> None:
        raise WarehouseError("the connection is lost")

    with monkeypatch.context() as patched:
        patched.setattr(in_process, "refresh_listed", lost)
        failures = build_mart(settings(*mart)).failures
    assert failures == {"dumps": "the connection is lost"}
    shown = tables_of(mart.url)["mart.fact_consumption_daily"]
    assert max(row["day"] for row in shown) == day(LAST)
    assert next(row for row in shown if row["day"] == day(8))["used_quantity"] == 9.0
    assert build(*mart).failures == {}
    shown = tables_of(mart.url)["mart.fact_consumption_daily"]
    assert {row["entitled_quantity"] for row in shown if row["day"] == day(LAST + 1)} == {10.0}
