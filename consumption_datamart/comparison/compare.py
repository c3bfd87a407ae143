"""Two warehouses, table by table and answer by answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ibis.backends.sql import SQLBackend

from consumption_datamart.comparison.answers import Money, Move, money, moves
from consumption_datamart.comparison.tables import AFTER, BEFORE, TableDifference, difference
from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse


@dataclass(frozen=True)
class Comparison:
    """What differs.

    Attributes:
        tables: those that are not the same.
        moves: customers in another band on the last day, commitments in another status.
        money: sums in the reporting currency, before and after.
    """

    tables: Sequence[TableDifference]
    moves: Sequence[Move]
    money: Sequence[Money]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.tables)


def compare(before: Warehouse, after: Warehouse, models: Collection[type[Table]]) -> Comparison:
    """Compares what readers see of two warehouses, of any engine.

    Args:
        before: the first.
        after: the second.
        models: of the tables to compare.

    Raises:
        WarehouseError: one of them is not there, or cannot be opened.
    """
    for warehouse in (before, after):
        if not warehouse.is_there():
            raise WarehouseError(f"warehouse {warehouse.url}: there is none; build it first")
    found = []
    with before.reader() as one, after.reader() as other:
        there = before.tables(one), after.tables(other)
        for model in models:
            name = model.full_name()
            is_in = [name in names for names in there]
            if all(is_in):
                found.append(_compared(before, one, after, other, model))
            elif any(is_in):
                found.append(TableDifference(name, is_in="first" if is_in[0] else "second"))
    return Comparison(
        [each for each in found if each], list(moves(before, after)), money(before, after)
    )


def _compared(
    before: Warehouse,
    one: SQLBackend,
    after: Warehouse,
    other: SQLBackend,
    model: type[Table],
) -> TableDifference:
    """Both tables are copied into a database of this process, which spills where they are large."""
    with before.in_memory() as connection:
        for name, warehouse, backend in ((BEFORE, before, one), (AFTER, after, other)):
            there = warehouse.columns_there(backend, model)
            warehouse.copy_out(backend, warehouse.table(model).select(there), connection, name)
        return difference(connection, model)
