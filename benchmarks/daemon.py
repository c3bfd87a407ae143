"""A whole lake built by Dagster's daemon, beside the command `build`: both times, equal marts."""

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.lakes import LAST_DAY, MART_COMMAND, clean_environment
from benchmarks.measure import measure
from consumption_datamart.build import dry_run
from consumption_datamart.errors import DatamartError
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.dagster_dev import dagster_dev

RUNS = """telemetry:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: {}
"""
LOOK = 5
"""Seconds between two looks at what the daemon has done."""


def daemon_figures(
    days: int, rows_per_day: int, folder: Path, database: str = "", at_once: int = 4
) -> Iterator[str]:
    """Builds a lake by the command and by `dagster dev`, and compares the two marts.

    Args:
        days: of the lake.
        rows_per_day: of telemetry.
        folder: for the lake and the warehouses; empty.
        database: of PostgreSQL, in which both marts are made; by default they are files of DuckDB.
        at_once: how many runs Dagster lets go side by side.

    Returns:
        Lines of a table: what, and seconds by the clock.

    Raises:
        ProcessFailed: a command failed, or the marts differ.
    """
    lake, log = folder / "lake", folder / "log"
    by_command, by_daemon = (_new_mart(database, folder, name) for name in ("command", "daemon"))
    (folder / "dagster.yaml").write_text(RUNS.format(at_once))

    def run(*arguments: str) -> float:
        return measure([*MART_COMMAND, *arguments], folder, log, clean_environment()).seconds

    size = f"--days={days}", f"--rows-per-day={rows_per_day}", "--customers=20", "--products=5"
    run("simulate", f"--out={lake}", *size, f"--end={LAST_DAY}", "--format=parquet")
    seconds = run("build", f"--lake={lake}", f"--warehouse={by_command}")
    yield f"| `build` of {days:,} days | {seconds:.1f} | 1.00 |"
    settings = Settings(lake=str(lake), warehouse=by_daemon)
    began = time.monotonic()
    with dagster_dev(folder, lake=lake, warehouse=by_daemon) as dagster:
        started = time.monotonic() - began
        yield f"| `dagster dev`: the code location is there | {started:.1f} | |"
        while not _is_built(settings):
            failed = [run for run in dagster.runs() if run["status"] == "FAILURE"]
            if failed:
                yield f"failed: {failed}"
            time.sleep(LOOK)
        took = time.monotonic() - began
        yield f"| `dagster dev`: nothing is left to build | {took:.1f} | {took / seconds:.2f} |"
        yield f"{len(dagster.runs())} runs"
    run("diff", by_command, by_daemon)
    yield "The two marts are equal."


def _new_mart(database: str, folder: Path, name: str) -> str:
    """URL of a mart that is not there yet."""
    if not database:
        return f"duckdb://{folder}/{name}.duckdb"
    return f"{database}{'&' if '?' in database else '?'}prefix={name}_"


def _is_built(settings: Settings) -> bool:
    """Whether readers see a mart of which nothing is to be refreshed."""
    try:
        return open_warehouse(settings.warehouse).is_there() and not dry_run(settings)
    except (DatamartError, duckdb.Error):  # a run holds the file
        return False
