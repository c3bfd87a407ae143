"""The check that every table has: that it satisfies its model."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import MODEL, Check, grouped
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.rows import repeated


def model_check(model: type[Table]) -> Check:
    """Types, required values, rules and key of a table, read off its model.

    Before a publication `warehouse.audit` asks for the same and tells an example.
    """
    key = model.key()

    def breaches(rows: ir.Table) -> ir.Table:
        rules = [rule.fill_null(True) for rule in model.rules(rows).values()]
        rules += [rows[name].notnull() for name in model.required()]
        wrong = (~ibis.and_(*rules)).sum().fill_null(0)
        day = model.day_column()
        if not key:
            counted = grouped(rows, day).aggregate(rows=wrong)
            return counted.mutate(measured=counted["rows"])
        twice = grouped(repeated(model, rows), day).aggregate(rows=ibis._.rows.sum())
        counted = ibis.union(grouped(rows, day).aggregate(rows=wrong), twice)
        total = counted.group_by("day") if day else counted
        total = total.aggregate(rows=counted["rows"].sum())
        return total.mutate(measured=total["rows"])

    return Check(
        MODEL,
        model,
        "Rows satisfy the table's model: types, required values, rules"
        + (f"; {', '.join(key)} is unique." if key else "."),
        breaches,
        {"rows": model},
        is_blocking=True,
    )
