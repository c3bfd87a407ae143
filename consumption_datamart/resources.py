"""The lake and the warehouse as Dagster resources."""

from typing import Any

import dagster as dg
from pydantic import Field

from consumption_datamart.lake.dumps import Lake
from consumption_datamart.warehouse import MEMORY_LIMIT, Warehouse, open_warehouse


class LakeResource(dg.ConfigurableResource[Any]):
    """The lake that dumps are read from."""

    uri: str = Field(description="Folder or URI of the lake.")
    sources: str | None = Field(
        default=None,
        description="Path or URI of the file that describes its sources, if not lake.toml.",
    )
    accept_deletions: bool = Field(
        default=False,
        description="Whether rows are deleted though most dumps of their source are gone.",
    )

    def open(self) -> Lake:
        """The lake; nothing is read yet."""
        return Lake(self.uri, self.sources, self.accept_deletions)


class WarehouseResource(dg.ConfigurableResource[Any]):
    """The warehouse that tables are published to."""

    url: str = Field(description="URL: duckdb://…, sqlite://… or postgres://…")
    memory_limit: str = Field(default=MEMORY_LIMIT, description="Memory that DuckDB may use.")

    def open(self) -> Warehouse:
        """The warehouse; nothing is connected yet.

        Raises:
            WarehouseError: the URL is wrong.
        """
        return open_warehouse(self.url, self.memory_limit)
