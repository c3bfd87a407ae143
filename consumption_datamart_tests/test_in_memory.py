"""The DuckDB that a process keeps: nothing of one use is seen by the next, or in its way."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import fsspec
import pandas as pd
import pytest

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.facts import FactConsumptionDaily
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import MEMORY_LIMIT, in_memory, open_warehouse, publish
from consumption_datamart.warehouse.in_memory import duckdb_in_memory
from consumption_datamart_tests.lakes import day
from consumption_datamart_tests.mart import tables_of

LIMIT = "200MB"


def publish_day(url: str, number: int) -> None:
    """One row, on the day with that number."""
    row = {
        "day": pd.Timestamp(day(number)),
        "customer_id": "CUST-1",
        "product_id": "db",
        "entitled_quantity": 1.0,
        "is_unlimited": False,
        "deployment_count": 1,
        "used_quantity": float(number),
        "consumption_ratio": float(number),
        "meta__warnings": "",
    }
    only = Days(row["day"].date(), row["day"].date())
    publish(open_warehouse(url), FactConsumptionDaily, pd.DataFrame([row]), only)


def published(url: str) -> list[float]:
    """What the rows say, in order."""
    open_warehouse(url).release()
    rows = tables_of(url)["mart.fact_consumption_daily"]
    return sorted(row["used_quantity"] for row in rows)


def test_threads_that_publish_at_the_same_time_take_turns(warehouse: str) -> None:
    numbers = range(1, 9)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: publish_day(warehouse, number), numbers))
    assert published(warehouse) == list(map(float, numbers))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_has_published_may_fork(warehouse: str) -> None:
    publish_day(warehouse, 1)
    child = os.fork()
    if child == 0:
        try:
            publish_day(warehouse, 2)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    publish_day(warehouse, 3)
    assert published(warehouse) == [1.0, 2.0, 3.0]


def test_nothing_of_one_use_is_left_for_the_next(tmp_path: Path) -> None:
    with duckdb_in_memory(LIMIT, tmp_path) as first:
        first.execute("CREATE TEMP TABLE left_over AS SELECT 1 AS n")
        first.register("frame_left_over", pd.DataFrame({"n": [1]}))
        first.register_filesystem(fsspec.filesystem("memory"))
    with duckdb_in_memory(LIMIT, tmp_path) as second:
        second.register_filesystem(fsspec.filesystem("memory"))
        for name in ("left_over", "frame_left_over"):
            with pytest.raises(duckdb.CatalogException):
                second.execute(f"FROM {name}")


def kept(tmp_path: Path, limit: str = LIMIT) -> bool:
    """Whether what is made in the database is found there at the next use."""
    with duckdb_in_memory(limit, tmp_path) as found:
        return bool(found.execute("FROM duckdb_tables() WHERE table_name = 'mark'").fetchall())


def test_it_is_kept_but_not_after_an_error_or_long_use_or_for_other_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "KEPT_SECONDS", 60.0)
    with duckdb_in_memory(LIMIT, tmp_path) as first:
        first.execute("CREATE TABLE mark (n INTEGER)")
    assert kept(tmp_path)
    assert not kept(tmp_path, "300MB")
    with duckdb_in_memory(LIMIT, tmp_path) as again:
        again.execute("CREATE TABLE mark (n INTEGER)")
    with pytest.raises(ZeroDivisionError), duckdb_in_memory(LIMIT, tmp_path):
        raise ZeroDivisionError
    assert not kept(tmp_path)
    monkeypatch.setattr(in_memory, "KEPT_SECONDS", 0.0)
    with duckdb_in_memory(LIMIT, tmp_path) as for_long:
        for_long.execute("CREATE TABLE mark (n INTEGER)")
    assert not kept(tmp_path)


def test_who_needs_more_memory_than_is_allowed_is_told_how_to_allow_it(tmp_path: Path) -> None:
    spill_nothing = "SET max_temp_directory_size = '0B'"
    big = "CREATE TEMP TABLE big AS SELECT 'x' || range AS x FROM range(9_000_000)"
    told = r"may use 50MB of memory: Out of Memory.*; set CONSUMPTION_DATAMART_MEMORY_LIMIT to more"
    spill = tmp_path / "spilled"
    with pytest.raises(WarehouseError, match=told), duckdb_in_memory("50MB", spill) as small:
        small.execute(f"{spill_nothing}; {big}")


@pytest.mark.parametrize("limit", ["much", "1", ""])
def test_what_is_no_amount_of_memory_is_named(limit: str, tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    told = f"^CONSUMPTION_DATAMART_MEMORY_LIMIT={limit}: .*[Mm]emory"
    with pytest.raises(WarehouseError, match=told), open_warehouse(url, limit).transaction():
        pass


ATTACH = "import duckdb, sys; duckdb.sql(f\"ATTACH '{sys.argv[1]}' AS it (TYPE duckdb)\")"


def test_a_thread_that_has_read_does_not_let_others_write_while_another_reads(
    tmp_path: Path,
) -> None:
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    publish_day(url, 1)
    attach = [sys.executable, "-c", ATTACH, tmp_path / "warehouse.working.duckdb"]
    with ThreadPoolExecutor(1) as other:
        with open_warehouse(url).reader():
            reads = other.submit(lambda: open_warehouse(url).exists(FactConsumptionDaily))
            time.sleep(0.5)
            meanwhile = subprocess.run(attach, capture_output=True, text=True, check=False)
        assert reads.result()
    assert "Could not set lock" in meanwhile.stderr
    subprocess.run(attach, check=True)


def test_the_settings_allow_as_much_memory() -> None:
    assert Settings.model_fields["memory_limit"].default == MEMORY_LIMIT
