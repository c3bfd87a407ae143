"""Checks that what tables refer to is there: facts their dimensions, dimensions their members."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import Check, grouped
from consumption_datamart.schema.table import Table

DIMENSIONS = {
    "customer_key": "dim_customer",
    "customer_id": "dim_customer",
    "product_id": "dim_product",
    "deployment_id": "dim_deployment",
    "day": "dim_day",
}
"""Column of a fact → the dimension that has it."""
CALENDAR = "dim_day"
"""It ends somewhere: a fact on a day beyond it is told, and published."""


def reference_checks(
    fact: type[Table], up_to_date: Sequence[str], models: Mapping[str, type[Table]]
) -> list[Check]:
    """That every fact finds its row in each dimension.

    It blocks where the dimension is up to date when the fact is published, but for the calendar.

    Args:
        fact: the table.
        up_to_date: names of the tables that then are.
        models: of all tables, by name.
    """
    checks = []
    for column, dimension in DIMENSIONS.items():
        if column in fact.ibis_schema() and dimension in models:
            is_blocking = dimension in up_to_date and dimension != CALENDAR
            checks.append(_reference(fact, column, models[dimension], is_blocking))
    return checks


def _reference(fact: type[Table], column: str, dimension: type[Table], is_blocking: bool) -> Check:
    def orphans(fact_rows: ir.Table, dimension_rows: ir.Table) -> ir.Table:
        day = fact.day_column()
        seen = fact_rows.group_by(list(dict.fromkeys([column, *([day] if day else [])])))
        counted = seen.aggregate(rows=fact_rows.count())
        lost = _unknown(counted, dimension_rows, column)
        total = grouped(lost, day).aggregate(rows=lost["rows"].sum())
        return total.mutate(measured=total["rows"])

    name = dimension.table_name()
    return Check(
        f"{column}_in_{name}",
        fact,
        f"Every {column} is in {name}: rows of which it is not.",
        orphans,
        {"fact_rows": fact, "dimension_rows": dimension},
        is_blocking=is_blocking,
    )


def member_check(
    dimension: type[Table], reads: Sequence[str], models: Mapping[str, type[Table]]
) -> list[Check]:
    """That a dimension has every member that any of the tables has which it is made of."""
    names = {name for name, table in DIMENSIONS.items() if table == dimension.table_name()}
    columns = sorted(names - {"customer_key", "day"})
    if not columns:
        return []
    (column,) = columns
    inputs = {name: models[name] for name in reads if column in models[name].ibis_schema()}

    def lacking(members: ir.Table, **named: ir.Table) -> ir.Table:
        seen = [rows.select(column) for rows in named.values()]
        every = ibis.union(*seen) if len(seen) > 1 else seen[0]
        lost = _unknown(every.distinct(), members, column)
        return lost.aggregate(measured=lost.count(), rows=lost.count())

    return [
        Check(
            "has_every_member",
            dimension,
            f"Every {column} of {', '.join(inputs)} is in it: how many are not.",
            lacking,
            {"members": dimension, **inputs},
            is_blocking=True,
        )
    ]


def _unknown(rows: ir.Table, members: ir.Table, column: str) -> ir.Table:
    """The rows that have no member; not by an anti-join: SQLite goes through all for each row."""
    known = members.select(member=column).distinct()
    found = rows.left_join(known, rows[column] == known.member)
    return found.filter(found.member.isnull())
