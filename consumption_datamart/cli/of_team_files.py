"""The commands assets discover, validate and new: a team's folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consumption_datamart.cli.of_assets import Rows, Select, assets
from consumption_datamart.cli.options import Lake, NewKind, RowsFormat

if TYPE_CHECKING:
    from dagster import Definitions

    from consumption_datamart.discovery import Discovered

__all__ = ["assets"]

Folder = Annotated[
    Path | None,
    typer.Option(help="The team's folder. [env: CONSUMPTION_DATAMART_TEAM_ASSETS]", metavar="DIR"),
]
NO_FOLDER = "there is no team's folder; name one by --folder or CONSUMPTION_DATAMART_TEAM_ASSETS"


def _team(lake: str | None, folder: Path | None) -> "tuple[Definitions, Discovered | None]":
    from consumption_datamart.definitions import build_definitions
    from consumption_datamart.discovery import code_location_of
    from consumption_datamart.settings import load_settings

    settings = load_settings(lake=lake)
    if folder is not None:
        settings = settings.model_copy(update={"team_assets": str(folder)})
    return code_location_of(settings, build_definitions)


@assets.command()
def discover(folder: Folder = None, format_: Rows = RowsFormat.table, lake: Lake = None) -> None:
    """Show what the files of a team's folder define, and which are new, changed or gone.

    Since the last time that this was asked. Ends with code 1 where one does not load.
    """
    from consumption_datamart.cli.team_files import write_files
    from consumption_datamart.errors import DatamartError

    _, found = _team(lake, folder)
    if found is None:
        raise DatamartError(NO_FOLDER)
    if not write_files(found, format_):
        raise typer.Exit(1)


@assets.command()
def validate(
    folder: Folder = None,
    select: Select = None,
    format_: Rows = RowsFormat.table,
    lake: Lake = None,
) -> None:
    """Check all assets by the rules: keys, owners, descriptions, models; ends with code 1 if not.

    For a team's CI. rules.toml in the folder turns a rule off, and says why.
    """
    from consumption_datamart.cli.team_files import write_findings
    from consumption_datamart.governance.rules import findings, turned_off
    from consumption_datamart.governance.view import defined, keys_defined

    definitions, found = _team(lake, folder)
    view, off = defined(definitions, select), turned_off(found.folder if found else None)
    keys = keys_defined(definitions)
    asked = {k: v for k, v in view.assets.items() if k in keys and not v.is_broken_file}
    told = findings(asked, keys, found)
    if not write_findings(told, off, len(asked), format_):
        raise typer.Exit(1)


@assets.command()
def new(
    kind: Annotated[NewKind, typer.Argument(help="What it does.", metavar="KIND")],
    name: Annotated[
        str, typer.Argument(help="Of the asset and its file, such as tickets.", metavar="NAME")
    ],
    folder: Folder = None,
    of: Annotated[
        str | None,
        typer.Option(
            help="What it is made of: a loader of an ingestion, others of a table by customer.",
            metavar="NAME",
        ),
    ] = None,
    owner: Annotated[
        str, typer.Option(help="Who answers for it: team:…, or an e-mail address.", metavar="OWNER")
    ] = "team:data",
) -> None:
    """Write a file with a working asset and its test: ingestion, loader, transformation, report.

    An ingestion fetches rows into a file, a loader makes a table of such files, a transformation a
    table of tables, a report sums one up.
    """
    from consumption_datamart.errors import DatamartError
    from consumption_datamart.scaffolding import write_new
    from consumption_datamart.settings import load_settings

    place = str(folder) if folder else load_settings().team_assets
    if place is None:
        raise DatamartError(NO_FOLDER)
    tables = None
    if of and kind in (NewKind.transformation, NewKind.report):
        from consumption_datamart.definitions import models

        mart = [model for model in models().values() if model.schema_name() == "mart"]
        tables = [m.table_name() for m in mart if "customer_id" in m.ibis_schema()]
    for path in write_new(kind.value, name, Path(place), of, owner, tables):
        typer.echo(f"Wrote {path}", err=True)
