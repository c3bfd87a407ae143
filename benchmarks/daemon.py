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
from consumption_datamart_tests.dagster_dev import dagster_dev

LOOK = 5
"""Seconds between two looks at what the daemon has done."""


def daemon_figures(days: int, rows_per_day: int, folder: Path) -> Iterator[str]:
    """Builds a lake by the command and by `dagster dev`, and compares the two marts.

    Args:
        days: of the lake.
        rows_per_day: of telemetry.
        folder: for the lake and the warehouses; empty.

    Returns:
        Lines of a table: what, and seconds by the clock.

    Raises:
        ProcessFailed: a command failed, or the marts differ.
    """
    lake, log = folder / "lake", folder / "log"
    by_command, by_daemon = (f"duckdb://{folder}/{name}.duckdb" for name in ("command", "daemon"))

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


def _is_built(settings: Settings) -> bool:
    """Whether readers see a mart of which nothing is to be refreshed."""
    _, _, file = settings.warehouse.partition("://")
    if not Path(file).exists():
        return False
    try:
        return not dry_run(settings)
    except (DatamartError, duckdb.Error):  # a run holds the file
        return False
