"""Options that several commands have, and what may be chosen."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import typer

Lake = Annotated[
    str | None,
    typer.Option(
        "--lake",
        help="Folder or URI of the lake. [env: CONSUMPTION_DATAMART_LAKE; default: source_data]",
    ),
]
Warehouse = Annotated[
    str | None,
    typer.Option(
        "--warehouse",
        help="duckdb://<path>, sqlite://<path>, postgres://<user>@<host>/<database>,"
        " snowflake://<user>@<account>/<database> or spark://<host>:<port>?location=<folder>."
        " [env: CONSUMPTION_DATAMART_WAREHOUSE; default: .datamart/consumption.duckdb in the"
        " project]",
    ),
]


def a_day(text: str) -> date:
    """The day that an option names."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2026-09-30") from None


class ReportFormat(StrEnum):
    """How a report is written."""

    table = "table"
    json = "json"
    csv = "csv"
    xlsx = "xlsx"


class ReportBy(StrEnum):
    """What a row of a report's table is about."""

    customer = "customer"
    product = "product"
    account = "account"
    commitment = "commitment"


class Without(StrEnum):
    """What a site may leave out."""

    money = "money"


class LakeFormat(StrEnum):
    """How simulated dumps are written."""

    csv = "csv"
    parquet = "parquet"


class Format(StrEnum):
    """How a command writes, for people or for programs."""

    table = "table"
    json = "json"


class RowsFormat(StrEnum):
    """How rows are written."""

    table = "table"
    json = "json"
    csv = "csv"


class InventoryBy(StrEnum):
    """What assets are counted by."""

    group = "group"
    kind = "kind"
    owner = "owner"
    grain = "grain"


class NewKind(StrEnum):
    """What a new asset does."""

    ingestion = "ingestion"
    loader = "loader"
    transformation = "transformation"
    report = "report"
