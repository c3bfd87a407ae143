"""Ibis' expressions as Spark's SQL."""

from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.pyspark import PySparkCompiler


class SparkCompiler(PySparkCompiler):  # type: ignore[misc]  # Ibis says no types
    """As Ibis', but that a float is one: `0.0` is a decimal to Spark, and so is what it is part of.

    Sail takes that type for the whole of a COALESCE.
    """

    __slots__ = ()

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: dt.DataType) -> Any:
        """A literal, cast to its type if it is a float."""
        found = super().visit_NonNullLiteral(op, value=value, dtype=dtype)
        return self.cast(found, dtype) if dtype.is_floating() else found

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: ARG002
        """Of no rows there are 0, also where not all count.

        Sail loses track of whether COUNT(*) may be null, where a table's days are all that is read.
        """
        return self.f.count_if(sge.true() if where is None else where)


@cache
def compiler() -> SparkCompiler:
    """The one that there is."""
    assert ibis.pyspark.name  # that it is imported lets there be its options, which are asked for
    return SparkCompiler()


def spark_sql(expression: ir.Table) -> str:
    """The SQL of an expression that holds no connection; tables are named as in it."""
    sql: str = compiler().to_sqlglot(expression).sql(dialect="pyspark")
    return sql
