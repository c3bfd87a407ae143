"""The command prune."""

from datetime import date
from typing import Annotated

import typer

from consumption_datamart.cli.options import Lake, Warehouse, a_day


def prune(
    lake: Lake = None,
    warehouse: Warehouse = None,
    reopen: Annotated[
        date | None,
        typer.Option(
            parser=a_day,
            metavar="DAY",
            help="Prune nothing; let the next build load this pruned day again.",
        ),
    ] = None,
    to: Annotated[
        date | None,
        typer.Option("--to", parser=a_day, metavar="DAY", help="All days from --reopen to this."),
    ] = None,
) -> None:
    """Delete what is older than the settings say that it is kept.

    Raw rows and quarantine of telemetry, and results of checks that later ones have replaced; with
    DAGSTER_HOME also runs and their logs. Dagster's job prune does the same every night.

    No dump of a day whose raw rows were pruned is loaded any more: what was made of them stays.
    """
    if to is not None and reopen is None:
        raise typer.BadParameter("--to goes with --reopen; name both, or neither")
    if to is not None and reopen is not None and to < reopen:
        raise typer.BadParameter(f"--to {to} is before --reopen {reopen}; exchange them")
    from consumption_datamart.build.run import recording_instance
    from consumption_datamart.definitions import catalog_of, lake_of
    from consumption_datamart.lake.listing import listing
    from consumption_datamart.retention import prune_instance, prune_mart
    from consumption_datamart.retention import reopen as reopen_days
    from consumption_datamart.schema.days import Days
    from consumption_datamart.settings import load_settings
    from consumption_datamart.warehouse import warehouse_of

    settings = load_settings(lake=lake, warehouse=warehouse)
    target, catalog = warehouse_of(settings), catalog_of(settings)
    if reopen is not None:
        found = listing(lake_of(settings))
        count = reopen_days(target, found, catalog.contracts, Days(reopen, to or reopen))
        if count:
            typer.echo(f"{count} days of raw tables are open again; build next.")
        else:
            typer.echo("None of these days was pruned; there is nothing to open.")
        return
    deleted = prune_mart(settings, target, catalog.nodes(), catalog.contracts)
    catalog.release(target)
    for each in deleted:
        typer.echo(f"{each.table}: {each.rows:,} rows of {each.days}")
    with recording_instance(settings) as instance:
        if instance is not None:
            typer.echo(f"Dagster: {prune_instance(settings, instance)} runs")
    if not deleted:
        typer.echo("No rows are older than they are kept.")
