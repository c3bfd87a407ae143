"""The command grant-readers."""

from typing import Annotated

import typer

from consumption_datamart.cli.options import Warehouse


def grant_readers(
    role: Annotated[str, typer.Argument(help="Role of PostgreSQL; made if it is not there.")],
    warehouse: Warehouse = None,
) -> None:
    """Let a role of PostgreSQL read schema mart, and no other.

    Tables that are made later can be read, too, if the same user makes them.
    """
    from consumption_datamart.settings import load_settings
    from consumption_datamart.warehouse import warehouse_of

    settings = load_settings(warehouse=warehouse)
    warehouse_of(settings).grant_readers(role)
    typer.echo(f"{role} may read schema mart; let a user have it: GRANT {role} TO …", err=True)
