"""The command report."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from consumption_datamart.cli.options import ReportBy, ReportFormat, Warehouse, a_day

SHOWN = 10
"""Rows of a table on the screen, unless --top says otherwise."""


def _bands(incomplete: str) -> list[str]:
    from consumption_datamart.schema.codes import BANDS

    return [band for band in BANDS if band.startswith(incomplete)]


def _statuses(incomplete: str) -> list[str]:
    from consumption_datamart.schema.codes import STATUSES

    return [status for status in STATUSES if status.startswith(incomplete)]


def report(
    warehouse: Warehouse = None,
    day: Annotated[
        date | None,
        typer.Option(parser=a_day, metavar="DAY", help="[default: the last day built]"),
    ] = None,
    by: Annotated[
        ReportBy, typer.Option("--by", help="What a row of the table is about.")
    ] = ReportBy.customer,
    customer: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this customer: its id or part of its name; by account, of the top."
            " Repeatable.",
            metavar="NAME",
        ),
    ] = None,
    product: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this product: its id or part of its name. Repeatable.", metavar="NAME"
        ),
    ] = None,
    band: Annotated[
        list[str] | None,
        typer.Option(
            help="Only rows of the table in this band. Repeatable.",
            metavar="BAND",
            autocompletion=_bands,
        ),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            help="Only commitments of this status. Repeatable.",
            metavar="STATUS",
            autocompletion=_statuses,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Rows of the table; 0: all. [default: 10 on the screen, all elsewhere]",
            metavar="N",
        ),
    ] = None,
    compare: Annotated[
        date | None,
        typer.Option(parser=a_day, metavar="DAY", help="Show what has changed since this day."),
    ] = None,
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="How to write it.")
    ] = ReportFormat.table,
    out: Annotated[
        Path | None, typer.Option(help="The .xlsx file to write, of --format xlsx.", metavar="FILE")
    ] = None,
) -> None:
    """Show how entitlements are used: the answer, ten to act on, and a table.

    What to act on, renewals and commitments are as of the last day. --customer and --product narrow
    all of it, the other filters the table. CSV is the table alone; xlsx has a sheet of each table.
    """
    from consumption_datamart.cli.report import write
    from consumption_datamart.report import Asked, executive_report
    from consumption_datamart.settings import load_settings

    is_book = format_ is ReportFormat.xlsx
    if is_book != (out is not None):
        raise typer.BadParameter("--out FILE and --format xlsx belong together")
    shown = SHOWN if top is None and format_ is ReportFormat.table else top
    asked = Asked(
        by=by.value,
        day=day,
        compare=compare,
        customers=customer or (),
        products=product or (),
        bands=band or (),
        statuses=status or (),
        top=shown or None,
    )
    found = executive_report(load_settings(warehouse=warehouse), asked, by_all=is_book)
    write(found, format_.value, out)
