"""What a user of `dagster dev` waits for: the first mart, and the answer to an edit in the lake."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pandas as pd

from benchmarks.lakes import LAST_DAY, MART_COMMAND, PROJECT, clean_environment
from benchmarks.measure import measure
from consumption_datamart_tests.dagster_dev import Dagster, dagster_dev

RAW, REPORT = "lake/raw_telemetry", "mart/report_consumption_daily"
QUIET = 330.0
"""Seconds between edits: reports are refreshed at most every five minutes, and rest is wanted."""
SIZE = ("--days=10", "--rows-per-day=100", "--customers=20", "--products=5", "--dirt=0")
LAST = """query ($path: [String!]!) {assetNodeOrError(assetKey: {path: $path})
    {... on AssetNode {assetMaterializations(limit: 1) {timestamp}}}}"""


def edit_figures(edits: int, folder: Path) -> Iterator[str]:
    """Starts `dagster dev` on a small lake, as in this project, and edits a dump now and then.

    Args:
        edits: how many.
        folder: for the lake and the warehouse; empty.

    Returns:
        Lines of a table: what, and seconds by the clock.

    Raises:
        ProcessFailed: the lake could not be made.
    """
    lake, warehouse = folder / "lake", f"duckdb://{folder}/mart.duckdb"
    command = [*MART_COMMAND, "simulate", f"--out={lake}", *SIZE, f"--end={LAST_DAY}"]
    measure([*command, "--format=csv"], folder, folder / "log", clean_environment())
    shutil.copy(PROJECT / "dagster.yaml", folder)
    began, moment = time.monotonic(), time.time()
    with dagster_dev(folder, lake=lake, warehouse=warehouse) as dagster:
        yield f"| the code location is there | {time.monotonic() - began:.1f} |"
        yield f"| the first report | {_seconds(dagster, REPORT, moment):.1f} |"
        seconds: dict[str, list[float]] = {RAW: [], REPORT: []}
        dump = lake / "telemetry" / f"{LAST_DAY}.csv"
        for number in range(edits):
            time.sleep(QUIET)
            rows = pd.read_csv(dump)
            rows.loc[0, "quantity"] = 1000.0 + number
            moment = time.time()
            rows.to_csv(dump, index=False)
            for table in (RAW, REPORT):
                seconds[table].append(_seconds(dagster, table, moment))
                yield f"| edit {number + 1}: {table} | {seconds[table][-1]:.1f} |"
        for table, taken in seconds.items():
            yield f"| median: {table} | {median(taken):.1f} |"


def _seconds(dagster: Dagster, asset: str, since: float) -> float:
    """How long after a moment the asset was materialized."""
    found = 0.0

    def is_there() -> bool:
        nonlocal found
        answer = dagster.ask(LAST, path=asset.split("/"))["assetNodeOrError"]
        moments = [float(each["timestamp"]) / 1000 for each in answer["assetMaterializations"]]
        found = max(moments, default=0.0)
        return found >= since

    dagster.wait(is_there, f"{asset} is made")
    return found - since
