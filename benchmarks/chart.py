"""Charts of what was measured."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.comparison import Comparison
from benchmarks.contestants import MART

OURS, THEIRS = "#1f5fa8", "#b9c2cc"


def comparison_chart(comparisons: Sequence[Comparison], file: Path) -> None:
    """Bars of time and memory: a row of panels for each lake, a bar for each contestant."""
    height = 0.6 + sum(0.9 + 0.32 * len(each.taken) for each in comparisons)
    figure = Figure(figsize=(9, height), layout="constrained")
    rows = figure.subplots(
        len(comparisons),
        2,
        squeeze=False,
        gridspec_kw={"height_ratios": [len(each.taken) + 1 for each in comparisons]},
    )
    for (time, memory), each in zip(rows, comparisons, strict=True):
        names = list(each.taken)
        title = f"{each.size.name}: {each.size.rows:,} rows of telemetry"
        _bars(time, names, [each.seconds(name) for name in names], title)
        time.set_xlabel("seconds, whole process (median)")
        _bars(memory, names, [each.megabytes(name) for name in names], title)
        memory.set_xlabel("peak resident memory, MB (median)")
    save(figure, file)


def _bars(axes: Axes, names: list[str], values: list[float], title: str) -> None:
    colours = [OURS if name == MART.name else THEIRS for name in names]
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(bars, [f"{value:,.1f}" if value < 100 else f"{value:,.0f}" for value in values])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_title(title, fontsize="medium", loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def scaling_chart(rows: Sequence[Comparison], days: Sequence[Comparison], file: Path) -> None:
    """Lines of time and memory: one row of panels by rows of telemetry, one by days."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    by_rows, by_days = figure.subplots(2, 2)
    _lines(by_rows, rows, [each.size.rows / 1e6 for each in rows], "million rows of telemetry")
    _lines(by_days, days, [each.size.days for each in days], "days")
    save(figure, file)


def _lines(
    panels: Sequence[Axes], builds: Sequence[Comparison], lake: Sequence[float], label: str
) -> None:
    time, memory = panels
    time.plot(lake, [each.seconds(MART.name) for each in builds], "o-", color=OURS, label="time")
    computing = [each.cpu_seconds(MART.name) for each in builds]
    time.plot(lake, computing, "o--", color=THEIRS, label="computing, all cores")
    time.set_ylabel("seconds, whole process")
    time.legend(frameon=False)
    memory.plot(lake, [each.megabytes(MART.name) for each in builds], "o-", color=OURS)
    memory.set_ylabel("peak resident memory, MB")
    for axes in panels:
        axes.set_xlabel(label)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, file: Path) -> None:
    """Writes a figure as SVG whose text is text, and which is the same for the same figures."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": file.name}):
        figure.savefig(file, format="svg", metadata={"Date": None})
