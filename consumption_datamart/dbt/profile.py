"""How dbt reaches the mart: a profile, which is written for each project."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consumption_datamart.errors import DatamartError
from consumption_datamart.settings import PASSWORD, variable
from consumption_datamart.warehouse import Warehouse
from consumption_datamart.warehouse.duckdb import CATALOG, DuckDBWarehouse

THREADS = 2
PASSED_ON = ("host", "sslmode", "sslcert", "sslkey", "sslrootcert")
"""Parameters of libpq that dbt calls by the same names."""


@dataclass(frozen=True)
class Connection:
    """Where dbt reads and writes.

    Attributes:
        output: of a profile, but for its schema.
        mart: schema of the mart's tables, as dbt has to name it, by their own schema.
        file: that dbt writes; None: it is a server's.
    """

    output: Mapping[str, Any]
    mart: Mapping[str, str]
    file: Path | None

    def profile(self, name: str, schema: str) -> dict[str, Any]:
        """`profiles.yml` of a project.

        Args:
            name: of the profile, as the project has it.
            schema: that its models are in, where they do not say.
        """
        output = {**self.output, "schema": schema, "threads": THREADS}
        return {name: {"target": "mart", "outputs": {"mart": output}}}


def connection(warehouse: Warehouse, schemas: list[str]) -> Connection:
    """How dbt reaches a warehouse, and where it writes.

    On DuckDB it writes a file of its own, beside the warehouse's, to which the copy for readers is
    attached as `warehouse`. On PostgreSQL it is in the mart's own database.

    Args:
        warehouse: the mart.
        schemas: of its tables.

    Raises:
        DatamartError: dbt does not know the engine, or not how it is named.
    """
    if isinstance(warehouse, DuckDBWarehouse):
        path = warehouse.path.absolute()
        file = path.with_name(f"{path.stem}_dbt.duckdb")
        attached = {"path": str(path), "alias": CATALOG, "type": "duckdb", "read_only": True}
        output: dict[str, Any] = {
            "type": "duckdb",
            "path": str(file),
            "attach": [attached],
            # a file that another reads cannot be opened just then
            "retries": {"connect_attempts": 6, "retryable_exceptions": ["IOException"]},
            "keep_open": False,
            "settings": {"memory_limit": warehouse.memory_limit},
        }
        return Connection(output, {name: name for name in schemas}, file)
    if warehouse.scheme == "postgres":
        return _postgres(warehouse, schemas)
    raise DatamartError(
        f"warehouse {warehouse.url}: dbt reads a mart on DuckDB or PostgreSQL; take one of these,"
        " or unset CONSUMPTION_DATAMART_DBT_PROJECTS"
    )


def _postgres(warehouse: Any, schemas: list[str]) -> Connection:
    from psycopg.conninfo import conninfo_to_dict

    given = {
        name: str(each) for name, each in conninfo_to_dict(warehouse.server.parameters).items()
    }
    if "service" in given:
        raise DatamartError(
            f"warehouse {warehouse.url}: dbt reads no service file; write host, user and database"
            " into the URL, or a profiles.yml into the project"
        )
    output: dict[str, Any] = {name: given[name] for name in PASSED_ON if name in given}
    output |= {
        "type": "postgres",
        "host": given.get("host", "localhost"),
        "port": int(given.get("port", "5432")),
        "user": given.get("user", ""),
        "dbname": given.get("dbname", given.get("user", "")),
        "password": f"{{{{ env_var('{variable(PASSWORD)}', env_var('PGPASSWORD', '')) }}}}",
    }
    return Connection(output, {name: f"{warehouse.prefix}{name}" for name in schemas}, None)
