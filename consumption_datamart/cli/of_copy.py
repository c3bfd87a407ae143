"""The command copy."""

from typing import Annotated

import typer

from consumption_datamart.cli.options import RowsFormat, Warehouse


def copy(
    to: Annotated[
        str, typer.Option("--to", help="URL of another warehouse, of any engine.", metavar="URL")
    ],
    warehouse: Warehouse = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if that holds a mart, which is then gone.")
    ] = False,
    format_: Annotated[
        RowsFormat, typer.Option("--format", help="How to write what was copied.")
    ] = RowsFormat.table,
) -> None:
    """Copy the mart into another warehouse, whole or not at all.

    All tables are copied as writers see them, with the ledger, so that the next build there builds
    only what is new in the lake. Each is read back, and compared by its rows and a checksum.
    """
    from dataclasses import asdict

    from consumption_datamart.build.copying import copy_to
    from consumption_datamart.cli.rows import write_rows
    from consumption_datamart.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    copied = copy_to(settings, to, replaces=replace)
    rows = [asdict(each) for each in copied.tables]
    total = sum(each.rows for each in copied.tables)
    title = f"{len(rows)} tables with {total:,} rows were copied, and are the same"
    write_rows(rows, format_, title, columns=["table", "rows", "checksum"])
    for name in copied.left:
        typer.echo(f"Not copied: {name}: no model of it is known, or it is not there.", err=True)
