"""The commands assets …: the view of those who answer for many assets."""

from typing import TYPE_CHECKING, Annotated

import typer

from consumption_datamart.cli.options import (
    Format,
    InventoryBy,
    Lake,
    RowsFormat,
    Warehouse,
)

if TYPE_CHECKING:
    from consumption_datamart.governance import View
    from consumption_datamart.settings import Settings

assets = typer.Typer(
    help="All assets of the code location: what there is, whose it is, and whether it is well.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Select = Annotated[
    str | None,
    typer.Option(
        help="Only these, as Dagster selects: 'group:reports and owner:\"team:data\"'.",
        metavar="SELECTION",
    ),
]
Rows = Annotated[RowsFormat, typer.Option("--format", help="How it is written.")]
One = Annotated[Format, typer.Option("--format", help="How it is written.")]
Key = Annotated[
    str, typer.Argument(help="Of the asset, mart/dim_day; or its last part.", metavar="KEY")
]


def _defined(
    lake: str | None, warehouse: str | None, selection: str | None = None
) -> "tuple[Settings, View]":
    from consumption_datamart.definitions import build_definitions
    from consumption_datamart.discovery import code_location_of
    from consumption_datamart.governance.view import defined
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake, warehouse=warehouse)
    definitions, found = code_location_of(settings, build_definitions)
    if found is not None and found.broken:
        told = f"{len(found.broken)} files of the team do not load: {', '.join(found.broken)}"
        typer.echo(f"Note: {told}; see `consumption-datamart assets discover`", err=True)
    return settings, defined(definitions, selection)


def _told(view: "View") -> "View":
    """Says on stderr what cannot be known."""
    for gap in view.gaps:
        typer.echo(f"Note: {gap}", err=True)
    return view


@assets.command(name="list")
def list_(
    select: Select = None,
    format_: Rows = RowsFormat.table,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """List the assets: group, owners, grain, policy, checks."""
    from consumption_datamart.cli.assets import write_list

    write_list(_defined(lake, warehouse, select)[1], format_)


@assets.command()
def show(
    key: Key, format_: One = Format.table, lake: Lake = None, warehouse: Warehouse = None
) -> None:
    """Show all that is known of an asset: columns, checks, last materializations, alerts."""
    from consumption_datamart.cli.asset_page import write_asset
    from consumption_datamart.governance import look, versions_of

    settings, view = _defined(lake, warehouse)
    asset = view.require(key)
    view = _told(look(view, settings, asset.key, 10))
    write_asset(view, asset, versions_of(view, settings, asset.key), format_)


@assets.command()
def health(
    select: Select = None,
    format_: Rows = RowsFormat.table,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """Show which assets are not well, and why; ends with code 1 where any fails.

    Healthy, degraded, failing or unknown: by the last run, checks, freshness, unusual volume or run
    time, and what an asset is made of. Also where nothing is known of any it ends with code 1.
    """
    from consumption_datamart.cli.assets import write_health
    from consumption_datamart.governance import look

    settings, view = _defined(lake, warehouse, select)
    if not write_health(_told(look(view, settings)), format_):
        raise typer.Exit(1)


@assets.command()
def owners(
    select: Select = None,
    format_: Rows = RowsFormat.table,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """Show how many assets each owner has and how they are, and which have none."""
    from consumption_datamart.cli.assets import write_owners
    from consumption_datamart.governance import look

    settings, view = _defined(lake, warehouse, select)
    write_owners(_told(look(view, settings)), format_)


@assets.command()
def inventory(
    by: Annotated[InventoryBy | None, typer.Option(help="Only counted by this.")] = None,
    select: Select = None,
    format_: Rows = RowsFormat.table,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """Count the assets by group, kind, owner and grain."""
    from consumption_datamart.cli.assets import write_inventory

    write_inventory(_defined(lake, warehouse, select)[1], format_, by and by.value)


@assets.command()
def lineage(
    key: Key,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Levels to show. [default: all]", metavar="N")
    ] = None,
    format_: One = Format.table,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """Show what an asset is made of, what is made of it, and what its columns are made of."""
    from consumption_datamart.cli.asset_page import write_lineage
    from consumption_datamart.governance import look
    from consumption_datamart.governance.columns import columns_of

    settings, view = _defined(lake, warehouse)
    asset = view.require(key)
    view = _told(look(view, settings))
    write_lineage(view, asset, format_, depth, columns_of(settings, asset))


@assets.command()
def history(
    key: Key,
    last: Annotated[int, typer.Option(min=1, help="How many materializations.", metavar="N")] = 30,
    versions: Annotated[
        bool, typer.Option("--versions", help="Show the versions of its columns instead.")
    ] = False,
    format_: Rows = RowsFormat.table,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """Show rows and run times of an asset's materializations, and where they are heading.

    Or how the columns of its table have changed, whether that breaks what reads them, and whom.
    """
    from consumption_datamart.cli.assets import write_history
    from consumption_datamart.cli.versions import write_versions
    from consumption_datamart.governance import look, versions_of

    settings, view = _defined(lake, warehouse)
    asset = view.require(key)
    if versions:
        write_versions(asset.key, versions_of(view, settings, asset.key), format_)
        return
    write_history(_told(look(view, settings, asset.key, last)), asset.key, format_)


@assets.command()
def simulate(
    select: Select = None,
    lake: Lake = None,
    warehouse: Warehouse = None,
) -> None:
    """Build what is to be refreshed in a copy; say how long it takes and what it would alert.

    Nothing is touched: neither the mart nor alerts, and nobody is told. Ends with code 1 where
    something could not be built.
    """
    from consumption_datamart.cli.build import simulate_and_show

    settings, view = _defined(lake, warehouse, select)
    raise typer.Exit(simulate_and_show(settings, None if select is None else list(view.assets)))
