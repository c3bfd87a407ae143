"""Days whose raw rows were pruned: the mart keeps what was made of them, and loads them no more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import date
from typing import Any

import ibis

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import PrunedDay, Publication
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.ledger import next_version
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.sql import rows_of
from consumption_datamart.warehouse.transaction import Transaction

Pruned = Mapping[str, Set[date]]
"""Full name of a raw table → the days whose rows were pruned."""


def read_pruned(warehouse: Warehouse) -> Pruned:
    """The days that are closed, by raw table.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse.exists(PrunedDay):
        return {}
    with warehouse.reader() as backend:
        return by_table(rows_of(backend, warehouse.table(PrunedDay)))


def by_table(rows: Iterable[tuple[Any, ...]]) -> Pruned:
    """The rows of the list of pruned days, by table."""
    found: dict[str, set[date]] = defaultdict(set)
    for table, day in rows:
        found[table].add(day_of(day))
    return found


def delete_days(transaction: Transaction, model: type[Table], days: Set[date]) -> int:
    """Deletes the rows of some days, as a publication that nothing is made of.

    What readers see of these days is replaced with the next release.

    Returns:
        How many rows there were.
    """
    ranges, deleted = Days.ranges(days), 0
    for each in ranges:
        ((rows,),) = transaction.rows(transaction.slice(model, each).count().as_table())
        deleted += rows
        transaction.clear(model, each)
    if deleted:
        _publish_again(transaction, model.published_with(), ranges)
    return deleted


def close_days(transaction: Transaction, model: type[Table], days: Set[date]) -> None:
    """Writes down that the rows of a raw table were pruned on some days."""
    transaction.append(PrunedDay, [(model.full_name(), day) for day in sorted(days)])


def open_days(transaction: Transaction, model: type[Table], days: Days) -> None:
    """Strikes out that the rows of a raw table were pruned on some days."""
    rows = transaction.slice(PrunedDay)
    is_of = rows.pruned_table == ibis.literal(model.full_name())
    transaction.delete(PrunedDay, is_of & rows.pruned_day.between(*days))


def _publish_again(transaction: Transaction, table: str, ranges: list[Days]) -> None:
    """Gives days of a table the version of a new publication, made by the same code as before."""
    version = next_version(transaction)
    for days in ranges:
        rows = transaction.slice(Publication)
        are_of = (rows.published_table == ibis.literal(table)) & rows.published_day.between(*days)
        said = transaction.rows(rows.filter(are_of))
        transaction.delete(Publication, are_of)
        transaction.append(
            Publication, [(name, day_of(day), version, *rest) for name, day, _, *rest in said]
        )
