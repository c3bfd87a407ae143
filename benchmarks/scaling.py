"""Lakes that show how the mart's build grows with rows and with days."""

from collections.abc import Sequence

from benchmarks.lakes import Size

DAYS = 100
"""Of the lakes that differ in rows; one of fewer rows has a day for each."""
ROWS_PER_DAY = 10_000
"""Of the lakes that differ in days."""
CUSTOMERS = 1_000
ROWS = (1, 30_000, 300_000, 1_500_000, 3_000_000, 6_000_000, 15_000_000, 30_000_000, 60_000_000)
SPANS = (10, 30, 90, 180, 365, 730, 1_095)


def by_rows(most: int) -> list[Size]:
    """Lakes of the same days, from one row of telemetry to this many."""
    days = {rows: min(DAYS, rows) for rows in _up_to(most, ROWS)}
    return [
        Size(f"rows {rows:,}", days[rows], rows // days[rows], CUSTOMERS, dirt=_dirt(rows))
        for rows in days
    ]


def by_days(most: int) -> list[Size]:
    """Lakes of the same rows a day, of ten days to this many."""
    return [Size(f"days {days:,}", days, ROWS_PER_DAY, CUSTOMERS) for days in _up_to(most, SPANS)]


def _dirt(rows: int) -> float:
    """Share of bad rows: none in a lake so small that they would be most of it."""
    return 0.005 if rows >= 1_000 else 0.0


def _up_to(most: int, steps: Sequence[int]) -> list[int]:
    """The steps below a number, and the number."""
    return [*(step for step in steps if step < most), most]
