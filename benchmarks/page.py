"""The pages of figures: tables, and all that a reader needs to believe them or not."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.changes import ALONE, HELP, Taken
from benchmarks.comparison import Comparison
from benchmarks.contestants import MART, PANDAS_ROWS
from benchmarks.lakes import Size
from benchmarks.machine import machine, versions
from benchmarks.scaling import CUSTOMERS, DAYS, ROWS_PER_DAY
from consumption_datamart.warehouse import MEMORY_LIMIT

CHART, SCALING_CHART = "benchmarks.svg", "scaling.svg"
TEMPLATES = Path(__file__).parent / "pages"


def comparison_page(
    comparisons: Sequence[Comparison], rounds: int, memory_limit: str, command: str
) -> str:
    """The page about some comparisons."""
    return _page(
        "benchmarks.md",
        command=command,
        chart=CHART,
        tables="\n\n".join(comparison_table(each) for each in comparisons),
        rounds=rounds,
        memory_limit=memory_limit,
        mart_limit=MEMORY_LIMIT,
        pandas_rows=PANDAS_ROWS,
    )


def _page(template: str, **figures: object) -> str:
    """A template filled in, with what was measured on."""
    text = (TEMPLATES / template).read_text()
    return text.format(machine=machine(), versions=versions(), **figures)


def comparison_table(comparison: Comparison) -> str:
    """What everyone took on a lake, as Markdown."""
    size = comparison.size
    lines = [
        f"## {size.name.capitalize()}: {size.rows:,} rows of telemetry",
        "",
        f"`consumption-datamart simulate {' '.join(size.arguments())}`",
        "",
        "| | time, s | time ÷ mart's | computing, s | computing ÷ mart's | peak memory, MB"
        " | memory ÷ mart's |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in comparison.taken:
        ratios = comparison.time_ratios(name)
        ours = name == MART.name
        spread = "" if ours else f" ({min(ratios):.2f} – {max(ratios):.2f})"
        cells = [
            f"**{name}**" if ours else name,
            f"{comparison.seconds(name):.1f}",
            f"{median(ratios):.2f}{spread}",
            f"{comparison.cpu_seconds(name):.1f}",
            f"{comparison.cpu_ratio(name):.2f}",
            f"{comparison.megabytes(name):,.0f}",
            f"{comparison.memory_ratio(name):.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {name} | too large for it | | | | | |" for name in comparison.left_out]
    return "\n".join(lines)


def changes_page(taken: Taken, size: Size, rounds: int, memory_limit: str, command: str) -> str:
    """The page about what changes cost."""
    alone = taken[ALONE]
    lines = [
        "| | time, s | ÷ a day alone | computing, s | ÷ a day alone | peak memory, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, measured in [(name, each) for name, each in taken.items() if name != HELP]:
        pairs = list(zip(measured, alone, strict=True))
        cells = [
            name,
            f"{median(each.seconds for each in measured):.1f}",
            f"{median(each.seconds / day.seconds for each, day in pairs):.2f}",
            f"{median(each.cpu_seconds for each in measured):.1f}",
            f"{median(each.cpu_seconds / day.cpu_seconds for each, day in pairs):.2f}",
            f"{median(each.peak_bytes for each in measured) / 1e6:,.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return _page(
        "changes.md",
        command=command,
        rounds=rounds,
        memory_limit=memory_limit,
        size=" ".join(size.arguments()),
        days=size.days,
        rows_per_day=size.rows_per_day,
        table="\n".join(lines),
        help_seconds=f"{median(each.seconds for each in taken[HELP]):.1f}",
    )


def scaling_page(
    rows: Sequence[Comparison],
    days: Sequence[Comparison],
    rounds: int,
    memory_limit: str,
    command: str,
) -> str:
    """The page about lakes that differ in rows, and about some that differ in days."""
    return _page(
        "scaling.md",
        command=command,
        chart=SCALING_CHART,
        rounds=rounds,
        memory_limit=memory_limit,
        days_of_rows=DAYS,
        rows_per_day=ROWS_PER_DAY,
        customers=CUSTOMERS,
        rows=scaling_table(rows),
        days=scaling_table(days),
        **billion(rows[-2], rows[-1], days[-1]),
    )


def scaling_table(builds: Sequence[Comparison]) -> str:
    """What the mart took on ever larger lakes, as Markdown."""
    lines = [
        "| rows | days | time, s | computing, s | each further million rows, s | peak memory, MB |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for before, build in zip([None, *builds], builds, strict=False):
        cells = [
            f"{build.size.rows:,}",
            f"{build.size.days:,}",
            f"{build.seconds(MART.name):.1f}",
            f"{build.cpu_seconds(MART.name):.1f}",
            _each_further_million(before, build),
            f"{build.megabytes(MART.name):,.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def billion(fewer: Comparison, more: Comparison, longest: Comparison) -> dict[str, str]:
    """What a billion rows of telemetry a day would take, by the last two lakes of ever more rows.

    Args:
        fewer: the last but one.
        more: the last.
        longest: of the lakes of ever more days, the last.
    """
    added = (more.size.rows - fewer.size.rows) / 1e9
    computing = (more.cpu_seconds(MART.name) - fewer.cpu_seconds(MART.name)) / added
    daily = longest.cpu_seconds(MART.name) / longest.size.days
    return {
        "most_rows": f"{more.size.rows:,}",
        "billion_hours": f"{computing / 3600:.1f}",
        "longest_days": f"{longest.size.days:,}",
        "daily_milliseconds": f"{daily * 1000:.0f}",
    }


def _each_further_million(before: Comparison | None, build: Comparison) -> str:
    """Seconds of computing that each million rows more took; empty where they are too few."""
    added = (build.size.rows - before.size.rows) / 1e6 if before else 0
    if not before or added < 1:
        return ""
    return f"{(build.cpu_seconds(MART.name) - before.cpu_seconds(MART.name)) / added:.1f}"
