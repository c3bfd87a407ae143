"""The commands and their options."""

import atexit
import gc
import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from consumption_datamart.cli.of_access import grant_readers
from consumption_datamart.cli.of_comparison import diff
from consumption_datamart.cli.of_config import config
from consumption_datamart.cli.of_copy import copy
from consumption_datamart.cli.of_ingest import ingest
from consumption_datamart.cli.of_lake import check_lake, demo, init
from consumption_datamart.cli.of_metrics import metrics
from consumption_datamart.cli.of_page import page
from consumption_datamart.cli.of_quality import slo, trends
from consumption_datamart.cli.of_report import report
from consumption_datamart.cli.of_retention import prune
from consumption_datamart.cli.of_team_files import assets
from consumption_datamart.cli.of_upgrade import rollback, upgrade
from consumption_datamart.cli.options import Lake, LakeFormat, Warehouse, a_day

app = typer.Typer(
    name="consumption-datamart",
    help="Of what customers are entitled to use, how much do they actually use?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"consumption-datamart {version('consumption-datamart')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Of what customers are entitled to use, how much do they actually use?"""


def main() -> NoReturn:
    """The program: runs the command, and ends with its exit code."""
    code = run()
    # at a usual end DuckDB's binding lists what it thinks was leaked, and to free all that was
    # imported takes a fifth of a small build
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run() -> int:
    """Runs the command that the process was started with.

    Returns:
        The exit code; 1 for a problem that the user can solve, which is told in one line.
    """
    from consumption_datamart.errors import DatamartError

    # nearly all there is was imported and stays: it need not be looked through again and again
    gc.set_threshold(50_000, 20)
    try:
        app(prog_name="consumption-datamart")
    except DatamartError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@app.command()
def build(
    lake: Lake = None,
    warehouse: Warehouse = None,
    from_: Annotated[
        date | None,
        typer.Option(
            "--from", parser=a_day, metavar="DAY", help="First day. [default: the lake's]"
        ),
    ] = None,
    to: Annotated[
        date | None,
        typer.Option("--to", parser=a_day, metavar="DAY", help="Last day. [default: the lake's]"),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Build all days anew, also what has not changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be built, and why; build nothing.")
    ] = False,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Build into a copy, show what it changes, publish nothing."),
    ] = False,
    accept_deletions: Annotated[
        bool,
        typer.Option(
            "--accept-deletions", help="Delete what has no dump more, also most of what was loaded."
        ),
    ] = False,
) -> None:
    """Build what is new in the lake into every table of the mart, in this process.

    Days that are named are built anew, whether they have changed or not. At the end alerts are
    evaluated, and told.
    """
    from consumption_datamart.build import dry_run as plan
    from consumption_datamart.cli.build import build_and_show, preview_and_show, show_plan
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake, warehouse=warehouse)
    if accept_deletions:
        settings = settings.model_copy(update={"accept_deletions": True})
    if dry_run:
        if from_ or to or full or preview:
            raise typer.BadParameter(
                "--dry-run takes none of --from, --to, --full, --preview: these build"
            )
        show_plan(plan(settings))
        return
    show = preview_and_show if preview else build_and_show
    raise typer.Exit(show(settings, from_, to, full=full))


app.command()(ingest)
app.command(name="check-lake")(check_lake)
app.command()(init)
app.command()(demo)
app.command()(report)
app.command()(page)
app.command()(metrics)
app.add_typer(config, name="config")
app.add_typer(assets, name="assets")
app.command()(diff)
app.command()(copy)
app.command(name="grant-readers")(grant_readers)
app.command()(upgrade)
app.command()(rollback)
app.command()(prune)


@app.command()
def quarantine(
    warehouse: Warehouse = None,
    table: Annotated[
        str | None, typer.Option(help="Only of this table of the lake.", metavar="TABLE")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Only what was set aside for this.", metavar="REASON")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Write all rows to this .csv or .parquet file.", metavar="FILE"),
    ] = None,
) -> None:
    """Show which rows were set aside and why, and which team to send them back to."""
    from consumption_datamart import quarantine as room
    from consumption_datamart.cli.quarantine import show
    from consumption_datamart.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    if export is not None:
        count = room.export(settings, export, table, reason)
        typer.echo(f"Wrote {count:,} rows to {export}", err=True)
    else:
        show(room.quarantined(settings, table, reason))


@app.command()
def alerts(
    warehouse: Warehouse = None,
    all_: Annotated[
        bool, typer.Option("--all", help="The history: every crossing of a line, the last first.")
    ] = False,
) -> None:
    """Show the alerts that are open, or the history of all.

    Ends with code 1 where alerts were never evaluated.
    """
    from consumption_datamart.cli.alerts import show
    from consumption_datamart.settings import load_settings

    show(load_settings(warehouse=warehouse), is_history=all_)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write the lake to.", metavar="DIR")],
    days: Annotated[int, typer.Option(min=1, help="Days of dumps.", metavar="N")],
    customers: Annotated[int, typer.Option(min=1, help="Customers.", metavar="N")],
    products: Annotated[int, typer.Option(min=1, help="Products.", metavar="N")],
    rows_per_day: Annotated[int, typer.Option(min=0, help="Rows of telemetry a day.", metavar="N")],
    end: Annotated[
        date | None,
        typer.Option(parser=a_day, metavar="DAY", help="Last day. [default: yesterday]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same lake.", metavar="N")] = 0,
    format_: Annotated[
        LakeFormat, typer.Option("--format", help="Format of the dumps.")
    ] = LakeFormat.parquet,
    dirt: Annotated[
        float, typer.Option(min=0, max=1, help="Share of bad rows to mix in.", metavar="SHARE")
    ] = 0.0,
    extras: Annotated[
        bool,
        typer.Option(
            "--extras/--no-extras",
            help="Also bundles, accounts, exchange rates and a lake.toml, and entitlements without"
            " limit or by periods; without them only what every lake has.",
        ),
    ] = True,
) -> None:
    """Write a lake of any size by the contract."""
    from consumption_datamart.cli.simulate import simulate_with_progress

    simulate_with_progress(
        out,
        days=days,
        customers=customers,
        products=products,
        rows_per_day=rows_per_day,
        end=end,
        seed=seed,
        format=format_.value,
        dirt=dirt,
        extras=extras,
    )


app.command()(slo)
app.command()(trends)
