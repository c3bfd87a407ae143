"""A new dump of invoices or entitlements costs itself, whatever was loaded before."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumption_datamart.lake import loading
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.reading import Reading
from consumption_datamart.lake.sources import Source
from consumption_datamart.schema.lake import Invoices
from consumption_datamart.schema.raw import files_of
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import day, invoice, write_dump
from consumption_datamart_tests.mart import as_written, load_table, tables_of
from consumption_datamart_tests.oracle import expected_tables

NAMES = ("lake.raw_invoices", "lake.quarantine_invoices")


def line(number: int, dumped: int, **more: object) -> dict[str, object]:
    """An invoice line that is told again, with another price, in later dumps."""
    row = {"invoice_id": f"INV-{number}", "invoice_date": day(1), "unit_price": float(dumped)}
    return invoice(**row | more)


def agree(lake: Path, url: str) -> None:
    """The tables of invoices are as the oracle has them, and each row of each file is counted."""
    expected = {name: rows for name, rows in expected_tables(lake).items() if name in NAMES}
    found = tables_of(as_written(url))
    assert differing({name: found[name] for name in NAMES}, expected) == {}
    for row in found[files_of(Invoices).full_name()]:
        fates = row["rows_kept"] + row["rows_quarantined"] + row["rows_superseded"]
        assert row["rows_read"] == fates
    kept = sum(row["rows_kept"] for row in found[files_of(Invoices).full_name()])
    assert kept == len(found[NAMES[0]])


def test_earlier_dumps_are_not_read_again(
    lake: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def recording(source: Source, copies: Copies, files: list[DumpFile], *more: Any) -> Reading:
        opened.extend(file.name for file in files)
        return Reading(source, copies, files, *more)

    target = open_warehouse(warehouse)
    for number in (1, 2, 3):
        write_dump(lake, "invoices", day(number), [line(1, number), line(10 + number, number)])
        load_table(target, Invoices, lake)
    agree(lake, warehouse)
    before = tables_of(as_written(warehouse))
    monkeypatch.setattr(loading, "Reading", recording)
    again = [line(11, 4), line(11, 4, unit_price=-1), line(4, 4)]
    write_dump(lake, "invoices", day(4), again)
    found = load_table(target, Invoices, lake)
    assert opened == [f"invoices/{day(4)}.csv"]
    assert found.raw.figures["rows read"].sum() == 6 + 3
    after = tables_of(as_written(warehouse))
    prices = {row["invoice_id"]: float(row["unit_price"]) for row in after[NAMES[0]]}
    assert prices == {"INV-1": 3, "INV-11": 4, "INV-12": 2, "INV-13": 3, "INV-4": 4}
    by_file = {row["file"]: row for row in after[files_of(Invoices).full_name()]}
    assert by_file[f"invoices/{day(1)}.csv"]["rows_superseded"] == 2
    assert len(before[NAMES[0]]) == 4
    agree(lake, warehouse)
    write_dump(lake, "invoices", day(2), [line(1, 2)])
    load_table(target, Invoices, lake)
    assert len(opened) == 1 + 4, "a restated dump may have been what superseded others"
    agree(lake, warehouse)


dump = st.lists(st.integers(1, 6), max_size=6)


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(dumps=st.lists(dump, min_size=2, max_size=6), data=st.data())
def test_in_whatever_steps_dumps_come_the_tables_are_those_of_all(
    dumps: list[list[int]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Increments and snapshots, in order or late, with duplicates, bad rows and several files."""
    folder = tmp_path_factory.mktemp("steps")
    url, lake = f"duckdb://{folder}/warehouse.duckdb", folder / "lake"
    lake.mkdir()
    order = data.draw(st.permutations(range(len(dumps)))) if data.draw(st.booleans()) else None
    for index in order or range(len(dumps)):
        rows = [line(each, index + 1, unit_price=each - 2) for each in dumps[index]]
        part = {"part": "a"} if data.draw(st.integers(0, 4)) == 0 else {}
        write_dump(lake, "invoices", day(index + 1), rows, **part)
        if part:
            write_dump(lake, "invoices", day(index + 1), [line(9, index + 1)], part="b")
        load_table(open_warehouse(url), Invoices, lake)
    agree(lake, url)


def test_many_snapshots_are_loaded_in_small_batches(
    lake: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH_BYTES", 1)
    for number in range(1, 6):
        rows = [line(each, number, unit_price=each - 1) for each in range(number + 1)]
        write_dump(lake, "invoices", day(number), rows)
    target = open_warehouse(warehouse)
    load_table(target, Invoices, lake)
    agree(lake, warehouse)
