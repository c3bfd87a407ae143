"""The commands slo and trends."""

from pathlib import Path
from typing import Annotated

import typer

from consumption_datamart.cli.options import Warehouse


def slo(warehouse: Warehouse = None) -> None:
    """Show the objectives of the reports: how many days were good, and what budget is left."""
    from consumption_datamart.cli.slo import show
    from consumption_datamart.objectives import objectives
    from consumption_datamart.settings import load_settings

    show(objectives(load_settings(warehouse=warehouse)))


def trends(
    export: Annotated[
        Path | None, typer.Option(help="Page to write charts to, .html.", metavar="FILE")
    ] = None,
    warehouse: Warehouse = None,
) -> None:
    """Show warnings, quarantined rows, rows and seconds over time, by table and code."""
    from consumption_datamart import trends as room
    from consumption_datamart.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    if export is None:
        from consumption_datamart.cli.trends import show

        show(room.recorded(settings))
        return
    room.export(settings, export)
    typer.echo(f"Wrote {export}", err=True)
