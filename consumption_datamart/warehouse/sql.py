"""Expressions as SQL, and what SQL has made as expressions."""

from functools import cache, lru_cache

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql import SQLBackend


def sql_of(backend: SQLBackend, expression: ir.Table) -> str:
    """The SQL of an expression that holds no connection.

    Ibis needs longer for it than most engines for a small table: who asks the same again, for
    another batch of files or in another run of one process, is told what he was told before
    (docs/decisions/archive/0036).
    """
    return _compiled(backend.name, expression.op())


@lru_cache(maxsize=512)
def _compiled(dialect: str, relation: ops.Relation) -> str:
    sql: str = ibis.to_sql(relation.to_expr(), dialect, pretty=False)
    return sql


def where_of(backend: SQLBackend, table: ir.Table, condition: ir.BooleanValue) -> str:
    """A condition on the columns of one table as SQL, for DELETE: without the table's alias."""
    select = sqlglot.parse_one(sql_of(backend, table.filter(condition)), dialect=backend.dialect)
    where: sqlglot.exp.Where = select.args["where"]
    for column in where.find_all(sqlglot.exp.Column):
        column.set("table", None)
    return str(where.this.sql(dialect=backend.dialect))


def table_of(staging: DuckDBBackend, name: str) -> ir.Table:
    """A table, view or frame that DuckDB knows by a name, as an expression without connection."""
    found = staging.con.sql(f"FROM {name}")
    types = {column: _type(str(t)) for column, t in zip(found.columns, found.types, strict=True)}
    return ibis.table(types, name=name)


@cache
def _type(name: str) -> dt.DataType:
    return DuckDBBackend.compiler.type_mapper.from_string(name)
