"""The commands `python -m benchmarks compare`, `quick`, `changes`, `scaling` and so on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.automation import automation_figures
from benchmarks.changes import measure_changes
from benchmarks.chart import comparison_chart, scaling_chart
from benchmarks.comparison import Comparison, PeersDisagree, compare
from benchmarks.contestants import CONTESTANTS, MART
from benchmarks.daemon import daemon_figures
from benchmarks.edits import edit_figures
from benchmarks.lakes import PROJECT, SIZES, Size
from benchmarks.measure import ProcessFailed
from benchmarks.page import (
    CHART,
    SCALING_CHART,
    changes_page,
    comparison_page,
    comparison_table,
    scaling_page,
    scaling_table,
)
from benchmarks.quick import quick_figures
from benchmarks.scaling import by_days, by_rows
from consumption_datamart.warehouse import MEMORY_LIMIT

app = typer.Typer(
    help="Measures the mart's build.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Keeps lakes and marts, for the next time. [default: a temporary one]"
    ),
]
Docs = Annotated[Path, typer.Option(metavar="DIR", help="Folder of the page and the chart.")]
Rounds = Annotated[int, typer.Option(min=1, metavar="N", help="How often each builds.")]
MemoryLimit = Annotated[str, typer.Option(metavar="SIZE", help="Of DuckDB.")]


@app.command(name="compare")
def compare_with_peers(
    size: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(SIZES)}; may be repeated. [default: all]"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="With --rows-per-day.")] = 30,
    rows_per_day: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="A lake of another size.")
    ] = None,
    customers: Annotated[int, typer.Option(min=1, metavar="N", help="Likewise.")] = 1_000,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A peer that takes part; may be repeated, nothing is written then."),
    ] = None,
    rounds: Rounds = 3,
    memory_limit: MemoryLimit = "2GB",
    folder: Folder = None,
    docs: Docs = PROJECT / "docs",
) -> None:
    """Compare the mart's build with its peers', and write docs/benchmarks.md."""
    asked = tuple(each for each in CONTESTANTS if not only or each.name in (MART.name, *only))
    sizes = [_named(name) for name in size or (SIZES if rows_per_day is None else [])]
    if rows_per_day is not None:
        sizes.append(Size("custom", days, rows_per_day, customers))
    with _place(folder) as place:
        found = [compare(each, rounds, place, memory_limit, print, asked) for each in sizes]
    for each in found:
        print(f"\n{comparison_table(each)}")
    if only:
        return
    comparison_chart(found, docs / CHART)
    text = comparison_page(found, rounds, memory_limit, _command())
    (docs / "benchmarks.md").write_text(text)


@app.command()
def changes(
    days: Annotated[int, typer.Option(min=2, metavar="N", help="In the warehouse.")] = 365,
    rows_per_day: Annotated[
        int, typer.Option(min=1, metavar="N", help="Rows of telemetry a day.")
    ] = 50_000,
    customers: Annotated[int, typer.Option(min=1, metavar="N", help="That there are.")] = 1_000,
    rounds: Rounds = 3,
    memory_limit: MemoryLimit = MEMORY_LIMIT,
    folder: Folder = None,
    docs: Docs = PROJECT / "docs",
) -> None:
    """Measure what a change of the lake costs, and write docs/changes.md."""
    size = Size("changes", days, rows_per_day, customers)
    with _place(folder) as place:
        taken = measure_changes(size, rounds, place, memory_limit, print)
    text = changes_page(taken, size, rounds, memory_limit, _command())
    (docs / "changes.md").write_text(text)


@app.command()
def scaling(
    rows: Annotated[
        int, typer.Option(min=2, metavar="N", help="Most rows of telemetry.")
    ] = 15_000_000,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="Most days.")] = 365,
    rounds: Rounds = 1,
    memory_limit: MemoryLimit = MEMORY_LIMIT,
    folder: Folder = None,
    docs: Docs = PROJECT / "docs",
) -> None:
    """Measure how the mart's build grows with rows and days, and write docs/scaling.md."""
    with _place(folder) as place:

        def build(size: Size) -> Comparison:
            return compare(size, rounds, place, memory_limit, print, contestants=(MART,))

        of_rows = [build(size) for size in by_rows(rows)]
        of_days = [build(size) for size in by_days(days)]
    print(f"\n{scaling_table(of_rows)}\n\n{scaling_table(of_days)}")
    scaling_chart(of_rows, of_days, docs / SCALING_CHART)
    text = scaling_page(of_rows, of_days, rounds, memory_limit, _command())
    (docs / "scaling.md").write_text(text)


@app.command()
def automation(
    days: Annotated[int, typer.Option(min=1, metavar="N", help="Of the lake.")] = 3_650,
    ticks: Annotated[int, typer.Option(min=2, metavar="N", help="When nothing happens.")] = 200,
    sources: Annotated[int, typer.Option(min=3, metavar="N", help="Of the lake.")] = 3,
) -> None:
    """Measure observing a lake of many dumps, and evaluating policies over it."""
    typer.echo("| what | seconds | memory so far, MB |\n|---|---|---|")
    with TemporaryDirectory() as folder:
        for figure in automation_figures(days, ticks, Path(folder), sources):
            typer.echo(f"| {figure.what} | {figure.seconds:.2f} | {figure.megabytes:.0f} |")


@app.command()
def daemon(
    days: Annotated[int, typer.Option(min=1, metavar="N", help="Of the lake.")] = 2_555,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Of telemetry, a day.")] = 50,
    database: Annotated[str, typer.Option(metavar="URL", help="Of PostgreSQL.")] = "",
    at_once: Annotated[int, typer.Option(min=1, metavar="N", help="Runs side by side.")] = 4,
    folder: Folder = None,
) -> None:
    """Build a lake of many days by `build` and by `dagster dev`, and compare the marts."""
    typer.echo("| what | seconds | ratio |\n|---|---:|---:|")
    with _place(folder) as place:
        for line in daemon_figures(days, rows, place, database, at_once):
            typer.echo(line)


@app.command()
def edits(
    number: Annotated[int, typer.Option(min=1, metavar="N", help="Of edits.")] = 3,
    folder: Folder = None,
) -> None:
    """How long `dagster dev` takes to a first mart, and from an edit to the answer."""
    typer.echo("| what | seconds |\n|---|---:|")
    with _place(folder) as place:
        for line in edit_figures(number, place):
            typer.echo(line)


@app.command()
def quick(
    base: Annotated[str, typer.Option(metavar="COMMIT", help="The earlier code.")],
    folder: Folder = None,
) -> None:
    """Compare the build to that of an earlier commit; takes less than three minutes."""
    with _place(folder) as place:
        for line in quick_figures(base, place):
            typer.echo(line)


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The folder to work in: what was asked for, or one that is removed afterwards."""
    with TemporaryDirectory() as temporary:
        place = (folder or Path(temporary)).resolve()
        place.mkdir(parents=True, exist_ok=True)
        yield place


def _command() -> str:
    """What was asked for, but for where files are kept."""
    places = {"--folder", "--docs"}
    asked = [one for before, one in pairwise(["", *sys.argv[1:]]) if not places & {before, one}]
    return " ".join(["python -m benchmarks", *asked])


def _named(name: str) -> Size:
    if name not in SIZES:
        raise typer.BadParameter(f"{name}: choose of {', '.join(SIZES)}", param_hint="--size")
    return SIZES[name]


if __name__ == "__main__":
    try:
        app()
    except (PeersDisagree, ProcessFailed) as error:
        sys.exit(f"Error: {error}")
