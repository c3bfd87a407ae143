"""The command page."""

from datetime import date
from typing import Annotated

import typer

from consumption_datamart.cli.options import Warehouse, Without, a_day


def page(
    out: Annotated[
        str | None,
        typer.Option(
            help="Folder, or URI (s3://, gs://, az://), to write the site to. [env:"
            " CONSUMPTION_DATAMART_PAGE]",
            metavar="DIR",
        ),
    ] = None,
    warehouse: Warehouse = None,
    day: Annotated[
        date | None,
        typer.Option(parser=a_day, metavar="DAY", help="[default: the last day built]"),
    ] = None,
    without: Annotated[Without | None, typer.Option(help="Leave it out, on every page.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the index in the browser.")] = False,
) -> None:
    """Write the report as a site: an index, a page a customer, a page a product.

    It needs no server and no network. What has not changed is not written again.
    """
    from consumption_datamart.cli.page import write
    from consumption_datamart.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    where = out or settings.page
    if where is None:
        raise typer.BadParameter("name a folder by --out DIR, or set CONSUMPTION_DATAMART_PAGE")
    left_out = without.value if without else settings.page_without
    place = write(settings, where, day, is_priced=left_out is None)
    if open_:
        typer.launch(place)
