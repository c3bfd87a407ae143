"""A build fills every table as the oracle does, on every engine."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from consumption_datamart.schema.codes import QUARANTINE_REASONS, WARNING_CODES
from consumption_datamart.simulation import simulate
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import differences
from consumption_datamart_tests.contract import CONTRACT, KEYS
from consumption_datamart_tests.lakes import Row, write_dump
from consumption_datamart_tests.mart import ENGINES, MODELS, Tables, build, tables_of
from consumption_datamart_tests.oracle import expected_tables

SOURCE_DATA = Path(__file__).parent.parent / "source_data"
END = date(2026, 3, 31)


def simulated(lake: Path, days: int = 35, **how: object) -> None:
    """A lake of a few customers."""
    size = {"customers": 6, "products": 4, "rows_per_day": 9, "end": END, "seed": 3}
    simulate(lake, days=days, **{"format": "csv", **size, **how})


def without_telemetry(lake: Path) -> None:
    """A lake that one of the three sources never wrote to."""
    simulated(lake / "all")
    for table in ("invoices", "entitlements"):
        (lake / "all" / table).rename(lake / table)


LAKES: dict[str, Callable[[Path], None]] = {
    "clean": simulated,
    "dirty": lambda lake: simulated(lake, dirt=0.1),
    "dirty Parquet": lambda lake: simulated(lake, dirt=0.1, format="parquet"),
    "no dumps": lambda _: None,
    "a single day": lambda lake: simulated(lake, days=1),
    "no telemetry": without_telemetry,
}


@pytest.mark.parametrize("write", LAKES.values(), ids=LAKES)
def test_a_build_fills_every_table(
    write: Callable[[Path], None], lake: Path, tmp_path: Path
) -> None:
    write(lake)
    tables = {engine: built(lake, tmp_path, engine) for engine in ENGINES}
    assert tables["duckdb"].keys() == tables["sqlite"].keys() == MODELS.keys()
    assert_same(tables["sqlite"], tables["duckdb"])
    assert_same(tables["duckdb"], expected_tables(lake))


LAYOUTS: dict[str, dict[str, object]] = {
    "CRLF and a byte order mark": {"crlf": True, "bom": True},
    "columns reversed, and one more": {"reverse": True, "extra": {"note": 'extra, "too"\nmuch'}},
    "Parquet": {"format": "parquet", "as_text": True},
    "part files": {"parts": 2},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout_of_dumps_does_not_matter(
    layout: dict[str, object], lake: Path, tmp_path: Path, engine: str
) -> None:
    simulated(lake)
    for dump in list(lake.rglob("*.csv")):
        write_again(tmp_path / "other", dump, **layout)
    assert_same_mart(built(tmp_path / "other", tmp_path, engine), built(lake, tmp_path, engine))


def test_increments_and_full_snapshots_give_the_same_mart(
    lake: Path, tmp_path: Path, engine: str
) -> None:
    simulated(lake)
    for table in CONTRACT:
        known: dict[tuple, Row] = {}
        for dump in sorted((lake / table).iterdir()):
            rows = read(dump)
            if table != "telemetry":
                known |= {tuple(row[name] for name in KEYS[table]): row for row in rows}
                rows = list(known.values())
            write_dump(tmp_path / "full", table, dump.stem, rows)
    assert_same_mart(built(tmp_path / "full", tmp_path, engine), built(lake, tmp_path, engine))


def test_the_sample_builds_and_has_every_reason_and_every_warning(
    warehouse: str, engine: str
) -> None:
    ended = cli.run_apart("build", "--lake", SOURCE_DATA, "--warehouse", warehouse)
    assert ended.code == 0, ended.err
    assert "Warning" not in ended.err
    tables = tables_of(warehouse)
    rows = [row for name in tables for row in tables[name]]
    assert {row["reason"] for row in rows if "reason" in row} == set(QUARANTINE_REASONS)
    found = {code for row in rows for code in str(row.get("meta__warnings", "")).split(";")}
    assert found - {""} == set(WARNING_CODES)
    days = [row["day"] for row in tables["mart.report_consumption_daily"]]
    assert max(days) - min(days) == timedelta(days=89)


def built(lake: Path, folder: Path, engine: str) -> Tables:
    """All tables, from a warehouse of its own."""
    url = f"{engine}://{folder}/{lake.name}.{engine}"
    build(lake, url)
    return tables_of(url)


def assert_same(actual: Tables, expected: Tables) -> None:
    """Every expected table is there with just the expected rows."""
    for name, rows in expected.items():
        assert not differences(actual[name], rows), name


def assert_same_mart(actual: Tables, expected: Tables) -> None:
    """The star and the reports are the same, however their rows came into the lake."""
    names = [name for name in expected if name.startswith("mart.")]
    assert_same(actual, {name: expected[name] for name in names})
    assert any(expected[name] for name in names if "report" in name)


def read(dump: Path) -> list[Row]:
    """Rows of a clean CSV dump, as texts, null where empty."""
    with dump.open(newline="") as lines:
        return [
            {name: text or None for name, text in row.items()} for row in csv.DictReader(lines)
        ]


def write_again(
    lake: Path, dump: Path, *, parts: int = 1, reverse: bool = False, **how: object
) -> None:
    """Write a clean CSV dump's rows in another layout."""
    table, rows = dump.parent.name, read(dump)
    if reverse:
        how["columns"] = [column.name for column in reversed(CONTRACT[table])]
    for number in range(parts):
        part = f"part-{number}" if parts > 1 else None
        write_dump(lake, table, dump.stem, rows[number::parts], part=part, **how)
