"""Options that several commands have, and what may be chosen."""

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
        help="duckdb://<path> or sqlite://<path>. [env: CONSUMPTION_DATAMART_WAREHOUSE;"
        " default: .datamart/consumption.duckdb in the project]",
    ),
]


class ReportFormat(StrEnum):
    """How a report is written."""

    table = "table"
    json = "json"
    csv = "csv"


class LakeFormat(StrEnum):
    """How simulated dumps are written."""

    csv = "csv"
    parquet = "parquet"
