"""The lake and the warehouse as Dagster resources."""

from typing import Any

import dagster as dg
from pydantic import Field

from consumption_datamart.lake.dumps import Lake
from consumption_datamart.warehouse import MEMORY_LIMIT, Warehouse, open_warehouse


class LakeResource(dg.ConfigurableResource[Any]):
    """The lake that dumps are read from."""

    uri: str = Field(description="Folder or URI of the lake.")

    def open(self) -> Lake:
        """The lake; nothing is read yet."""
        return Lake(self.uri)


class WarehouseResource(dg.ConfigurableResource[Any]):
    """The warehouse that tables are published to."""

    url: str = Field(description="URL as Ibis writes it: duckdb://… or sqlite://…")
    memory_limit: str = Field(default=MEMORY_LIMIT, description="Memory that DuckDB may use.")
    is_released_by_runs: bool = Field(
        default=True, description="Whether readers see what a run has published once it is done."
    )

    def teardown_after_execution(self, _: dg.InitResourceContext) -> None:
        """Lets readers see what a run has published, be it in success or in failure.

        Raises:
            WarehouseError: they cannot; Dagster notes it in the log of the run, and the next run
                makes up for it.
        """
        if self.is_released_by_runs:
            self.open().release()

    def open(self) -> Warehouse:
        """The warehouse; nothing is connected yet.

        Raises:
            WarehouseError: the URL is wrong.
        """
        return open_warehouse(self.url, self.memory_limit)
