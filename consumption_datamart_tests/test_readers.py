"""Whoever reads the warehouse's file sees the last release, and is in nobody's way."""

import errno
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from consumption_datamart.schema.star import FactConsumptionDaily
from consumption_datamart.warehouse import open_warehouse, publish
from consumption_datamart_tests.mart import tables_of

MODEL = FactConsumptionDaily
ROWS, READERS, SECONDS = 1_000, 8, 4.0
QUERY = "SELECT min(used_quantity), max(used_quantity), count(*) FROM {table}"
READ = {
    "duckdb": "import duckdb; connect = lambda: duckdb.connect(PATH, read_only=True)",
    "sqlite": "import sqlite3; connect = lambda: sqlite3.connect(f'file:{PATH}?mode=ro', uri=True)",
}
TABLE = {"duckdb": "mart.fact_consumption_daily", "sqlite": '"mart.fact_consumption_daily"'}

READER = """
import sys, time
PATH, QUERY, UNTIL = sys.argv[1], sys.argv[2], float(sys.argv[3])
{connect}
reads, before = 0, 0.0
while time.time() < UNTIL:
    connection = connect()
    least, most, rows = connection.execute(QUERY).fetchone()
    connection.close()
    assert (least, rows) == (most, {rows}), "half of a publication"
    assert least >= before, "older than what was read before"
    reads, before = reads + 1, least
print(reads, int(before))
"""


def generation(number: int) -> pd.DataFrame:
    """As many rows as ever, that all say of which publication they are."""
    return pd.DataFrame(
        {
            "day": pd.Timestamp(2026, 1, 1),
            "customer_id": [f"CUST-{each}" for each in range(ROWS)],
            "product_id": "db",
            "entitled_quantity": 1.0,
            "used_quantity": float(number),
            "consumption_ratio": float(number),
            "meta__warnings": "",
        }
    )


def test_eight_readers_while_one_writes(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    target = open_warehouse(f"{engine}://{path}")
    publish(target, MODEL, generation(0))
    target.release()
    until = time.time() + SECONDS
    script = READER.format(connect=READ[engine], rows=ROWS)
    command = [sys.executable, "-c", script, str(path), QUERY.format(table=TABLE[engine])]
    readers = [
        subprocess.Popen(
            [*command, str(until)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(READERS)
    ]
    written = 0
    while time.time() < until:
        written += 1
        publish(target, MODEL, generation(written))
        target.release()
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        reads, last = map(int, out.split())
        assert reads > 1
        assert 0 < last <= written


@contextmanager
def opened_by_another(path: Path, *, read_only: bool) -> Iterator[None]:
    """Somebody has the file open, and does not close it."""
    script = (
        f"import duckdb; c = duckdb.connect({str(path)!r}, read_only={read_only});"
        " print('open', flush=True); input()"
    )
    command = [sys.executable, "-c", script]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield
        process.kill()


@pytest.mark.parametrize("read_only", [True, False])
def test_who_has_the_file_open_stops_nobody(read_only: bool, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    with opened_by_another(path, read_only=read_only):
        publish(target, MODEL, generation(2))
        target.release()
        assert seen(path) == 2


def seen(path: Path) -> float:
    """The generation that readers see."""
    with duckdb.connect(str(path), read_only=True) as connection:
        (found,) = connection.execute(
            f"SELECT max(used_quantity) FROM {MODEL.full_name()}"
        ).fetchone()
    return float(found)


def test_readers_see_nothing_of_a_run_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    publish(target, MODEL, generation(2))
    assert seen(path) == 1
    target.release()
    assert seen(path) == 2


def test_a_release_that_was_cut_short_is_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    (tmp_path / "warehouse.duckdb.new").write_bytes(b"half of it")
    target.release()
    assert seen(path) == 1
    assert [each.name for each in tmp_path.glob("*.new")] == []


def test_a_release_of_nothing_new_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    before = path.stat()
    target.release()
    assert path.stat().st_ino == before.st_ino


def test_writers_go_on_from_a_file_that_stands_alone(tmp_path: Path) -> None:
    """As of an earlier version, or one that was copied from another computer."""
    path = tmp_path / "warehouse.duckdb"
    made = open_warehouse(f"duckdb://{path}")
    publish(made, MODEL, generation(1))
    made.release()
    (tmp_path / "warehouse.working.duckdb").unlink()
    target = open_warehouse(f"duckdb://{path}")
    assert target.exists(MODEL)
    with target.transaction() as transaction:
        assert len(transaction.rows(transaction.slice(MODEL))) == ROWS
    assert len(tables_of(target.url)[MODEL.full_name()]) == ROWS


def test_a_release_where_the_system_cannot_copy_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.copy_file_range", refused)
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    assert seen(path) == 1
