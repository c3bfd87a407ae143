"""The mart refreshes itself when the lake changes, and only what changed.

Ticks are evaluated and runs executed in this process, on an instance that is thrown away; what the
tables then hold is compared with the oracle. The engine is SQLite, the quicker of the two; in
`test_daemon` it is DuckDB.
"""

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import AuditError
from consumption_datamart.factories import (
    LakeTableSpec,
    lake_sources,
    lake_table_asset,
    mart_table,
)
from consumption_datamart.lake.sources import Sources
from consumption_datamart.resources import LakeResource, WarehouseResource
from consumption_datamart.schema.dimensions import DimProduct
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.table import Table
from consumption_datamart.schema.types import Real, Text
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Publication
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import SLOW, catalog, copy_mart, settings, tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.test_partitions import CHANGES, LAST, write_lake
from consumption_datamart_tests.ticks import A_WHILE, Automation, Requested, copied

RAW = {"raw_telemetry", "quarantine_telemetry", "files_telemetry"}
REPORTS = {"report_consumption_daily", "report_active_customers_by_product_daily"}
TOTALS = {"report_account_consumption_daily", "report_portfolio_daily"}
MOVED = "report_band_changes"


class Mart(NamedTuple):
    """A lake, the warehouse of its mart, and what keeps the one up with the other."""

    lake: Path
    url: str
    automation: Automation

    def settle(self) -> dict[str, list[date | None]]:
        """Observe the lake, and let the automation run until nothing is left to do."""
        self.automation.observe()
        return self.automation.settle()


@pytest.fixture(scope="module")
def caught_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mart]:
    """A mart that has caught up with its lake of forty days."""
    folder = tmp_path_factory.mktemp("caught_up")
    write_lake(folder / "lake")
    with dg.DagsterInstance.ephemeral() as instance:
        mart = automated(folder / "lake", f"sqlite://{folder}/warehouse.sqlite", instance)
        mart.settle()
        assert not mart.automation.failures
        yield mart


@pytest.fixture
def mart(caught_up: Mart, tmp_path: Path) -> Iterator[Mart]:
    """A copy of it, with its history."""
    lake, url = copy_mart(caught_up.lake.parent, tmp_path, "sqlite")
    with copied(caught_up.automation.instance) as instance:
        yield automated(lake, url, instance, caught_up.automation)


def automated(
    lake: Path, url: str, instance: dg.DagsterInstance, before: Automation | None = None
) -> Mart:
    """A mart under automation, which goes on where it was before."""
    own = settings(lake, url).model_copy(update={"load_retry_seconds": 0, "start_day": day(-9)})
    return Mart(lake, url, Automation(build_definitions(own), instance, before))


def days(first: int, last: int) -> set[date]:
    """The days with numbers from the first to the last."""
    return {day(number) for number in range(first, last + 1)}


def of_days(asked: dict[str, list[date | None]]) -> dict[str, set[date | None]]:
    """What daily tables were asked for."""
    return {name: set(found) for name, found in asked.items() if None not in found}


def test_a_lake_that_did_not_change_starts_nothing(mart: Mart) -> None:
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}
    again = mart.automation.observe()
    assert not again.get_asset_observation_events()
    assert mart.automation.settle() == {}


def test_what_the_mart_knows_of_itself_is_there_once_the_mart_is(mart: Mart) -> None:
    for name in ("check_result", "figure", "objective"):
        key = dg.AssetKey(["monitoring", name])
        assert len(mart.automation.instance.fetch_materializations(key, limit=9).records) == 1


def test_a_dump_that_is_touched_or_written_again_is_no_change(mart: Mart) -> None:
    dump = mart.lake / "telemetry" / f"{day(8)}.csv"
    content = dump.read_bytes()
    dump.unlink()
    dump.write_bytes(content)
    assert not mart.automation.observe().get_asset_observation_events()


def test_a_restated_old_day_refreshes_that_day_and_its_thirty_report_days(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(8), [usage(event_ts=noon(8), quantity=99.0)])
    asked = of_days(mart.settle())
    daily = RAW | {"usage_by_unit_daily", "fact_usage_daily", "fact_consumption_daily"}
    assert {name: asked.pop(name) for name in daily} == dict.fromkeys(daily, days(8, 8))
    assert asked.pop(MOVED) == days(8, LAST)
    assert asked == dict.fromkeys(REPORTS | TOTALS, days(8, 37))
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


@SLOW
def test_several_days_at_once(mart: Mart) -> None:
    for number in (3, 15, LAST):
        write_dump(mart.lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    mart.automation.observe()
    requested = mart.automation.tick()
    changed = {day(3), day(15), day(LAST)}
    assert requested["raw_telemetry"] == requested["usage_by_unit_daily"] == changed
    mart.automation.run(requested)
    mart.automation.settle()
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_a_new_day(mart: Mart) -> None:
    new = LAST + 1
    write_dump(mart.lake, "telemetry", day(new), [usage(event_ts=noon(new), quantity=3.0)])
    asked = of_days(mart.settle())
    facts = RAW | {
        "usage_by_unit_daily",
        "fact_usage_daily",
        "fact_consumption_daily",
        "fact_entitlement_daily",
    }
    assert {name: asked.pop(name) for name in facts} == dict.fromkeys(facts, days(new, new))
    assert all(day(new) in asked[report] for report in REPORTS)
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_one_table_changes_only_what_is_made_of_it(mart: Mart) -> None:
    write_dump(mart.lake, "invoices", day(36), [invoice(invoice_date=day(36), invoice_id="INV-9")])
    asked = mart.settle()
    made_of_it = dg.AssetSelection.assets("lake/invoices").downstream()
    graph = mart.automation.definitions.resolve_asset_graph()
    assert asked.keys() <= {key.path[-1] for key in made_of_it.resolve(graph)}
    assert {"raw_invoices", "dim_customer", "fact_invoice_line"} <= asked.keys()
    assert not of_days(asked), "no name changed, so no day is touched"


@SLOW
def test_an_amendment_recomputes_the_days_that_it_touches_and_no_others(mart: Mart) -> None:
    amended = entitlement(amendment=1, quantity=20, starts_on=day(30), ends_on=day(60))
    write_dump(mart.lake, "entitlements", day(36), [amended])
    asked = of_days(mart.settle())
    assert asked["fact_entitlement_daily"] == days(30, LAST)
    assert asked["fact_consumption_daily"] == days(30, LAST)
    assert min(asked["report_consumption_daily"]) == day(30)
    assert "fact_usage_daily" not in asked
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


@SLOW
def test_a_renamed_customer_touches_the_days_from_then_on(mart: Mart) -> None:
    line = invoice(invoice_date=day(34), invoice_id="INV-9", customer_name="New")
    write_dump(mart.lake, "invoices", day(36), [line])
    asked = of_days(mart.settle())
    assert asked == dict.fromkeys(REPORTS | TOTALS | {MOVED}, days(34, LAST))
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_a_report_is_refreshed_once_for_all_that_changed_in_five_minutes(mart: Mart) -> None:
    def refreshed(quantity: float, minutes: float) -> Requested:
        """Restate a day; what is asked for so many minutes later, but for the reports' inputs."""
        events = [usage(event_ts=noon(8), quantity=quantity)]
        write_dump(mart.lake, "telemetry", day(8), events)
        mart.automation.observe()
        asked: Requested = {}
        for _ in range(7):
            requested = mart.automation.tick(minutes)
            mart.automation.run(requested)
            asked |= requested
        return {name: found for name, found in asked.items() if name.startswith("report_")}

    mart.automation.tick(A_WHILE)
    mart.automation.ahead += mart.automation.until_next(minutes=5) + timedelta(seconds=10)
    assert refreshed(50.0, minutes=0.1).keys() >= REPORTS
    assert refreshed(60.0, minutes=0.1) == {}
    assert refreshed(70.0, minutes=0.1) == {}
    assert mart.automation.settle()["report_consumption_daily"] == sorted(days(8, 37))
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_a_dump_that_cannot_be_read_fails_its_own_day_only_until_it_is_mended(mart: Mart) -> None:
    write_dump(mart.lake, "telemetry", day(8), [usage(event_ts=noon(8), quantity=80.0)])
    write_dump(mart.lake, "telemetry", day(9), [usage(event_ts=noon(9))], columns=["event_id"])
    write_dump(mart.lake, "telemetry", day(10), [usage(event_ts=noon(10), quantity=81.0)])
    asked = mart.settle()
    assert mart.automation.failures
    assert all("telemetry/2026-01-09.csv" in told for told in mart.automation.failures)
    assert asked["raw_telemetry"].count(day(9)) == 1, "it is not asked for again and again"
    (mart.lake / "telemetry" / f"{day(9)}.csv").rename(mart.lake / "bad.csv")
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}
    write_dump(mart.lake, "telemetry", day(9), [usage(event_ts=noon(9), quantity=82.0)])
    mart.automation.failures.clear()
    mart.settle()
    assert not mart.automation.failures
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_months_that_were_to_be_refreshed_are_so_in_a_run_of_another_day(mart: Mart) -> None:
    for number in (8, 15):
        write_dump(mart.lake, "telemetry", day(number), [usage(event_ts=noon(number), quantity=9)])
    mart.automation.observe()
    mart.automation.run(mart.automation.tick())
    write_dump(mart.lake, "telemetry", day(38), [usage(event_ts=noon(38), quantity=99)])
    mart.settle()
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_what_went_with_a_table_that_fails_and_can_do_without_is_refreshed(
    mart: Mart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(warehouse: Any, model: type[Table], *rest: Any) -> Publication:
        if model is DimProduct:
            raise AuditError(DimProduct.full_name(), "its rows are wrong")
        return really(warehouse, model, *rest)

    really = mart_table.publish
    monkeypatch.setattr(mart_table, "publish", publish)
    new = invoice(invoice_id="INV-9", invoice_date=day(36))
    write_dump(mart.lake, "invoices", day(36), [new])
    asked = mart.settle()
    assert len(mart.automation.failures) == len(asked["dim_product"]) == 1
    expected = expected_tables(mart.lake)
    assert "fact_invoice_line" in asked
    assert differing(tables_of(mart.url), expected).keys() <= {DimProduct.full_name()}


def test_a_table_without_a_folder_does_not_hide_the_others(mart: Mart) -> None:
    shutil.rmtree(mart.lake / "entitlements")
    (mart.lake / "entitlements").write_text("no folder")
    write_dump(mart.lake, "telemetry", day(8), [usage(event_ts=noon(8), quantity=99.0)])
    observed = mart.automation.observe()
    events = observed.get_asset_observation_events()
    assert [event.partition for event in events if event.partition] == [str(day(8))]


TOGETHER = [
    ["usage is withdrawn", "the last day is removed"],
    ["usage of a new customer and product", "there is a day two days after the last"],
    ["entitlements were never there"],
]
"""Changes that no test above has made."""


@SLOW
def test_whatever_changes_the_tables_follow(mart: Mart) -> None:
    for names in TOGETHER:
        for name in names:
            CHANGES[name](mart.lake)
        mart.settle()
        assert not mart.automation.failures, names
        assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


class Tickets(Contract):
    """Support tickets."""

    _day = "dump_day"

    event_id: Text
    customer_id: Text
    quantity: Real

    class Config:
        """One row a ticket."""

        unique = ("event_id",)


def test_a_new_lake_table_gets_all_of_it_by_its_spec() -> None:
    spec = LakeTableSpec(Tickets, owners=("team:support",))
    own = Sources().of(Tickets)
    known = replace(catalog(Settings()), sources=own)
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        sources = lake_sources([spec], own, known.partitions[Grain.DAY])
    resources = {
        "lake": LakeResource(uri="lake"),
        "warehouse": WarehouseResource(url="duckdb://none"),
    }
    assets = [sources, lake_table_asset(spec, known)]
    graph = dg.Definitions(assets, resources=resources).resolve_asset_graph()
    source = graph.get(dg.AssetKey(["lake", "tickets"]))
    assert source.is_observable
    assert source.partitions_def == known.partitions[Grain.DAY]
    for name in ("raw_tickets", "quarantine_tickets", "files_tickets"):
        asset = graph.get(dg.AssetKey(["lake", name]))
        assert asset.parent_keys == {source.key}
        assert asset.partitions_def == known.partitions[Grain.DAY]
        assert asset.automation_condition.get_label() == "eager"
        assert (asset.group_name, asset.owners) == ("raw", ["team:support"])
        assert "model" in {check.name for check in asset.check_keys}


@pytest.mark.parametrize("weeks", [1, -1])
def test_a_week_without_a_daemon_and_a_clock_that_is_set_back_are_made_up_for(
    mart: Mart, weeks: int
) -> None:
    mart.automation.ahead += timedelta(weeks=weeks)
    new = range(LAST + 1, LAST + 8)
    for number in new:
        write_dump(mart.lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    asked = mart.settle()
    # each day of what is loaded once, and all of them together
    assert sorted(asked["raw_telemetry"], key=str) == [day(number) for number in new]
    assert not mart.automation.failures
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}
