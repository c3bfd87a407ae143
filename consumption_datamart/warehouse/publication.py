"""Publishing a table: whole or not at all."""

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.profile import Profile, profile
from consumption_datamart.warehouse.rows import on_days


def publish(
    warehouse: Warehouse,
    model: type[Table],
    rows: ir.Table | pd.DataFrame,
    days: Days | None = None,
) -> Profile:
    """Replaces a table, or the days of it, by new rows that satisfy its model.

    Args:
        warehouse: where the table is.
        model: the table.
        rows: has the model's columns, in any order; rows on other days are left out.
        days: the days to replace, of a table that has days; None replaces everything.

    Returns:
        Figures and samples of the new rows.

    Raises:
        AuditError: the rows break the model; the table is as it was.
        WarehouseError: the warehouse cannot be opened or written to; likewise.
    """
    with warehouse.transaction() as transaction:
        transaction.clear(model, days)
        if isinstance(rows, pd.DataFrame):
            transaction.load(model, on_days(model, transaction.stage(rows), days))
        else:
            transaction.insert(model, on_days(model, rows, days))
        transaction.audit(model, days)
        return profile(transaction, model, days)
