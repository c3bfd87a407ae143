"""Where the tables are: one module for each engine behind one interface."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from consumption_datamart.errors import WarehouseError, masked
from consumption_datamart.warehouse.audit import Profile, audit
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.duckdb import DuckDBWarehouse
from consumption_datamart.warehouse.entry import Dependent, LedgerEntry
from consumption_datamart.warehouse.ledger import Ledger
from consumption_datamart.warehouse.ledger_reading import read_ledger
from consumption_datamart.warehouse.publication import Inspect, Publication, publish
from consumption_datamart.warehouse.sql import rows_of
from consumption_datamart.warehouse.sqlite import SQLiteWarehouse
from consumption_datamart.warehouse.transaction import Transaction
from consumption_datamart.warehouse.upgrade import losses, upgrade

__all__ = [
    "ENGINES",
    "MEMORY_LIMIT",
    "Dependent",
    "Inspect",
    "Ledger",
    "LedgerEntry",
    "Profile",
    "Publication",
    "Transaction",
    "Warehouse",
    "audit",
    "losses",
    "open_warehouse",
    "publish",
    "read_ledger",
    "rows_of",
    "upgrade",
    "warehouse_of",
]

MEMORY_LIMIT = "1GB"
"""Where nobody sets another; the settings have the same."""


@contextmanager
def _needing(extra: str, engine: str) -> Iterator[None]:
    """Tells what to install where an import fails."""
    try:
        yield
    except ImportError as error:
        raise WarehouseError(
            f"{engine} needs the extra: pip install 'consumption-datamart[{extra}]' ({error})"
        ) from error


def _postgres() -> type[Warehouse]:
    with _needing("postgres", "PostgreSQL"):
        from consumption_datamart.warehouse.postgres import PostgresWarehouse  # noqa: PLC0415
    return PostgresWarehouse


def _snowflake() -> type[Warehouse]:
    with _needing("snowflake", "Snowflake"):
        from consumption_datamart.warehouse.snowflake import SnowflakeWarehouse  # noqa: PLC0415
    return SnowflakeWarehouse


def _spark() -> type[Warehouse]:
    with _needing("spark", "Spark"):
        from consumption_datamart.warehouse.spark.warehouse import SparkWarehouse  # noqa: PLC0415
    return SparkWarehouse


ENGINES: dict[str, Callable[[], type[Warehouse]]] = {
    "duckdb": lambda: DuckDBWarehouse,
    "sqlite": lambda: SQLiteWarehouse,
    "postgres": _postgres,
    "postgresql": _postgres,
    "snowflake": _snowflake,
    "spark": _spark,
}
"""By the scheme of a URL; what only one of them needs is imported where it is asked for."""


class WarehouseSettings(Protocol):
    """What settings say of the warehouse."""

    @property
    def warehouse(self) -> str:
        """URL."""

    @property
    def memory_limit(self) -> str:
        """How much memory DuckDB may use before it spills to disk."""

    @property
    def warehouse_password(self) -> SecretStr | None:
        """None: the engine's client finds it by itself, or needs none."""


def warehouse_of(settings: WarehouseSettings) -> Warehouse:
    """The warehouse that settings name; nothing is connected yet.

    Raises:
        WarehouseError: as `open_warehouse`.
    """
    secret = settings.warehouse_password
    password = None if secret is None else secret.get_secret_value()
    return open_warehouse(settings.warehouse, settings.memory_limit, password)


def open_warehouse(
    url: str, memory_limit: str = MEMORY_LIMIT, password: str | None = None
) -> Warehouse:
    """The warehouse at a URL as Ibis writes it; nothing is connected yet.

    Args:
        url: `duckdb://<path>` or `sqlite://<path>`, with three slashes for an absolute path;
            `postgres://<user>@<host>:<port>/<database>`;
            `snowflake://<user>@<account>/<database>?warehouse=<name>`; or
            `spark://<host>:<port>?location=<folder or bucket of the tables>`.
        memory_limit: how much memory DuckDB may use before it spills to disk.
        password: of a server that asks for one; None: its client finds it by itself.

    Raises:
        WarehouseError: the URL names no engine that is supported or installed, or no database of
            it.
    """
    engine = ENGINES.get(urlsplit(url).scheme)
    if engine is None:
        raise WarehouseError(
            f"warehouse URL '{masked(url)}': unknown engine; write duckdb://<path>,"
            " sqlite://<path>, postgres://<user>@<host>/<database>,"
            " snowflake://<user>@<account>/<database> or spark://<host>:<port>?location=<folder>"
        )
    return engine().at(url, memory_limit, password)
