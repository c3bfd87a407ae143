"""What `simulate` shows while it writes a lake."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from rich.progress import Progress

from consumption_datamart.cli.screen import Screen
from consumption_datamart.errors import LakeError
from consumption_datamart.simulation import simulate


def simulate_with_progress(
    out: Path,
    *,
    days: int,
    customers: int,
    products: int,
    rows_per_day: int,
    end: date | None,
    seed: int,
    format: Literal["csv", "parquet"],
    dirt: float,
    extras: bool,
) -> None:
    """Writes a lake, with a progress bar on a terminal.

    Raises:
        LakeError: the folder cannot be written to.
    """
    console = Screen(stderr=True)
    last = end or datetime.now(UTC).date() - timedelta(days=1)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Writing dumps", total=days)
        try:
            simulate(
                out,
                days=days,
                customers=customers,
                products=products,
                rows_per_day=rows_per_day,
                end=last,
                seed=seed,
                format=format,
                dirt=dirt,
                extras=extras,
                on_day=lambda _: progress.advance(task),
            )
        except OSError as error:
            raise LakeError(f"--out {out}: cannot be written to: {error}") from error
    console.print(f"Wrote {days} days to {last} into {out}", highlight=False)
