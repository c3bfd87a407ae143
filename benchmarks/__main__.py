"""The command: `python -m benchmarks compare`, or `make bench`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.chart import comparison_chart
from benchmarks.comparison import PeersDisagree, compare
from benchmarks.lakes import PROJECT, SIZES, Size
from benchmarks.measure import ProcessFailed
from benchmarks.page import CHART, page, table

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


@app.callback()
def commands() -> None:
    """Measures the mart's build."""


@app.command(name="compare")
def compare_with_peers(
    size: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(SIZES)}; may be repeated. [default: small, medium]"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="With --rows-per-day.")] = 30,
    rows_per_day: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="A lake of another size.")
    ] = None,
    customers: Annotated[int, typer.Option(min=1, metavar="N", help="Likewise.")] = 1_000,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="How often each builds.")] = 3,
    memory_limit: Annotated[str, typer.Option(metavar="SIZE", help="Of DuckDB.")] = "2GB",
    folder: Folder = None,
    docs: Docs = PROJECT / "docs",
) -> None:
    """Compare the mart's build with its peers', and write docs/benchmarks.md."""
    sizes = [_named(name) for name in size or ([] if rows_per_day else ["small", "medium"])]
    if rows_per_day is not None:
        sizes.append(Size("custom", days, rows_per_day, customers))
    with TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        found = [compare(each, rounds, place.resolve(), memory_limit, print) for each in sizes]
    for each in found:
        print(f"\n{table(each)}")
    comparison_chart(found, docs / CHART)
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    (docs / "benchmarks.md").write_text(page(found, rounds, memory_limit, command))


def _named(name: str) -> Size:
    if name not in SIZES:
        raise typer.BadParameter(f"{name}: choose of {', '.join(SIZES)}", param_hint="--size")
    return SIZES[name]


if __name__ == "__main__":
    try:
        app()
    except (PeersDisagree, ProcessFailed) as error:
        sys.exit(f"Error: {error}")
