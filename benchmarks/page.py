"""The pages of figures: tables, and all that a reader needs to believe them or not."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import Comparison
from benchmarks.contestants import MART, PANDAS_ROWS
from benchmarks.machine import machine, versions
from benchmarks.scaling import CUSTOMERS, DAYS, ROWS_PER_DAY, Point

CHART, SCALING_CHART = "benchmarks.svg", "scaling.svg"
TEMPLATES = Path(__file__).parent / "pages"


def comparison_page(
    comparisons: Sequence[Comparison], rounds: int, memory_limit: str, command: str
) -> str:
    """The page about some comparisons."""
    return (
        (TEMPLATES / "benchmarks.md")
        .read_text()
        .format(
            command=command,
            machine=machine(),
            versions=versions(),
            chart=CHART,
            tables="\n\n".join(comparison_table(each) for each in comparisons),
            rounds=rounds,
            memory_limit=memory_limit,
            pandas_rows=PANDAS_ROWS,
        )
    )


def comparison_table(comparison: Comparison) -> str:
    """What everyone took on a lake, as Markdown."""
    size = comparison.size
    lines = [
        f"## {size.name.capitalize()}: {size.rows:,} rows of telemetry",
        "",
        f"`consumption-datamart simulate {' '.join(size.arguments())}`",
        "",
        "| | time, s | time ÷ mart's | peak memory, MB | memory ÷ mart's |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in comparison.taken:
        label = f"**{name}**" if name == MART.name else name
        lines.append(
            f"| {label} | {comparison.seconds(name):.1f} | {_ratio(comparison, name)}"
            f" | {comparison.megabytes(name):,.0f} | {comparison.memory_ratio(name):.2f} |"
        )
    lines += [f"| {name} | too large for it | | | |" for name in comparison.left_out]
    return "\n".join(lines)


def _ratio(comparison: Comparison, name: str) -> str:
    low, middle, high = comparison.ratio_range(name)
    return "1" if name == MART.name else f"{middle:.2f} ({low:.2f} – {high:.2f})"


def scaling_page(
    rows: Sequence[Point], days: Sequence[Point], memory_limit: str, command: str
) -> str:
    """The page about lakes that differ in rows, and about some that differ in days."""
    return (
        (TEMPLATES / "scaling.md")
        .read_text()
        .format(
            command=command,
            machine=machine(),
            versions=versions(),
            chart=SCALING_CHART,
            memory_limit=memory_limit,
            days_of_rows=DAYS,
            rows_per_day=ROWS_PER_DAY,
            customers=CUSTOMERS,
            rows=scaling_table(rows),
            days=scaling_table(days),
        )
    )


def scaling_table(points: Sequence[Point]) -> str:
    """What each build took, as Markdown; each million rows as compared to the line above."""
    lines = [
        "| lake | seconds | each further million rows, s | peak memory, MB | warehouse, MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for before, point in zip([None, *points], points, strict=False):
        added = (point.size.rows - before.size.rows) / 1e6 if before else 0
        further = f"{(point.seconds - before.seconds) / added:.1f}" if before and added else ""
        lines.append(
            f"| {point.size.name} | {point.seconds:.1f} | {further}"
            f" | {point.peak_megabytes:,.0f} | {point.stored_megabytes:,.0f} |"
        )
    return "\n".join(lines)
