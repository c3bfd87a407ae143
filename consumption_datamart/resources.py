"""The lake and the warehouse as Dagster resources."""

from typing import Any

import dagster as dg
from pydantic import Field

from consumption_datamart.lake.dumps import Lake
from consumption_datamart.settings import PASSWORD, Settings, variable
from consumption_datamart.warehouse import MEMORY_LIMIT, Warehouse, open_warehouse

WAIT_SECONDS = 3600.0
"""How long a run waits for another process that writes: nobody sits before it, and it is not
launched again."""


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

    url: str = Field(description="URL: duckdb://…, postgres://…, spark://… and others")
    memory_limit: str = Field(default=MEMORY_LIMIT, description="Memory that DuckDB may use.")
    password: str | None = Field(
        default=None,
        description="Of a server that asks for one; an `EnvVar`, so that none is told.",
    )

    def open(self) -> Warehouse:
        """The warehouse; nothing is connected yet.

        Raises:
            WarehouseError: the URL is wrong.
        """
        password = self.password
        if isinstance(password, dg.EnvVar):  # until Dagster has started a run
            password = password.get_value()
        opened = open_warehouse(self.url, self.memory_limit, password)
        return opened.waiting_at_most(WAIT_SECONDS)


def resources_of(settings: Settings) -> tuple[LakeResource, WarehouseResource]:
    """The lake and the warehouse that settings name; the password stays in its variable."""
    lake = LakeResource(
        uri=settings.lake, sources=settings.sources, accept_deletions=settings.accept_deletions
    )
    warehouse = WarehouseResource(
        url=settings.warehouse,
        memory_limit=settings.memory_limit,
        password=None if settings.warehouse_password is None else dg.EnvVar(variable(PASSWORD)),
    )
    return lake, warehouse
