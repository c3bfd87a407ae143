"""The benchmark's peers build the mart's own tables, and it would notice if they did not."""

import shutil
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import pytest

from benchmarks.agreement import COMPUTED, LOADED, disagreements
from benchmarks.peers.pandas.__main__ import build as build_with_pandas
from benchmarks.peers.sql.__main__ import build as build_with_sql
from consumption_datamart.simulation import simulate
from consumption_datamart_tests.mart import build_tables

TABLES = [model.full_name() for model in (*LOADED, *COMPUTED)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake without bundles, accounts and exchange rates, of which peers know nothing."""
    lake = tmp_path_factory.mktemp("peers") / "lake"
    size = {"days": 60, "customers": 25, "products": 6, "rows_per_day": 120}
    simulate(lake, **size, end=date(2026, 9, 30), dirt=0.01, format="csv", extras=False)
    return lake


@pytest.fixture(scope="module")
def mart(lake: Path) -> Path:
    """The mart of that lake."""
    file = lake.parent / "mart.duckdb"
    build_tables(lake, f"duckdb://{file}")
    return file


PEERS = {
    "sql": build_with_sql,
    "sql-tuned": partial(build_with_sql, variant="tuned"),
    "pandas": build_with_pandas,
}


@pytest.mark.parametrize("build", PEERS.values(), ids=PEERS)
def test_a_peer_agrees_with_the_mart(
    build: Callable[[Path, Path], None], lake: Path, mart: Path, tmp_path: Path
) -> None:
    peer = tmp_path / "peer.duckdb"
    build(lake, peer)
    assert disagreements(mart, peer) == []


def test_a_value_that_differs_is_told_with_its_table(mart: Path, tmp_path: Path) -> None:
    def change(name: str, column: str, dtype: str) -> str:
        others = {"VARCHAR": "'x'", "BOOLEAN": f"NOT {column}"}
        value = others.get(dtype, f"{column} + 1")
        return f"UPDATE {name} SET {column} = {value} WHERE {_last_row(name)}"

    assert _tables_told(mart, tmp_path, change) == TABLES


def test_a_row_that_is_missing_is_told_with_its_table(mart: Path, tmp_path: Path) -> None:
    def delete(name: str, *_: str) -> str:
        return f"DELETE FROM {name} WHERE {_last_row(name)}"

    assert _tables_told(mart, tmp_path, delete) == TABLES


def _tables_told(mart: Path, folder: Path, damage: Callable[[str, str, str], str]) -> list[str]:
    """The tables of which a disagreement is told when each has been damaged."""
    peer = folder / "peer.duckdb"
    shutil.copyfile(mart, peer)
    with duckdb.connect(peer) as connection:
        for name in TABLES:
            table = connection.sql(f"FROM {name}")
            connection.execute(damage(name, table.columns[-1], str(table.types[-1])))
    return [line.split(": ")[0] for line in disagreements(mart, peer)]


def _last_row(name: str) -> str:
    return f"rowid = (SELECT max(rowid) FROM {name})"
