"""The commands config show and config validate."""

import json
from typing import Annotated

import typer

from consumption_datamart.cli.options import Format, Lake, Warehouse

config = typer.Typer(
    help="The settings: what they are, where each comes from, and whether they work.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@config.command()
def show(
    lake: Lake = None,
    warehouse: Warehouse = None,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.table,
) -> None:
    """Show each setting with its value, and where that comes from. Secrets are masked."""
    from consumption_datamart.cli.config import rows, write
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake, warehouse=warehouse)
    given = {"lake": lake, "warehouse": warehouse}
    found = rows(settings, {name for name, value in given.items() if value})
    if format_ is Format.json:
        typer.echo(json.dumps(found, indent=2))
    else:
        write(found)


@config.command()
def validate(lake: Lake = None, warehouse: Warehouse = None) -> None:
    """Try what the settings name: lake, warehouse, routes of alerts, folders.

    Nothing is built, and nobody is told anything. The exit code is 1 where something is wrong.
    """
    from consumption_datamart.cli.config import write_findings
    from consumption_datamart.preflight import findings
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake, warehouse=warehouse)
    raise typer.Exit(write_findings(findings(settings)))
