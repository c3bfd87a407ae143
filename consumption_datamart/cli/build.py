"""What `build` shows: progress while it works, then a table, or what went wrong."""

import logging
from collections.abc import Sequence
from datetime import date
from types import TracebackType

from rich import box
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from consumption_datamart.build import BuildResult, build, build_and_alert
from consumption_datamart.build.result import asset_name
from consumption_datamart.build.simulating import simulate
from consumption_datamart.cli.diff import write
from consumption_datamart.cli.screen import Screen
from consumption_datamart.comparison import preview
from consumption_datamart.definitions import models
from consumption_datamart.planning import Step
from consumption_datamart.settings import Settings


class BuildDisplay:
    """Shows a build's progress on stderr: a spinner on a terminal, else a line for each step.

    Attributes:
        log: writes a line there, too.
    """

    def __init__(self) -> None:
        """Shown while it is entered as a context."""
        self.console = Screen(stderr=True)
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.task = self.progress.add_task("Reading the lake", total=None)
        self.log = logging.Logger("build", logging.INFO)
        self.log.addHandler(_Lines(self.console))

    def __enter__(self) -> "BuildDisplay":
        """Starts the spinner."""
        if self.console.is_terminal:
            self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Takes the spinner away."""
        if self.console.is_terminal:
            self.progress.stop()

    def on_step(self, name: str, seconds: float | None) -> None:
        """Shows what is being built, and what was."""
        if seconds is None:
            self.progress.update(self.task, description=f"Building {name}")
        elif not self.console.is_terminal:
            self.console.print(f"built {name} in {seconds:.1f} s", highlight=False)

    def summarize(self, result: BuildResult) -> int:
        """Prints the table and the failures; returns the exit code."""
        if result.tables:
            Screen().print(_table(result))
        elif not result.failures:
            Screen().print(
                f"Nothing to build: the lake is as it was, {result.days}."
                " Build it anew with --full.",
                highlight=False,
                soft_wrap=True,
            )
        return self.tell(result)

    def tell(self, result: BuildResult) -> int:
        """Prints what is to be known of a build, and its failures; returns the exit code."""
        for remark in result.remarks:
            self.console.print(f"Lake: {remark}.", highlight=False, soft_wrap=True)
        for step, text in result.failures.items():
            self.console.print(
                f"Error: {step}: {text}", style="red", highlight=False, soft_wrap=True
            )
        if result.skipped:
            self.console.print(
                f"Not built, because of the above: {', '.join(result.skipped)}; their tables are as"
                " they were.",
                highlight=False,
                soft_wrap=True,
            )
        return 1 if result.failures or result.skipped else 0


class _Lines(logging.Handler):
    """Writes what is logged as it is, each a line."""

    def __init__(self, console: Screen) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        self.console.print(record.getMessage(), highlight=False, soft_wrap=True)


def build_and_show(settings: Settings, first: date | None, last: date | None, *, full: bool) -> int:
    """Builds, evaluates the alerts and shows what was done; see `build_and_alert`.

    Returns:
        The exit code: 1 if anything failed.
    """
    with BuildDisplay() as display:
        result = build_and_alert(
            settings, first, last, full=full, on_step=display.on_step, log=display.log
        )
    return display.summarize(result)


def preview_and_show(
    settings: Settings, first: date | None, last: date | None, *, full: bool
) -> int:
    """Builds into a copy of the warehouse, and shows what that changes; nothing is published.

    Returns:
        The exit code: 1 if anything failed.
    """
    with BuildDisplay() as display:

        def build_copy(copied: Settings) -> None:
            built.append(build(copied, first, last, full=full, on_step=display.on_step))

        built: list[BuildResult] = []
        found = preview(settings, list(models().values()), build_copy)
    write(found, "table")
    (result,) = built
    return display.tell(result)


def simulate_and_show(settings: Settings, selected: Sequence[str] | None) -> int:
    """Builds into a copy, and shows what was built, and what would be alerted.

    Args:
        settings: where the lake and the warehouse are.
        selected: keys of the assets to build; None: all.

    Returns:
        The exit code: 1 if anything failed.
    """
    tables = {asset_name(model): model.full_name() for model in models().values()}
    only = None if selected is None else {tables[key] for key in selected if key in tables}
    with BuildDisplay() as display:
        found = simulate(settings, only, display.on_step)
    code = display.summarize(found.result)
    for each in found.alerts:
        told = f"{each.alert.state.upper()} {each.alert.signal} {each.alert.subject}"
        Screen().print(f"Would tell: {told}: {each.alert.summary}", highlight=False, soft_wrap=True)
    if others := [key for key in selected or () if key not in tables]:
        display.console.print(
            f"Not simulated, as they are no tables of the mart: {', '.join(others)}",
            highlight=False,
            soft_wrap=True,
        )
    return code


def show_plan(steps: Sequence[Step]) -> None:
    """Prints what a build would refresh, and why, from the lake to the reports."""
    if not steps:
        Screen().print("Nothing to build: the lake is as it was.")
        return
    for step in steps:
        days = f" {step.days}" if step.days else ""
        line = f"{step.table.split('.')[-1]}{days}: {step.reason}"
        Screen().print(line, highlight=False, soft_wrap=True)


def _table(result: BuildResult) -> Table:
    table = Table(
        title=f"Built {result.days}", title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0)
    )
    table.add_column("table", overflow="ellipsis", no_wrap=True)
    figures = [
        {
            "rows": _count(built.rows),
            "quarantined": _count(built.quarantined),
            "warnings": _count(built.warnings),
            "seconds": f"{built.seconds:.1f}",
        }
        for built in result.tables
    ]
    for name in figures[0]:
        # it is the table's name that is cut where the terminal is narrow, not a number
        width = max(len(name), *(len(each[name]) for each in figures))
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for built, each in zip(result.tables, figures, strict=True):
        table.add_row(built.name.split("/")[-1], *each.values())
    return table


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
