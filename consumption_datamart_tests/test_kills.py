"""Whole or not at all: a build that is killed, or loses its disk, leaves no table in between.

A few of the harms that `make kills` does to whole builds; here to a load.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import IO

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse import ENGINES
from consumption_datamart_tests.kills import files_of, url_of
from consumption_datamart_tests.lakes import day, noon, usage, write_dump
from consumption_datamart_tests.mart import SLOW, build_tables, tables_of

SOME = """
import json, sys, tempfile
from pathlib import Path
from consumption_datamart_tests.kills import harm
with tempfile.TemporaryDirectory() as folder:
    only = ["lake.raw_telemetry"]
    found = harm(Path(folder), sys.argv[1], kills=5, others=1, only=only)
print(json.dumps([found.fates, found.findings]))
"""


def test_a_build_that_is_killed_or_has_no_disk_tears_no_table_and_heals(engine: str) -> None:
    # in a process of its own: it forks, which one that has used DuckDB must not
    done = subprocess.run(
        [sys.executable, "-c", SOME, engine], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    fates, findings = json.loads(done.stdout)
    assert findings == []
    assert sum(fates.values()) == 5 + 4
    assert fates[f"{engine} statement: killed"] == 1
    assert fates[f"{engine} commit: killed"] >= 1
    for kind in ("no folder", "read-only"):
        # in the last transaction it is missed by none but the next build
        assert {f"{engine} {kind}: {how}" for how in ("failed", "came to its end")} & fates.keys()


@SLOW
def test_a_server_that_is_lost_tears_no_table_and_heals() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOME, "postgres"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    fates, findings = json.loads(done.stdout)
    assert findings == []
    assert fates["postgres statement: killed"] == 1
    # a publication whose connection is lost is done again; of a reader, that fails
    for kind in ("backend", "server"):
        assert {f"postgres {kind}: {how}" for how in ("failed", "came to its end")} & fates.keys()


HOLDERS = {
    "duckdb": "import duckdb; it = duckdb.connect(sys.argv[1])",
    "sqlite": "import sqlite3; it = sqlite3.connect(sys.argv[1]); it.execute('BEGIN EXCLUSIVE')",
}


@contextmanager
def held(folder: Path, engine: str) -> Iterator[IO[bytes]]:
    """A process that has the warehouse, until what is given is closed."""
    holder = f"import sys; {HOLDERS[engine]}; print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holder, str(files_of(folder, engine)[-1])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"held\n"
        yield process.stdin


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not say how long waits no time."""
    for engine_of in ENGINES.values():
        monkeypatch.setattr(engine_of(), "lock_seconds", 0.3)


def test_a_warehouse_that_another_process_holds(
    engine: str, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, only = url_of(tmp_path, engine), ["lake.raw_telemetry"]
    (tmp_path / "warehouse").mkdir()
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    build_tables(lake, url, only)
    before = tables_of(url)
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1), quantity=9.0)])
    with held(tmp_path, engine) as holder:
        impatient(monkeypatch)
        with pytest.raises(WarehouseError, match=f"warehouse {url}: .*lock"):
            build_tables(lake, url, only)
        monkeypatch.undo()
        Timer(0.5, holder.close).start()
        build_tables(lake, url, only)
    assert [row["quantity"] for row in before["lake.raw_telemetry"]] == [4.0]
    assert [row["quantity"] for row in tables_of(url)["lake.raw_telemetry"]] == [9.0]


def test_a_run_waits_longer_than_a_command(
    engine: str, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(tmp_path, engine)
    (tmp_path / "warehouse").mkdir()
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    build_tables(lake, url, ["lake.raw_telemetry"])
    job = build_definitions(lake=str(lake), warehouse=url).resolve_implicit_global_asset_job_def()
    subset = job.get_subset(asset_selection={dg.AssetKey(["mart", "dim_product"])})
    impatient(monkeypatch)
    with held(tmp_path, engine) as holder:
        Timer(2, holder.close).start()
        assert subset.execute_in_process().success
