"""The page of the benchmark: tables, and all that a reader needs to believe them or not."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import Comparison
from benchmarks.contestants import MART, PANDAS_ROWS
from benchmarks.machine import machine, versions

CHART = "benchmarks.svg"
TEMPLATE = Path(__file__).with_suffix(".md")


def page(comparisons: Sequence[Comparison], rounds: int, memory_limit: str, command: str) -> str:
    """The page about some comparisons."""
    return TEMPLATE.read_text().format(
        command=command,
        machine=machine(),
        versions=versions(),
        chart=CHART,
        tables="\n\n".join(table(each) for each in comparisons),
        rounds=rounds,
        memory_limit=memory_limit,
        pandas_rows=PANDAS_ROWS,
    )


def table(comparison: Comparison) -> str:
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
