"""What was set aside: it is listed, exported, and leaves when its dump is restated without it."""

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from consumption_datamart.schema.codes import QUARANTINE_REASONS
from consumption_datamart_tests import cli
from consumption_datamart_tests.cases.base import line
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ENGINES, build_tables, tables_of

NOT_UTF_8 = line("bytes", deployment_id="DEP-X").encode().replace(b"X", b"\xff")
BROKEN = {"too,few": "too,few", "open": line("open", deployment_id='"DEP'), "bytes": NOT_UTF_8}
TABLES = ["lake.raw_telemetry", "lake.quarantine_telemetry"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with a row for each reason, loaded by each engine."""
    path = tmp_path_factory.mktemp("quarantine")
    lines = [invoice(unit_price=-1), invoice(invoice_id="INV-2", customer_name="[bold]x")]
    write_dump(path / "lake", "invoices", day(5), [*lines, invoice(invoice_date=day(6))])
    write_dump(path / "lake", "entitlements", day(5), [entitlement(unit=" "), entitlement()])
    events = [usage(), usage(quantity=1.0), *BROKEN.values()]
    write_dump(path / "lake", "telemetry", day(5), events)
    write_dump(path / "lake", "telemetry", day(6), [usage(event_ts="at noon")], format="csv")
    for engine in ENGINES:
        build_tables(path / "lake", url(path, engine), {f"lake.raw_{t}" for t in TEAMS})
    return path


TEAMS = {"invoices": "accounting", "entitlements": "accounting", "telemetry": "product"}


def url(folder: Path, engine: str) -> str:
    """A warehouse that the lake was loaded into."""
    return f"{engine}://{folder}/warehouse.{engine}"


def run(folder: Path, engine: str, *arguments: object) -> cli.Ended:
    """The command."""
    return cli.run("quarantine", "--warehouse", url(folder, engine), *arguments)


def test_it_is_shown_what_goes_back_to_whom_and_why(
    folder: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = run(folder, engine)
    assert (ended.code, ended.err) == (0, "")
    assert "In quarantine: 8 rows" in ended.out
    shown = re.findall(r"^ *(team:\w+) +(\w+) +(\w+) +(\d+) *$", ended.out, re.MULTILINE)
    expected = [
        ("team:accounting", "entitlements", "missing_value", "1"),
        ("team:accounting", "invoices", "out_of_range", "1"),
        ("team:accounting", "invoices", "wrong_day", "1"),
        ("team:product", "telemetry", "duplicate_key", "1"),
        ("team:product", "telemetry", "unreadable_value", "4"),
    ]
    assert sorted(shown) == expected
    assert {reason for _, _, reason, _ in shown} == set(QUARANTINE_REASONS)
    assert re.search(r"2026-01-05 +telemetry/2026-01-05.csv +unreadable_value +3 ", ended.out)
    assert "event_ts=at noon" in ended.out


@pytest.mark.parametrize(("ending", "read"), [("csv", None), ("parquet", pq.read_table)])
def test_all_rows_are_exported_as_they_were_delivered(
    ending: str, read: object, folder: Path, engine: str, tmp_path: Path
) -> None:
    path = tmp_path / f"rows.{ending}"
    ended = run(folder, engine, "--export", path)
    assert (ended.code, ended.out, ended.err) == (0, "", f"Wrote 8 rows to {path}\n")
    with path.open(newline="", errors="replace") as stream:
        rows = read(path).to_pylist() if read else list(csv.DictReader(stream))
    stored = tables_of(url(folder, engine))
    for table, team in TEAMS.items():
        of_table = [row for row in rows if row["lake_table"] == table]
        expected = stored[f"lake.quarantine_{table}"]
        assert len(of_table) == len(expected) > 0
        assert {row["owner"] for row in of_table} == {f"team:{team}"}
        written, kept = (
            sorted([str(row[name] or "") for name in expected[0]] for row in found)
            for found in (of_table, expected)
        )
        assert written == kept


def test_a_table_and_a_reason_can_be_chosen(folder: Path, engine: str, tmp_path: Path) -> None:
    chosen = ["--table", "invoices", "--reason", "wrong_day"]
    ended = run(folder, engine, *chosen, "--export", tmp_path / "rows.csv")
    assert ended.err.startswith("Wrote 1 rows")
    with (tmp_path / "rows.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["reason"], row["invoice_date"]) == ("wrong_day", "2026-01-06")
    assert "event_id" not in row
    ended = run(folder, engine, "--table", "entitlements", "--reason", "wrong_day")
    assert (ended.code, ended.out) == (0, "Nothing is in quarantine.\n")


WRONG = {
    "no such table": (["--table", "customers"], "invoices, entitlements, telemetry"),
    "no such reason": (["--reason", "odd"], "unreadable_value"),
    "another ending": (["--export", "rows.json"], ".csv or .parquet"),
    "no such folder": (["--export", "/nowhere/rows.csv"], "/nowhere/rows.csv"),
    "no such warehouse": (["--warehouse", "duckdb:///nowhere/x.duckdb"], "/nowhere"),
}


@pytest.mark.parametrize(("arguments", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_in_a_line(arguments: list[str], told: str, folder: Path) -> None:
    ended = run(folder, "duckdb", *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert told in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_line_that_nobody_can_read_is_set_aside_without_its_neighbours_until_it_is_mended(
    broken: str | bytes, lake: Path, warehouse: str
) -> None:
    before, after = usage(event_id="before"), usage(event_id="after")
    write_dump(lake, "telemetry", day(5), [before, broken, after])
    write_dump(lake, "telemetry", day(6), [usage(event_ts=noon(6)), broken])
    build_tables(lake, warehouse, TABLES)
    kept, set_aside = (tables_of(warehouse)[name] for name in TABLES)
    assert sorted(row["event_id"] for row in kept) == ["EV-1", "after", "before"]
    assert [row["reason"] for row in set_aside] == ["unreadable_value"] * 2
    assert all(row["line"] for row in set_aside)
    write_dump(lake, "telemetry", day(5), [before, usage(event_id="mended"), after])
    build_tables(lake, warehouse, TABLES)
    kept, set_aside = (tables_of(warehouse)[name] for name in TABLES)
    assert sorted(row["event_id"] for row in kept) == ["EV-1", "after", "before", "mended"]
    assert [row["dump_day"] for row in set_aside] == [day(6)]


@pytest.mark.parametrize("table", TEAMS)
def test_rows_leave_quarantine_when_their_dump_is_restated_without_them(
    table: str, lake: Path, warehouse: str
) -> None:
    make = {"invoices": invoice, "entitlements": entitlement, "telemetry": usage}[table]
    names = [f"lake.raw_{table}", f"lake.quarantine_{table}"]
    bad = {"unit_price": -1} if table == "invoices" else {"quantity": -1}
    write_dump(lake, table, day(5), [make(**bad), make(), make()])
    build_tables(lake, warehouse, names)
    tables = tables_of(warehouse)
    reasons = sorted(row["reason"] for row in tables[names[1]])
    assert (len(tables[names[0]]), reasons) == (1, ["duplicate_key", "out_of_range"])
    write_dump(lake, table, day(5), [make()])
    build_tables(lake, warehouse, names)
    tables = tables_of(warehouse)
    assert (len(tables[names[0]]), tables[names[1]]) == (1, [])
