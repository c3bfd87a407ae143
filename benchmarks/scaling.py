"""How the mart's build grows with rows and with days."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import MART
from benchmarks.lakes import Size, make_lake

DAYS = 30
"""Of the lakes that differ in rows; one of fewer rows has a day for each."""
ROWS_PER_DAY = 10_000
"""Of the lakes that differ in days."""
CUSTOMERS = 1_000
ROWS = (1, 30_000, 300_000, 1_500_000, 3_000_000, 6_000_000, 15_000_000, 30_000_000, 60_000_000)
SPANS = (10, 30, 90, 180, 365, 730, 1_095)


@dataclass(frozen=True)
class Point:
    """What a build of a lake took.

    Attributes:
        size: of the lake.
        seconds: of the whole process.
        peak_megabytes: resident memory, at its highest.
        stored_megabytes: size of the warehouse's file.
    """

    size: Size
    seconds: float
    peak_megabytes: float
    stored_megabytes: float


def by_rows(most: int) -> list[Size]:
    """Lakes of the same days, from one row of telemetry to this many."""
    days = {rows: min(DAYS, rows) for rows in _up_to(most, ROWS)}
    return [
        Size(f"{rows:,} rows", days[rows], rows // days[rows], CUSTOMERS, dirt=_dirt(rows))
        for rows in days
    ]


def by_days(most: int) -> list[Size]:
    """Lakes of the same rows a day, of ten days to this many."""
    return [Size(f"{days:,} days", days, ROWS_PER_DAY, CUSTOMERS) for days in _up_to(most, SPANS)]


def measure_points(
    sizes: Sequence[Size], folder: Path, memory_limit: str, report: Callable[[str], None]
) -> list[Point]:
    """Builds each lake once.

    Args:
        sizes: of the lakes.
        folder: for the lakes and the warehouse.
        memory_limit: of DuckDB.
        report: called with a line about each build.

    Raises:
        ProcessFailed: a build failed.
    """
    points = []
    for size in sizes:
        file, taken = MART.run(make_lake(size, folder), folder, memory_limit)
        point = Point(size, taken.seconds, taken.peak_bytes / 1e6, file.stat().st_size / 1e6)
        points.append(point)
        report(f"{size.name}: {point.seconds:.1f} s, {point.peak_megabytes:,.0f} MB")
    return points


def _dirt(rows: int) -> float:
    """Share of bad rows: none in a lake so small that they would be most of it."""
    return 0.005 if rows >= 1_000 else 0.0


def _up_to(most: int, steps: Sequence[int]) -> list[int]:
    """The steps below a number, and the number."""
    return [*(step for step in steps if step < most), most]
