"""The command ingest."""

from datetime import date
from typing import Annotated

import typer

from consumption_datamart.cli.options import Lake, a_day


def ingest(
    name: Annotated[
        str | None, typer.Argument(help="Of one query; by default all.", metavar="NAME")
    ] = None,
    lake: Lake = None,
    day: Annotated[
        date | None,
        typer.Option(
            "--day",
            parser=a_day,
            metavar="DAY",
            help="This day. [default: those that the lake has not, and the last once more]",
        ),
    ] = None,
    to: Annotated[
        date | None,
        typer.Option("--to", parser=a_day, metavar="DAY", help="All days from --day to this."),
    ] = None,
    accept_changes: Annotated[
        bool,
        typer.Option("--accept-changes", help="Take changed columns, though they are frozen."),
    ] = False,
) -> None:
    """Read the queries of lake.toml, and write their rows into the lake, day by day.

    Nothing is built. The exit code is 1 where a day could not be read; the others are written.
    """
    from consumption_datamart.cli.ingest import write
    from consumption_datamart.definitions import lake_of
    from consumption_datamart.settings import load_settings

    if to is not None and day is None:
        raise typer.BadParameter("--to goes with --day, which says where to begin")
    if to is not None and day is not None and to < day:
        raise typer.BadParameter(f"--to {to} is before --day {day}; exchange them")
    settings = load_settings(lake=lake)
    code = write(lake_of(settings), name, day, to, accept_changes=accept_changes)
    raise typer.Exit(code)
