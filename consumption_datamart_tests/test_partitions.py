"""The mart depends on what the lake holds, not on the order and number of runs that led to it."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import Row, day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    SLOW,
    Built,
    build,
    build_with_dagster,
    settings,
    tables_of,
    without_monitoring,
)
from consumption_datamart_tests.oracle import expected_tables

Change = Callable[[Path], date]

FIRST, LAST = 1, 40
CALLS = {"product_id": "calls", "unit": "call"}


def write_lake(lake: Path) -> None:
    """Forty days with little on them, but for windows to begin, to end and to meet."""
    write_dump(lake, "invoices", day(FIRST), [invoice(invoice_date=day(FIRST))])
    write_dump(lake, "invoices", day(33), [invoice(invoice_date=day(33), invoice_id="INV-2")])
    terms = [
        entitlement(starts_on=day(-20), ends_on=day(60)),
        entitlement(
            entitlement_id="ENT-2", **CALLS, metering="consumable", starts_on=day(4), ends_on=day(9)
        ),
    ]
    write_dump(lake, "entitlements", day(2), terms)
    for number in (1, 2, 3, 8, 15, 31, 32, 38, LAST):
        events = [
            usage(event_ts=noon(number), quantity=number),
            usage(event_id="EV-2", event_ts=noon(number, hour=3), customer_id="CUST-2", **CALLS),
        ]
        write_dump(lake, "telemetry", day(number), events)


def test_days_backwards_and_some_of_them_twice_make_no_difference(
    lake: Path, tmp_path: Path
) -> None:
    write_lake(lake)
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    for first, last in [(21, 40), (5, 5), (1, 22)]:
        build(lake, url, day(first), day(last))
    assert differing(tables_of(url), expected_tables(lake)) == {}


def test_a_lake_that_grows(lake: Path, tmp_path: Path) -> None:
    write_lake(tmp_path / "all")
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    for number in (1, LAST):
        deliver(tmp_path / "all", lake, day(number))
        build(lake, url)
    assert differing(tables_of(url), expected_tables(lake)) == {}


def deliver(source: Path, lake: Path, until: date) -> None:
    """Copy the dumps of all days until then."""
    for dump in source.rglob("*.csv"):
        if date.fromisoformat(dump.stem) <= until:
            target = lake / dump.relative_to(source)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(dump, target)


def restate(table: str, number: int, *rows: Row, **how: object) -> Change:
    """Write a dump anew; tells its day."""

    def write(lake: Path) -> date:
        write_dump(lake, table, day(number), rows, **how)
        return day(number)

    return write


def remove(number: int, *tables: str) -> Change:
    """Take the dumps of a day away; tells the day."""

    def unlink(lake: Path) -> date:
        for table in tables:
            (lake / table / f"{day(number)}.csv").unlink()
        return day(number)

    return unlink


CHANGES: dict[str, Change] = {
    "usage is restated": restate("telemetry", 15, usage(event_ts=noon(15), quantity=99.0)),
    "usage comes late": restate("telemetry", 20, usage(event_ts=noon(20), quantity=7.0)),
    "usage is withdrawn": restate("telemetry", 8),
    "a day gets a further part": restate(
        "telemetry", 8, usage(event_id="EV-9", event_ts=noon(8)), part="part-0", format="parquet"
    ),
    "usage of a new customer and product": restate(
        "telemetry", 8, usage(event_ts=noon(8), customer_id="CUST-9", product_id="new")
    ),
    "a dump is removed": remove(8, "telemetry"),
    "the last day is removed": remove(LAST, "telemetry"),
    "the first day is removed": remove(FIRST, "telemetry", "invoices"),
    "there is a day two days after the last": restate("telemetry", 42, usage(event_ts=noon(42))),
    "there is a day before the first": restate("telemetry", -3, usage(event_ts=noon(-3))),
    "a customer and a product are renamed": restate(
        "invoices",
        36,
        invoice(invoice_date=day(34), invoice_id="INV-9", customer_name="New", product_name="New"),
    ),
    "an entitlement is cancelled retroactively": restate(
        "entitlements", 36, entitlement(amendment=1, starts_on=day(5), ends_on=day(5))
    ),
    "entitlements were never there": remove(2, "entitlements"),
    "a product is now metered otherwise": restate(
        "entitlements", 20, entitlement(entitlement_id="ENT-9", metering="consumable")
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of that lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake)


def test_all_days_twice_make_no_difference(built: Built, tmp_path: Path) -> None:
    lake, url = built.copy(tmp_path)
    build(lake, url, day(FIRST), day(LAST))
    assert differing(tables_of(url), expected_tables(lake)) == {}


ALIKE = {
    "of usage": ("is restated", "comes late", "a new customer"),
    "of dumps": ("a dump is removed", "the last day"),
    "of days": ("two days after", "before the first"),
    "of terms": ("are renamed", "retroactively", "metered otherwise"),
}
"""Changes by parts of their names, that have little to do with each other."""


@pytest.mark.parametrize("parts", ALIKE.values(), ids=ALIKE)
def test_changes_are_found_and_made_up_for(
    parts: tuple[str, ...], built: Built, tmp_path: Path
) -> None:
    lake, url = built.copy(tmp_path, "sqlite")  # others are made on DuckDB below
    changes = [change for name, change in CHANGES.items() if any(part in name for part in parts)]
    assert len(changes) == len(parts)
    for change in changes:
        change(lake)
    build(lake, url)
    assert differing(tables_of(url), expected_tables(lake)) == {}


@SLOW
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_found_and_made_up_for(change: Change, built: Built, tmp_path: Path) -> None:
    lake, url = built.copy(tmp_path, "sqlite")
    change(lake)
    build(lake, url)
    assert differing(tables_of(url), expected_tables(lake)) == {}


ONE_BY_ONE = [
    "usage comes late",
    "the first day is removed",
    "there is a day before the first",
    "an entitlement is cancelled retroactively",
]


def test_changes_are_made_up_for_by_building_the_day_of_each(built: Built, tmp_path: Path) -> None:
    lake, url = built.copy(tmp_path)
    for name in ONE_BY_ONE:
        changed = CHANGES[name](lake)
        build(lake, url, changed, changed)
        assert differing(tables_of(url), expected_tables(lake)) == {}


def test_any_changes_are_made_up_for_together(built: Built, engine: str, tmp_path: Path) -> None:
    lake, url = built.copy(tmp_path, engine)
    names = sorted(CHANGES)
    for change in random.Random(0).sample(names, len(names) // 2):
        CHANGES[change](lake)
    build(lake, url)
    assert differing(tables_of(url), expected_tables(lake)) == {}


def test_a_range_of_days_is_one_run(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lake(tmp_path / "all")
    deliver(tmp_path / "all", lake, day(8))
    home = tmp_path / "dagster"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    result = build(lake, f"duckdb://{tmp_path}/warehouse.duckdb", day(FIRST), day(5))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        *_, run = instance.get_runs()  # the first, before what it has left stale
        usages = instance.get_materialized_partitions(dg.AssetKey(["lake", "raw_telemetry"]))
        steps = instance.get_run_step_stats(run.run_id)
    assert len(usages) == 7, "two days without a dump follow, and are built with them"
    assert run.is_success
    assert len(steps) == len({step.step_key for step in steps}) <= len(result.tables)


def test_with_and_without_a_history_a_build_is_the_same(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dump(lake, "entitlements", day(1), [entitlement()])
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    (lake / "telemetry" / f"{day(2)}.csv").write_bytes(b"")  # fails its own day only
    write_dump(lake, "telemetry", day(3), [usage(event_ts=noon(3)), usage(quantity=-1)])
    told, there = [], []
    for history in ("without", "with"):
        if history == "with":
            monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        url = f"duckdb://{tmp_path}/{history}.duckdb"
        result = build_with_dagster(settings(lake, url))
        told.append([replace(each, seconds=0) for each in result.tables])
        assert "column 'event_id' is missing" in result.failures["raw_telemetry"]
        there.append(tables_of(url))
    assert told[0] == told[1]
    (raw,) = (each for each in told[0] if each.name == "lake/raw_telemetry")
    assert (raw.days, raw.rows, raw.quarantined) == (2, 2, 1)
    assert differing(there[1], without_monitoring(there[0])) == {}
    results = [results_of(tables) for tables in there]
    assert results[0] == results[1] != []


def results_of(tables: dict[str, list[Row]]) -> list[str]:
    """Results of checks, whenever they were."""
    found = tables["monitoring.check_result"]
    return sorted(repr({**row, "evaluated_at": None}) for row in found)


def first_partition(lake: str, **settings: object) -> str:
    """The first daily partition of the mart of a lake."""
    graph = build_definitions(lake=lake, **settings).resolve_asset_graph()
    partitions = graph.get(dg.AssetKey(["mart", "fact_usage_daily"])).partitions_def
    return str(partitions.get_first_partition_key())


def test_partitions_begin_with_the_lake(lake: Path) -> None:
    assert first_partition(str(lake)) == "2020-01-01", "it is empty"
    write_dump(lake, "telemetry", day(5), [usage(event_ts=noon(5))])
    write_dump(lake, "invoices", day(3), [])
    assert first_partition(str(lake)) == str(day(3))
    assert first_partition(str(lake), start_day=day(1)) == str(day(1))
    assert first_partition(f"{lake}/none") == "2020-01-01", "the code location loads all the same"
