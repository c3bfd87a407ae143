"""A build fills every table as the oracle does, on every engine."""

import csv
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from consumption_datamart.schema.codes import QUARANTINE_REASONS, WARNING_CODES
from consumption_datamart.simulation import simulate
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.contract import CONTRACT, KEYS, column_names
from consumption_datamart_tests.lakes import Row, write_dump
from consumption_datamart_tests.mart import (
    ENGINES,
    MODELS,
    build,
    tables_of,
    without_monitoring,
)
from consumption_datamart_tests.oracle import expected_tables

SOURCE_DATA = Path(__file__).parent.parent / "source_data"
END = date(2026, 3, 31)


def simulated(lake: Path, days: int = 35, **how: object) -> None:
    """A lake of a few customers."""
    size = {"customers": 6, "products": 4, "rows_per_day": 9, "end": END, "seed": 3}
    simulate(lake, days=days, **{"format": "csv", **size, **how})


def without_telemetry(lake: Path) -> None:
    """A lake of one day that one of the three sources never wrote to."""
    simulated(lake / "all", days=1)
    for table in ("invoices", "entitlements"):
        (lake / "all" / table).rename(lake / table)


LAYOUTS: list[dict[str, object]] = [
    {"crlf": True, "bom": True},
    {"columns": lambda names: names[::-1], "extra": {"note": 'one more, "too"\nlong'}},
    {"format": "parquet", "as_text": True},
    {"parts": 2, "crlf": True},
    {"parts": 3, "format": "parquet", "as_text": True},
]


def in_every_layout(lake: Path) -> None:
    """The dumps of a plain lake, each day's in another layout."""
    for plain in dumps_of_a_plain_lake(lake):
        how = dict(LAYOUTS[date.fromisoformat(plain.stem).toordinal() % len(LAYOUTS)])
        table, parts, order = plain.parent.name, how.pop("parts", 1), how.pop("columns", list)
        for number in range(parts):
            how["part"] = f"part-{number}" if parts > 1 else None
            how["columns"] = order(column_names(table))
            write_dump(lake, table, plain.stem, read(plain)[number::parts], **how)


def as_full_snapshots(lake: Path) -> None:
    """The dumps of a plain lake, those of invoices and entitlements with all rows until then."""
    known: dict[str, dict[tuple, Row]] = {table: {} for table in CONTRACT}
    for plain in dumps_of_a_plain_lake(lake):
        table, rows = plain.parent.name, read(plain)
        if table != "telemetry":
            known[table] |= {tuple(row[name] for name in KEYS[table]): row for row in rows}
            rows = list(known[table].values())
        write_dump(lake, table, plain.stem, rows)


def dumps_of_a_plain_lake(lake: Path) -> list[Path]:
    """The dumps of a simulated lake that is kept beside its tables' folders."""
    simulated(lake / "plain")
    shutil.copyfile(lake / "plain/lake.toml", lake / "lake.toml")
    return sorted((lake / "plain").rglob("*.csv"))


def read(dump: Path) -> list[Row]:
    """Rows of a clean CSV dump, as texts, null where empty."""
    with dump.open(newline="") as lines:
        return [{name: text or None for name, text in row.items()} for row in csv.DictReader(lines)]


def test_a_build_fills_every_table_alike_on_every_engine(lake: Path, tmp_path: Path) -> None:
    simulated(lake, dirt=0.1)
    tables = {}
    for engine in ENGINES:
        url = f"{engine}://{tmp_path}/warehouse.{engine}"
        build(lake, url)
        tables[engine] = tables_of(url)
    copies = {"monitoring.release"}  # what SQLite does without
    assert tables["duckdb"].keys() == MODELS.keys()
    assert tables["sqlite"].keys() == MODELS.keys() - copies
    ledger = {"monitoring.publication": tables["duckdb"]["monitoring.publication"]}
    assert differing(tables["sqlite"], without_monitoring(tables["duckdb"]) | ledger) == {}
    assert differing(tables["duckdb"], expected_tables(lake)) == {}


# what reads the lake is the same on every engine: each lake is built on one of them
LAKES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "dirty Parquet": ("duckdb", lambda lake: simulated(lake, dirt=0.1, format="parquet")),
    "every layout": ("sqlite", in_every_layout),
    "full snapshots": ("duckdb", as_full_snapshots),
    "no dumps": ("sqlite", lambda _: None),
    "a single day without telemetry": ("duckdb", without_telemetry),
}


@pytest.mark.parametrize(("engine", "write"), LAKES.values(), ids=LAKES, indirect=["engine"])
def test_a_build_fills_every_table(
    write: Callable[[Path], None], lake: Path, warehouse: str
) -> None:
    write(lake)
    build(lake, warehouse)
    tables = tables_of(warehouse)
    assert tables.keys() | {"monitoring.release"} == MODELS.keys()
    assert differing(tables, expected_tables(lake)) == {}


@pytest.mark.parametrize("write", [in_every_layout, as_full_snapshots])
def test_how_rows_come_into_the_lake_makes_no_difference(
    write: Callable[[Path], None], lake: Path
) -> None:
    write(lake)
    actual, expected = expected_tables(lake), expected_tables(lake / "plain")
    names = [name for name in expected if name.startswith("mart.")]
    assert differing(actual, {name: expected[name] for name in names}) == {}


def test_the_sample_builds_and_has_every_reason_and_every_warning(tmp_path: Path) -> None:
    warehouse = f"duckdb://{tmp_path}/warehouse.duckdb"
    ended = cli.run_apart("build", "--lake", SOURCE_DATA, "--warehouse", warehouse)
    assert ended.code == 0, ended.err
    assert all(line.startswith("built ") for line in ended.err.splitlines()), ended.err
    tables = tables_of(warehouse)
    rows = [row for name in tables for row in tables[name]]
    assert {row["reason"] for row in rows if "reason" in row} == set(QUARANTINE_REASONS)
    found = {code for row in rows for code in str(row.get("meta__warnings", "")).split(";")}
    assert found - {""} == set(WARNING_CODES)
    days = [row["day"] for row in tables["mart.report_consumption_daily"]]
    assert max(days) - min(days) == timedelta(days=89)
    ended = cli.run("page", "--warehouse", warehouse, "--out", tmp_path / "site")
    members = {row["customer_id"] for row in tables["mart.dim_customer"]}
    pages = len(members) + len(tables["mart.dim_product"]) + 5
    told = f"Wrote {pages} of {pages} pages: {tmp_path}/site/index.html\n"
    assert ended == (0, "", told)
