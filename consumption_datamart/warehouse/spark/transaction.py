"""What is done in a transaction on Spark: versions of tables that nobody is told of before the end.

Each change is a version of a Delta table. Readers see those that the last commit names. So what is
not committed was never there, and the next who writes to such a table begins with taking it back.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from consumption_datamart.errors import first_line
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.readable import BATCH_ROWS
from consumption_datamart.warehouse.rows import Task, conform
from consumption_datamart.warehouse.spark import tables
from consumption_datamart.warehouse.spark.backend import SparkBackend
from consumption_datamart.warehouse.spark.commits import Version
from consumption_datamart.warehouse.spark.session import ERRORS
from consumption_datamart.warehouse.spark.spread import keep_aside, kept_aside
from consumption_datamart.warehouse.spark.tables import Slice
from consumption_datamart.warehouse.spark.working import Working
from consumption_datamart.warehouse.sql import sql_of, where_of
from consumption_datamart.warehouse.transaction import Transaction

if TYPE_CHECKING:
    from consumption_datamart.warehouse.difference import Difference
    from consumption_datamart.warehouse.spark.warehouse import SparkWarehouse

_log = logging.getLogger(__name__)

Instead = Slice | bool | None
"""Which rows new ones replace: those of some days, all (True), none."""


class SparkTransaction(Transaction):
    """Files are read by a DuckDB in memory, whose rows are written to Delta in batches.

    Attributes:
        working: the versions of tables that it has found, and has made.
    """

    warehouse: "SparkWarehouse"
    backend: SparkBackend
    constraint_error = ZeroDivisionError  # columns take nulls, so none is raised

    def begin(self, backend: SparkBackend, found: Mapping[str, Version]) -> None:
        """With the versions that are published."""
        self.backend = backend
        self.working = Working(found, self.warehouse.writable, self.warehouse.url)
        self._cleared: dict[str, tuple[type[Table], Instead]] = {}
        backend.versions, backend.before_asking = self.working.versions, self.flush

    @property
    def _tables(self) -> set[str]:
        return self.working.names()

    def to_publish(self) -> dict[str, Version]:
        """The versions of all tables."""
        self.flush()
        return self.working.to_publish()

    def create(self, model: type[Table]) -> None:
        """Makes a Delta table without rows; what is left of one that was dropped is not in it."""
        name, schema = model.full_name(), self.warehouse.stored_schema(model)
        uri = self.warehouse.uri_of(name)
        self.working.form(name, tables.form(uri, schema, model.day_column()))

    def _create(self, model: type[Table]) -> None:
        """Its required columns are for the audit to look at."""
        self.create(model)
        self.unguarded[model.full_name()] = model.required()

    def _difference(self, model: type[Table]) -> "Difference":
        """Likewise."""
        change = super()._difference(model)
        self.unguarded[model.full_name()] = model.required()
        return change

    def _begin_anew(self, model: type[Table]) -> None:
        """Its rows are in the earlier versions."""
        self._cleared.pop(model.full_name(), None)
        self._create(model)

    def _rewritten(self, model: type[Table], change: "Difference") -> bool:
        """Writes the table anew in the model's columns, whatever has changed."""
        old = self.working.versions[model.full_name()]
        self._begin_anew(model)
        types = self.backend.compiler.type_mapper
        values = {name: f"`{name}`" for name in model.ibis_schema()}
        values |= {
            name: f"CAST({model.default(name) or 'NULL'} AS"
            f" {types.to_string(model.ibis_schema()[name])})"
            for name in change.added
        }
        select = ", ".join(f"{value} AS `{name}`" for name, value in values.items())
        self._write(
            model, f"SELECT {select} FROM delta.`{old.uri}` VERSION AS OF {old.number}", None
        )
        return True

    def upgrade(self, model: type[Table]) -> bool:
        """Columns are added and dropped by writing the table anew."""
        if self.lacks(model):
            self._create(model)
            return False
        change = self._difference(model)
        if change.dropped and not change.added and not change.retyped:
            return not self._rewritten(model, change)
        return super().upgrade(model)

    def drop(self, schema: str, table: str) -> None:
        """No commit from now on names it."""
        self.working.versions.pop(f"{schema}.{table}", None)

    def clear(self, model: type[Table], days: Days | None = None) -> None:
        """What is cleared is replaced with the next rows, in one version; else when it is read."""
        if days is None and not self.lacks(model) and self._difference(model):
            self._begin_anew(model)
            return
        self.upgrade(model)
        name, column = model.full_name(), model.day_column()
        if name in self._cleared:
            self.flush()
        instead: Instead = True
        if days is not None and column is not None:
            instead = Slice(column, Days(model.grain().first(days.first), days.last))
        self._cleared[name] = (model, instead)

    def flush(self) -> None:
        """Deletes what was to be replaced, and was not."""
        while self._cleared:
            _, (model, instead) = self._cleared.popitem()
            where = "" if instead is True else f" WHERE {instead}"
            self._delete(model, where)

    def load(self, model: type[Table], staged: ir.Table) -> None:
        """Adds the rows batch by batch, through this process."""
        rows = conform(model, staged)
        found = self.staging.con.sql(sql_of(self.staging, rows))
        self._add(model, found.arrow(BATCH_ROWS))

    def load_apart(self, models: Sequence[type[Table]], tasks: Sequence[Task]) -> bool:
        """The executors read, if they have this program and see the files."""
        schemas = [model.ibis_schema() for model in models]
        with self.warehouse.aside() as uri:
            try:
                at_once = self.warehouse.place.at_once
                error = keep_aside(self.backend, tasks, schemas, uri, at_once)
            except ERRORS as raised:
                error = first_line(raised)
            if error is not None:
                _log.warning("the executors could not load %s: %s", models[0].full_name(), error)
                return False
            for place, (model, schema) in enumerate(zip(models, schemas, strict=True)):
                self._insert(model, kept_aside(uri, place, schema))
        return True

    def _append(self, model: type[Table], rows: pa.Table) -> None:
        self._add(model, rows)

    def insert(self, model: type[Table], rows: ir.Table) -> None:
        """The cluster computes and writes the rows; none passes this process."""
        query = sql_of(self.backend, conform(model, rows))
        if f"`{model.schema_name()}`.`{model.table_name()}`" in query:
            self.flush()
        self._insert(model, query)

    def _insert(self, model: type[Table], query: str) -> None:
        types = self.backend.compiler.type_mapper
        columns = ", ".join(
            f"CAST(`{name}` AS {types.to_string(dtype)}) AS `{name}`"
            for name, dtype in model.ibis_schema().items()
        )
        instead = self._cleared.pop(model.full_name(), (model, None))[1]
        self._write(model, f"SELECT {columns} FROM ({query})", instead)

    def delete(
        self, model: type[Table], condition: ir.BooleanValue, among: ir.Table | None = None
    ) -> None:
        """Where rows have their like in others, those that have not are written anew."""
        self.flush()
        where = where_of(self.backend, self.slice(model), condition)
        if among is None:
            self._delete(model, f" WHERE {where}")
            return
        found = self.slice(model).filter(condition)
        kept = found.anti_join(among, list(among.columns))
        self._write(model, sql_of(self.backend, kept.select(*model.ibis_schema())), where)

    def copy(self, model: type[Table], name: str) -> None:
        """A name for the version as it is now."""
        self.flush()
        self.working.versions[name] = self.working.versions[model.full_name()]

    def _create_frame(self, name: str, data: pd.DataFrame, schema: ibis.Schema) -> None:
        frame = pa.Table.from_pandas(data, schema.to_pyarrow(), preserve_index=False)
        self.backend._session.createDataFrame(frame).createOrReplaceTempView(name)

    def _add(self, model: type[Table], rows: pa.RecordBatchReader | pa.Table) -> None:
        name = model.full_name()
        instead = self._cleared.pop(name, (model, None))[1]
        uri = self.working.own(name)
        tables.add(uri, rows, instead)
        self.working.note(name)

    def _write(self, model: type[Table], query: str, instead: Instead | str) -> None:
        uri = self.working.own(model.full_name())
        frame = self.backend.frame(query)
        writer = frame.write.format("delta").mode("overwrite" if instead else "append")
        if instead and instead is not True:
            writer = writer.option("replaceWhere", str(instead))
        writer.save(uri)
        self.working.note(model.full_name())

    def _delete(self, model: type[Table], where: str) -> None:
        uri = self.working.own(model.full_name())
        self.backend.frame(f"DELETE FROM delta.`{uri}`{where}")
        self.working.note(model.full_name())
