"""How `page` shows what it does."""

import sys
from datetime import date
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from consumption_datamart.cli.screen import Screen
from consumption_datamart.page import write_site
from consumption_datamart.settings import Settings


def write(settings: Settings, out: str, day: date | None, *, is_priced: bool) -> str:
    """Writes the site, tells how far it is and what was written, to stderr.

    Returns:
        Where a browser finds the index.

    Raises:
        WarehouseError: the warehouse cannot be opened, is not built, or does not have the day.
        DatamartError: the site cannot be written, or Jinja2 is missing.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Screen(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("Reading the mart", total=None)

        def tell(made: int, whole: int) -> None:
            progress.update(task, description="Pages", completed=made, total=whole)

        site = write_site(settings, out, day, is_priced=is_priced, tell=tell)
    done = site.published
    pages = "page" if done.pages == 1 else "pages"
    gone = f", removed {done.removed:,}" if done.removed else ""
    print(f"Wrote {done.written:,} of {done.pages:,} {pages}{gone}: {done.place}", file=sys.stderr)
    return done.place if "://" in done.place else Path(done.place).as_uri()
