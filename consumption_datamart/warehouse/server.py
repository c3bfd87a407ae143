"""What warehouses on servers have in common: a database of several schemas, which others share."""

import os
import re
import tempfile
from collections.abc import Collection
from copy import copy
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

import ibis
from ibis.backends.sql.datatypes import SqlglotType

from consumption_datamart.errors import WarehouseError, masked
from consumption_datamart.schema.monitoring import MonitoringTable, Publication
from consumption_datamart.schema.table import LakeTable, MartTable, Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.readable import Place
from consumption_datamart.warehouse.sql import rows_of

PREFIX = "prefix"
"""The one parameter of a URL that is ours: what the names of all schemas begin with."""
OURS = tuple(each.schema_name() for each in (LakeTable, MartTable, MonitoringTable))
PREVIEW = "datamart_preview_"
"""What the names of schemas begin with that are copies; no other schema is dropped."""


class ServerWarehouse(Warehouse):
    """A database of a server; schemas are as everywhere, with a prefix if one is set.

    Readers see each publication once it is committed.

    Attributes:
        prefix: what the names of all schemas begin with.
    """

    prefix: str
    _url: str

    @property
    def url(self) -> str:
        """As it was given: it has no password."""
        return self._url

    @property
    def spill(self) -> Path:
        """A folder of this process in the system's for temporary files."""
        return Path(tempfile.gettempdir()) / f"consumption_datamart.{os.getpid()}.tmp"

    def location(self, model: type[Table]) -> tuple[str, Place]:
        """A table in its schema."""
        return model.table_name(), (None, f"{self.prefix}{model.schema_name()}")

    def qualified_name(self, schema: str, table: str) -> str:
        """`"mart"."dim_day"`."""
        return f'"{self.prefix}{schema}"."{table}"'

    def is_there(self) -> bool:
        """Whether there is a table in any of the mart's schemas."""
        with self.reader() as backend:
            return any(name.split(".")[0] in OURS for name in self.tables(backend))

    def release(self, *_: object, **__: object) -> None:
        """Readers see each publication as soon as it is committed."""

    def released(self) -> Warehouse:
        """The same."""
        return self

    def published_tables(self) -> set[tuple[str, str]]:
        """Schema and name of the tables of all schemas that anything was published in."""
        with self.reader() as backend:
            there, schemas = self.tables(backend), set(OURS)
            if Publication.full_name() in there:
                names = self.table(Publication).select("published_table").distinct()
                schemas |= {name.split(".")[0] for (name,) in rows_of(backend, names)}
        split = (name.split(".", maxsplit=1) for name in there)
        return {(schema, table) for schema, table in split if schema in schemas}

    def beside(self) -> Self:
        """The same database with another prefix, for a copy."""
        copied = copy(self)
        copied.prefix = f"{self.prefix}{PREVIEW}"
        without = re.sub(rf"\b{PREFIX}=[^&]*&?", "", self._url).rstrip("?&")
        copied._url = f"{without}{'&' if '?' in without else '?'}{PREFIX}={copied.prefix}"
        return copied


def require_no_secret(url: str, instead: str) -> None:
    """Refuses a URL with a secret in it: Dagster shows URLs, and so does a list of processes.

    Args:
        url: as it was given.
        instead: where the secret may be.

    Raises:
        WarehouseError: it has one, which is not told.
    """
    if (shown := masked(url)) != url:
        raise WarehouseError(
            f"warehouse URL '{shown}': write no password in it, where others see it; set"
            " CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD (for copy --to,"
            f" CONSUMPTION_DATAMART_COPY_PASSWORD), or {instead}"
        )


def parameters_in(query: str, taken: Collection[str], shown: str) -> dict[str, str]:
    """The parameters of a URL.

    Args:
        query: the URL's.
        taken: names that there are.
        shown: the URL as messages may show it.

    Raises:
        WarehouseError: there is no such parameter; its value is not told.
    """
    given = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(given.keys() - set(taken)):
        raise WarehouseError(
            f"warehouse URL {shown}: there is no parameter {unknown[0]}; there are"
            f" {', '.join(taken)}; secrets have no place in a URL"
        )
    return given


def require_prefix(url: str, prefix: str) -> str:
    """A prefix that names of schemas can begin with.

    Raises:
        WarehouseError: it is none.
    """
    if not re.fullmatch(r"([a-z_][a-z0-9_]*)?", prefix) or prefix.startswith("pg_"):
        raise WarehouseError(
            f"warehouse URL '{url}': prefix={prefix} begins no name of a schema; write small"
            " letters, digits and _"
        )
    return prefix


def column_definitions(schema: ibis.Schema, types: type[SqlglotType]) -> str:
    """The columns of a table as CREATE TABLE has them."""
    columns = [
        f'"{name}" {types.to_string(dtype)}' + ("" if dtype.nullable else " NOT NULL")
        for name, dtype in schema.items()
    ]
    return ", ".join(columns)


def without_nul(query: str, schema: ibis.Schema) -> str:
    """A query of DuckDB in whose texts NUL is replaced: servers do not take it."""
    replaced = ", ".join(
        f'replace("{name}", chr(0), chr(65533)) AS "{name}"'
        for name, dtype in schema.items()
        if dtype.is_string()
    )
    return f"SELECT * REPLACE ({replaced}) FROM ({query})" if replaced else query
