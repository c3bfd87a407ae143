"""The command metrics."""

from pathlib import Path
from typing import Annotated

import typer

from consumption_datamart.cli.options import Warehouse


def metrics(
    warehouse: Warehouse = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write them to this file instead, whole or not at all.", metavar="FILE"),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            help="Answer Prometheus at this address instead, until stopped.", metavar="HOST:PORT"
        ),
    ] = None,
) -> None:
    """Print the state of the mart in the text format of Prometheus.

    When each table was published and what it holds, failing checks, open alerts, objectives, and
    what waits to be refreshed.
    """
    from consumption_datamart import metrics as room
    from consumption_datamart.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    if listen is not None:
        host, _, port = listen.rpartition(":")
        if not host or not port.isdecimal():
            raise typer.BadParameter(f"--listen {listen}: write it as 127.0.0.1:9464")
        room.serve(settings, host, int(port))
    elif out is not None:
        room.write_metrics(settings, out)
    else:
        typer.echo(room.metrics(settings), nl=False)
