"""What is done in a transaction of Snowflake, where each change of a table's form is at once.

A statement that creates, alters or drops commits the transaction that it is in. So these are sent
by a connection of their own, and the transaction begins with the first row that is written.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.snowflake import Backend
from ibis.backends.sql.datatypes import DuckDBType
from snowflake.connector import SnowflakeConnection, errors

from consumption_datamart.errors import AuditError
from consumption_datamart.schema.alerts import ALERTS
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import MONITORING, MonitoringTable, Release
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.ledger import forget
from consumption_datamart.warehouse.rows import conform
from consumption_datamart.warehouse.server import column_definitions, without_nul
from consumption_datamart.warehouse.snowflake_rows import SCHEMA, copy_in
from consumption_datamart.warehouse.sql import sql_of
from consumption_datamart.warehouse.transaction import Transaction
from consumption_datamart.warehouse.versions import refused

if TYPE_CHECKING:
    from consumption_datamart.warehouse.difference import Difference
    from consumption_datamart.warehouse.snowflake import SnowflakeWarehouse

FORMS = ("CREATE SCHEMA", "CREATE TABLE", "CREATE OR REPLACE TABLE", "ALTER TABLE", "DROP TABLE")
"""Statements that would commit the transaction, and are sent by another connection."""
CHANGES = ("INSERT", "DELETE", "UPDATE", "COPY INTO")
KNOWN: list[type[Table]] = [*(each for each in MONITORING if each is not Release), *ALERTS]
"""Tables that a transaction may write to without saying so."""


class Routed(Backend):  # type: ignore[misc]  # Ibis says no types
    """Ibis' connection to Snowflake, but that it begins a transaction where rows are changed.

    Attributes:
        forms: gives the connection for statements that would commit it.
        is_begun: whether it was begun.
    """

    forms: Callable[[], SnowflakeConnection]
    is_begun: bool = False

    def raw_sql(self, query: Any, **how: Any) -> Any:
        """Runs a statement where it belongs."""
        sql = query if isinstance(query, str) else query.sql(dialect=self.name)
        if sql.startswith(FORMS):
            return self.forms().cursor().execute(sql)
        if sql.startswith(CHANGES):
            self.begin_rows()
        return super().raw_sql(sql, **how)

    def begin_rows(self) -> None:
        """Begins the transaction, if that was not done yet."""
        if not self.is_begun:
            self.con.cursor().execute("BEGIN")
            self.is_begun = True

    def commit_rows(self) -> None:
        """Commits what was begun, if anything was."""
        if self.is_begun:
            self.con.cursor().execute("COMMIT")
            self.is_begun = False


class SnowflakeTransaction(Transaction):
    """Files are read by a DuckDB in memory, whose rows are copied over by a stage."""

    warehouse: "SnowflakeWarehouse"
    backend: Routed
    constraint_error = errors.IntegrityError

    def begin(self, writes: Collection[type[Table]] | None, reads: Collection[type[Table]]) -> None:
        """Makes the tables that are known to be written or read, and the place for frames."""
        self.require(*KNOWN, *(writes or ()), *reads)
        cursor = self.backend.con.cursor()
        cursor.execute(f'USE SCHEMA "{self.warehouse.prefix}{MonitoringTable.schema_name()}"')
        self.stage_name = f"{SCHEMA}.DATAMART_{uuid4().hex}"
        cursor.execute(f"CREATE TEMPORARY STAGE {self.stage_name}")

    def create(self, model: type[Table]) -> None:
        """Creates the schema, too; both are there at once, and stay if the transaction fails."""
        self.backend.raw_sql(
            f'CREATE SCHEMA IF NOT EXISTS "{self.warehouse.prefix}{model.schema_name()}"'
        )
        types = self.backend.compiler.type_mapper
        columns = column_definitions(self.warehouse.stored_schema(model), types)
        self.backend.raw_sql(f"CREATE TABLE {self.warehouse.qualified(model)} ({columns})")

    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Copies the rows over by a file."""
        rows = conform(model, staged)
        query = without_nul(sql_of(self.staging, rows), rows.schema())
        self.backend.begin_rows()
        table, connection = self.warehouse.qualified(model), self.backend.con
        copy_in(connection, self.stage_name, self.staging.con, query, table, rows.schema())

    def clear(self, model: type[Table], days: Days | None = None) -> None:
        """Columns are changed in place: a table that is made anew is empty at once."""
        self.upgrade(model)
        super().clear(model, days)

    def upgrade(self, model: type[Table]) -> bool:
        """At once: so a frozen table is refused here, before the check that does so elsewhere.

        Raises:
            AuditError: it is frozen, and the change is one that breaks its readers.
        """
        change = None if self.lacks(model) else self._difference(model)
        if change and (wrong := refused(self, model)):
            told = "; ".join(map(str, wrong))
            raise AuditError(
                model.full_name(),
                f"frozen: {told}, but the table is frozen as {model.frozen()}. Take the change"
                f" back, or, once its readers agree, write _frozen = {(model.frozen() or 0) + 1}"
                f" in {model.__name__}",
            )
        added = change.added if change else ()
        is_anew = super().upgrade(model)
        for name in () if is_anew else added:
            if value := model.default(name):
                table = self.warehouse.qualified(model)
                statement = f'UPDATE {table} SET "{name}" = {value}'
                self.backend.forms().cursor().execute(statement)
        return is_anew

    def _create(self, model: type[Table]) -> None:
        """Its required columns are for the audit to look at."""
        super()._create(model)
        self.unguarded[model.full_name()] = model.required()

    def _difference(self, model: type[Table]) -> "Difference":
        """Likewise."""
        change = super()._difference(model)
        self.unguarded[model.full_name()] = model.required()
        return change

    def _rewritten(self, model: type[Table], change: "Difference") -> bool:  # noqa: ARG002
        """Never: its rows would be gone where the transaction fails."""
        return False

    def _begin_anew(self, model: type[Table]) -> None:
        """The ledger forgets the table before: whatever follows, it is built again."""
        forget(self, model)
        self.backend.commit_rows()
        super()._begin_anew(model)

    def _create_frame(self, name: str, data: pd.DataFrame, schema: ibis.Schema) -> None:
        """As rows that are loaded; Ibis' own way is one that commits."""
        self.staging.con.register("frame", data)
        types = {name: DuckDBType.to_string(dtype) for name, dtype in schema.items()}
        read = ", ".join(f'"{name}"::{dtype} AS "{name}"' for name, dtype in types.items())
        columns = column_definitions(schema, self.backend.compiler.type_mapper)
        connection = self.backend.con
        connection.cursor().execute(f'CREATE OR REPLACE TEMPORARY TABLE "{name}" ({columns})')
        query = f"SELECT {read} FROM frame"
        copy_in(connection, self.stage_name, self.staging.con, query, f'"{name}"', schema)

    def copy(self, model: type[Table], name: str) -> None:
        """Before the first row is written: it would commit what was."""
        self.backend.con.cursor().execute(
            f'CREATE OR REPLACE TEMPORARY TABLE "{name}" AS'
            f" SELECT * FROM {self.warehouse.qualified(model)}"
        )
