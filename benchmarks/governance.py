"""How long the commands `assets …` take with many assets and a long history.

`python -m benchmarks.governance` writes a team's folder of `--assets` assets, a history of
`--materializations` in a Dagster instance and as many publications in a mart. The instance is in
SQLite, or, with `--storage postgres`, in a server of PyPI's `pgserver`. Of each command it prints
the seconds of CPU that it takes after Python, Dagster and the project were imported: for loading
the code location, which Dagster does, and for all else. Those of the wall are beside them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy

from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.warehouse import open_warehouse

COMMANDS = (
    "list",
    "show team_0/asset_7",
    "health",
    "owners",
    "inventory",
    "lineage team_0/asset_7",
    "history team_0/asset_7 --last 100",
    "history dim_customer --last 100",
    "discover",
    "validate",
)
START = """
import sys, time
sys.argv = ["x", "assets", *sys.argv[1:]]
import consumption_datamart.governance, consumption_datamart.definitions
from consumption_datamart import discovery
from consumption_datamart.cli import run
load, loading = discovery.code_location_of, [0.0]
def timed(*given):
    begun = time.process_time()
    found = load(*given)
    loading[0] = time.process_time() - begun
    return found
discovery.code_location_of = timed
begun, wall = time.process_time(), time.perf_counter()
run()
all_, wall = time.process_time() - begun, time.perf_counter() - wall
print(f"seconds {loading[0]:8.2f} {all_ - loading[0]:8.2f} {wall:8.2f}", file=sys.stderr)
"""
OWN = 250
"""Assets of the team; the mart has its own."""


def team_files(folder: Path, count: int) -> list[dg.AssetKey]:
    """Assets in files of ten, each made of the one before."""
    folder.mkdir()
    keys = []
    for first in range(0, count, 10):
        lines = ["import dagster as dg", ""]
        for number in range(first, min(first + 10, count)):
            deps = [] if number == first else [f"team_{first // 10}/asset_{number - 1}"]
            lines += [
                f"@dg.asset(key=['team_{first // 10}', 'asset_{number}'], group_name='team',"
                f" owners=['team:t{number % 7}'], deps={[each.split('/') for each in deps]},"
                " kinds={'python'}, automation_condition=dg.AutomationCondition.eager())",
                f"def asset_{number}() -> None:",
                '    """An asset that measures."""',
                "",
            ]
            keys.append(dg.AssetKey([f"team_{first // 10}", f"asset_{number}"]))
        (folder / f"file_{first // 10}.py").write_text("\n".join(lines))
    return keys


def write_history(instance: dg.DagsterInstance, keys: list[dg.AssetKey], count: int) -> None:
    """A materialization of each asset, and copies of it, as rows of the storage: it has no bulk."""
    for number, key in enumerate(keys):
        metadata = {"dagster/row_count": number % 100, "seconds": 1.0 + number % 7}
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))
    copies = sqlalchemy.text(
        "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key,"
        " partition) SELECT run_id, event, dagster_event_type, timestamp, step_key, asset_key,"
        " partition FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
    )
    storage: Any = instance.event_log_storage
    with storage.index_connection() as connection:
        for _ in range((max(count // len(keys), 1) - 1).bit_length()):
            connection.execute(copies)
        number = connection.execute(sqlalchemy.text("SELECT count(*) FROM event_logs")).scalar()
        connection.commit()
    print(f"{number:,} events of {len(keys)} assets")


def write_figures(url: str, count: int) -> None:
    """As many publications in the mart, of its own tables."""
    warehouse = open_warehouse(url)
    tables = [row[0] for row in _tables(url)]
    now = datetime.now(UTC).replace(tzinfo=None)
    with warehouse.transaction([Figure]) as transaction:
        rows: list[tuple[object, ...]] = []
        for number in range(count):
            table, at = tables[number % len(tables)], now - timedelta(minutes=number)
            rows += [(at, table, None, "rows", 100.0), (at, table, None, "seconds", 0.5)]
        transaction.append(Figure, rows)
    warehouse.release()


def _tables(url: str) -> list[tuple[str]]:
    warehouse = open_warehouse(url)
    found = warehouse.fetch(warehouse.table(Figure).select("built_table").distinct())
    return [(name,) for name in found.built_table]


def storage_of(name: str, folder: Path) -> str:
    """What `dagster.yaml` says of the storage; starts the server that it names."""
    if name == "sqlite":
        return ""
    from pgserver.postgres_server import get_server  # noqa: PLC0415

    (folder / "pg").mkdir()
    # SQLAlchemy would take psycopg for a URL without a driver
    url = get_server(folder / "pg").get_uri().replace("://", "+psycopg2://", 1)
    return f"storage:\n  postgres:\n    postgres_url: {url!r}\n"


def main() -> None:
    """Measures, and prints a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=OWN)
    parser.add_argument("--materializations", type=int, default=100_000)
    parser.add_argument("--storage", choices=["sqlite", "postgres"], default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"duckdb://{folder}/mart.duckdb"
        home = folder / "home"
        home.mkdir()
        (home / "dagster.yaml").write_text(
            "telemetry:\n  enabled: false\n" + storage_of(asked.storage, folder)
        )
        os.environ |= {
            "CONSUMPTION_DATAMART_WAREHOUSE": url,
            "CONSUMPTION_DATAMART_TEAM_ASSETS": str(folder / "team"),
            "XDG_STATE_HOME": str(folder),
        }
        program = [sys.executable, "-c", "from consumption_datamart.cli import main; main()"]
        subprocess.run([*program, "build"], check=True, capture_output=True)
        os.environ["DAGSTER_HOME"] = str(home)
        keys = team_files(folder / "team", asked.assets)
        begun = time.monotonic()
        with dg.DagsterInstance.get() as instance:
            write_history(instance, keys, asked.materializations)
        write_figures(url, asked.materializations)
        print(f"history written in {time.monotonic() - begun:.0f} s", flush=True)
        print(f"{'command':<36}{'location':>9}{'command':>9}{'wall':>9}")
        for command in COMMANDS:
            ended = subprocess.run(
                [sys.executable, "-c", START, *command.split()],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            lines = [each for each in ended.stderr.splitlines() if each.startswith("seconds")]
            told = lines[-1].removeprefix("seconds") if lines else ended.stderr[-300:]
            print(f"{command:<36}{told}", flush=True)


if __name__ == "__main__":
    main()
