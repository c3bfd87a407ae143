"""Expressions as SQL, and what SQL has made as expressions."""

from functools import cache, lru_cache, partial
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql import SQLBackend
from sqlglot.optimizer.eliminate_subqueries import eliminate_subqueries

from consumption_datamart.schema.memo import memoized
from consumption_datamart.warehouse.kept_sql import kept


def sql_of(backend: SQLBackend, expression: ir.Table) -> str:
    """The SQL of an expression that holds no connection.

    Ibis needs longer for it than most engines for a small table: who asks the same again, for
    another batch of files or in another run, is told what was told before
    (docs/decisions/0017-sql-is-kept.md).
    """
    return sql_in(backend.name, expression)


def sql_in(dialect: str, expression: ir.Table) -> str:
    """The same by the name that Ibis has for an engine."""
    return _compiled(dialect, expression.op())


@lru_cache(maxsize=4096)
def _compiled(dialect: str, relation: ops.Relation) -> str:
    return kept(dialect, relation, partial(_made, dialect))


def _made(dialect: str, relation: ops.Relation) -> str:
    if dialect == "pyspark":
        from consumption_datamart.warehouse.spark.compiler import spark_sql  # noqa: PLC0415

        return spark_sql(relation.to_expr())
    sql: str = ibis.to_sql(relation.to_expr(), dialect, pretty=False)
    if dialect == "sqlite":  # its parser gives up where some fifteen queries are nested
        sql = eliminate_subqueries(sqlglot.parse_one(sql, dialect=dialect)).sql(dialect)
    return sql


def where_of(backend: SQLBackend, table: ir.Table, condition: ir.BooleanValue) -> str:
    """A condition on the columns of one table as SQL, for DELETE: without the table's alias."""
    return _where(backend.name, table, condition)


@memoized
def _where(dialect: str, table: ir.Table, condition: ir.BooleanValue) -> str:
    filtered = table.filter(condition).op()
    return kept(f"{dialect} where", filtered, partial(_made_where, dialect))


def _made_where(dialect: str, filtered: ops.Relation) -> str:
    select = sqlglot.parse_one(_made(dialect, filtered), dialect=dialect)
    where: sqlglot.exp.Where = select.args["where"]
    for column in where.find_all(sqlglot.exp.Column):
        column.set("table", None)
    return str(where.this.sql(dialect=dialect))


def table_of(staging: DuckDBBackend, name: str) -> ir.Table:
    """A table, view or frame that DuckDB knows by a name, as an expression without connection."""
    found = staging.con.sql(f"FROM {name}")
    types = {column: _type(str(t)) for column, t in zip(found.columns, found.types, strict=True)}
    return ibis.table(types, name=name)


@cache
def _type(name: str) -> dt.DataType:
    return DuckDBBackend.compiler.type_mapper.from_string(name)


def rows_of(backend: SQLBackend, expression: ir.Table) -> list[tuple[Any, ...]]:
    """The rows of a small expression: quicker than a frame, days may be text."""
    cursor: Any = backend.raw_sql(sql_of(backend, expression))
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
