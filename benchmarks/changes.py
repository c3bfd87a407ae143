"""What a change of the lake costs in a mart of many days, against a day alone."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from benchmarks.contestants import MART
from benchmarks.lakes import LAST_DAY, MART_COMMAND, PROJECT, Size, clean_environment, make_lake
from benchmarks.measure import Measurement, measure

HELP, ALONE, ALL = "--help", "a day alone, into a new warehouse", "all days, likewise"
LAST = date.fromisoformat(LAST_DAY)
BACK = timedelta(days=100)
"""How long ago the restated day is, at most: reports of the 29 days after it have to follow."""
AMENDED = LAST - timedelta(days=20)

Taken = dict[str, list[Measurement]]
"""What was done → what each round took."""


@dataclass(frozen=True)
class Step:
    """A build.

    Attributes:
        name: what it builds.
        lake: that it reads.
        folder: with the warehouse.
        change: what happens to the lake before.
    """

    name: str
    lake: Path
    folder: Path
    change: Callable[[], None] | None = None


def measure_changes(
    size: Size, rounds: int, folder: Path, memory_limit: str, report: Callable[[str], None]
) -> Taken:
    """Builds a mart of many days, and then what has changed, step by step.

    Args:
        size: of the lake.
        rounds: how often all of it is done.
        folder: for the lakes and the warehouses.
        memory_limit: of DuckDB.
        report: called with a line about each step.

    Raises:
        ProcessFailed: a build failed.
    """
    whole, alone = make_lake(size, folder), make_lake(replace(size, days=1), folder)
    lake = folder / "changing"
    restated = LAST - min(BACK, timedelta(days=size.days // 2))
    steps = [
        Step(ALONE, alone, folder / "alone"),
        Step(ALL, lake, folder / "all"),
        Step("nothing that is new", lake, folder / "all", lambda: None),
        Step("a new day", lake, folder / "all", lambda: _add_last_day(whole, lake)),
        Step("a restated day", lake, folder / "all", lambda: _restate(lake, restated)),
        Step("an amendment", lake, folder / "all", lambda: _amend(lake)),
    ]
    taken: Taken = {HELP: [], **{step.name: [] for step in steps}}
    for number in range(1, rounds + 1):
        _copy_without_last_day(whole, lake)
        command = [*MART_COMMAND, "--help"]
        taken[HELP].append(measure(command, PROJECT, folder / "help.log", clean_environment()))
        for step in steps:
            if step.change:
                step.change()
            step.folder.mkdir(exist_ok=True)
            is_anew = step.change is None
            _, measured = MART.run(step.lake, step.folder, memory_limit, is_anew=is_anew)
            taken[step.name].append(measured)
            report(f"round {number}, {step.name}: {measured.seconds:.1f} s")
    return taken


def _copy_without_last_day(whole: Path, lake: Path) -> None:
    """Files that a change replaces are written anew, so the others may be shared."""
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(whole, lake, copy_function=os.link)
    for file in lake.glob(f"*/{LAST}.parquet"):
        file.unlink()


def _add_last_day(whole: Path, lake: Path) -> None:
    for file in whole.glob(f"*/{LAST}.parquet"):
        os.link(file, lake / file.relative_to(whole))


def _restate(lake: Path, day: date) -> None:
    """One event less."""
    _rewrite(
        lake / "telemetry" / f"{day}.parquet",
        "SELECT * FROM dump WHERE event_id <> (SELECT min(event_id) FROM dump)",
    )


def _amend(lake: Path) -> None:
    """Twice as much of an entitlement, for 20 days."""
    _rewrite(
        lake / "entitlements" / f"{LAST}.parquet",
        f"""
        FROM dump UNION ALL BY NAME (
            SELECT * REPLACE (
                amendment + 1 AS amendment, (2 * quantity)::DECIMAL(18, 4) AS quantity,
                DATE '{AMENDED}' AS starts_on, DATE '{LAST}' AS ends_on
            )
            FROM '{lake}/entitlements/*.parquet'
            WHERE starts_on <= '{AMENDED}' AND ends_on > '{LAST}' AND quantity > 0
            ORDER BY entitlement_id, amendment DESC LIMIT 1
        )
        """,
    )


def _rewrite(dump: Path, select: str) -> None:
    """Puts another file in the dump's place."""
    changed = dump.with_suffix(".changed")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE dump AS FROM '{dump}'")
        connection.execute(f"COPY ({select}) TO '{changed}' (FORMAT parquet)")
    changed.replace(dump)
