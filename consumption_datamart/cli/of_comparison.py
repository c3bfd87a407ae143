"""The command diff."""

from typing import Annotated

import typer

from consumption_datamart.cli.options import Format


def diff(
    before: Annotated[str, typer.Argument(help="URL of a warehouse.", metavar="A")],
    after: Annotated[str, typer.Argument(help="URL of another.", metavar="B")],
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.table,
) -> None:
    """Compare two warehouses: rows and cells, customers in another band, money.

    What readers see of both is compared, of any engine.
    """
    from consumption_datamart.cli.diff import write
    from consumption_datamart.comparison import compare
    from consumption_datamart.definitions import models
    from consumption_datamart.settings import load_settings
    from consumption_datamart.warehouse import warehouse_of

    settings = load_settings()
    opened = [
        warehouse_of(settings.model_copy(update={"warehouse": url})).released()
        for url in (before, after)
    ]
    write(compare(opened[0], opened[1], list(models().values())), format_.value)
