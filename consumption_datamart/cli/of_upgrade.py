"""The commands upgrade and rollback."""

from typing import Annotated

import typer

from consumption_datamart.cli.options import Lake, Warehouse


def upgrade(
    lake: Lake = None,
    warehouse: Warehouse = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Try it on a copy; say what is lost and computed anew."),
    ] = False,
) -> None:
    """Bring a warehouse of an earlier version up to date, as the next build would.

    What cannot be kept is said first. With --check nothing is changed, and the exit code is 1 where
    it fails.
    """
    from consumption_datamart.build.upgrading import try_upgrade, upgrade_now
    from consumption_datamart.cli.build import show_plan
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake, warehouse=warehouse)
    if not check:
        is_done = upgrade_now(settings, lambda line: typer.echo(f"Lost: {line}", err=True))
        typer.echo("Upgraded; build next." if is_done else "It is of this version.")
        return
    tried = try_upgrade(settings)
    if not tried.is_needed:
        typer.echo("It is of this version.")
        return
    typer.echo("A copy was upgraded.")
    for line in tried.losses:
        typer.echo(f"Lost: {line}")
    typer.echo("The next build computes:")
    show_plan(tried.steps)


def rollback(
    warehouse: Warehouse = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Let them see the last release again, and newer ones.")
    ] = False,
) -> None:
    """Let readers see the release before the last one, and hold newer ones back.

    At once, whatever is being built. Of a DuckDB warehouse.
    """
    from consumption_datamart.settings import load_settings
    from consumption_datamart.warehouse import warehouse_of

    target = warehouse_of(load_settings(warehouse=warehouse))
    if undo:
        target.releases.undo()
    else:
        target.releases.roll_back()
    released = target.released().as_of()
    typer.echo(f"Readers see the release of {released:%Y-%m-%d %H:%M:%S} UTC.")
    typer.echo(
        "What was built since is released by the next build."
        if undo
        else "Newer ones are held back until consumption-datamart rollback --undo."
    )
