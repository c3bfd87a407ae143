"""Publishing a table: whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.audit import Profile, audit
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.entry import Dependent, LedgerEntry
from consumption_datamart.warehouse.rows import on_days
from consumption_datamart.warehouse.transaction import Transaction

Inspect = Callable[[Transaction, Days | None, Mapping[type[Table], Profile]], None]
"""Looks at tables that are about to be published; what it raises stops the publication."""


@dataclass(frozen=True)
class Publication:
    """What was published.

    Attributes:
        profile: figures and samples of the new rows.
        touched: of a table without days: full name → the days of each daily table that is made of
            it on which its change shows.
    """

    profile: Profile
    touched: Mapping[str, Sequence[Days]] = field(default_factory=dict)


def publish(
    warehouse: Warehouse,
    model: type[Table],
    rows: ir.Table | pd.DataFrame,
    days: Days | None = None,
    inputs: Sequence[type[Table]] = (),
    dependents: Sequence[Dependent] = (),
    inspect: Inspect | None = None,
) -> Publication:
    """Replaces a table, or the days of it, by new rows that satisfy its model.

    Args:
        warehouse: where the table is.
        model: the table.
        rows: has the model's columns, in any order; rows on other days are left out.
        days: the days to replace, of a table that has days; None replaces everything.
        inputs: the tables that the rows are made of; one that was never built is empty.
        dependents: the tables that are made of this one.
        inspect: looks at the rows once they are audited.

    Returns:
        What was published, and on which days of other tables it shows.

    Raises:
        AuditError: the rows break the model, or fail the inspection; the table is as it was.
        WarehouseError: the warehouse cannot be opened or written to; likewise.
    """

    def work(transaction: Transaction) -> Publication:
        transaction.require(*inputs)
        given = rows if isinstance(rows, pd.DataFrame) else transaction.with_frames(rows)
        entry = LedgerEntry(transaction, model, dependents, is_compared=True)
        transaction.clear(model, days)
        if isinstance(given, pd.DataFrame):
            transaction.load(model, on_days(model, transaction.stage(given), days))
        else:
            transaction.insert(model, on_days(model, given, days))
        found = audit(transaction, model, days)
        if inspect is not None:
            inspect(transaction, days, {model: found})
        return Publication(found, entry.write(days))

    return warehouse.in_transaction(work, [model], inputs)
