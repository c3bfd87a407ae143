"""Raw rows, quarantine and results that are older than they are to be kept."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from consumption_datamart.checks import prune
from consumption_datamart.errors import DatamartError
from consumption_datamart.lake.listing import Listing
from consumption_datamart.lake.loaded import forget_files, read_loaded
from consumption_datamart.planning import LakeNews, Node, Pending, pending
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.monitoring import CheckResult, Figure
from consumption_datamart.schema.raw import quarantine_of, raw_of
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Ledger, Transaction, Warehouse
from consumption_datamart.warehouse.ledger import ledger_in, require_ledger
from consumption_datamart.warehouse.pruning import close_days, delete_days, open_days, read_pruned


class Deleted(NamedTuple):
    """What was pruned of a table.

    Attributes:
        table: its full name.
        days: from the first to the last of the days.
        rows: that there were.
    """

    table: str
    days: Days
    rows: int


def prune_mart(
    settings: Settings,
    warehouse: Warehouse,
    nodes: Sequence[Node],
    contracts: Sequence[type[Contract]],
) -> list[Deleted]:
    """Deletes what is older than it is to be kept, counted back from the mart's last day.

    Raw rows stay as long as anything that is made of them waits to be refreshed. Of tables that are
    not daily nothing is pruned: a row of them is of no day.

    Args:
        settings: how long what is kept.
        warehouse: where the tables are.
        nodes: all tables that refresh themselves.
        contracts: of the lake's tables.

    Raises:
        DatamartError: raw rows are to be kept for fewer days than are monitored.
        WarehouseError: the warehouse cannot be opened or written to.
    """
    for name in ("keep_raw_days", "keep_quarantine_days"):
        kept: int | None = getattr(settings, name)
        if kept is not None and kept < settings.monitored_days:
            raise DatamartError(
                f"{name} = {kept}: checks look at the last {settings.monitored_days} days"
                f" (monitored_days); keep at least as many"
            )
    daily = [each for each in contracts if each.grain() is Grain.DAY]

    def work(transaction: Transaction) -> list[Deleted]:
        require_ledger(transaction)
        ledger = ledger_in(warehouse, transaction.backend)
        waiting = pending(nodes, ledger, LakeNews(days=ledger.reporting))
        found = []
        for contract in daily:
            raw, aside = raw_of(contract), quarantine_of(contract)
            days = _older(ledger, raw, settings.keep_raw_days) - _awaited(raw, nodes, waiting)
            days -= {day for day in ledger.failed.get(raw.full_name(), ()) if day}
            days -= ledger.pruned.get(raw.full_name(), set())
            close_days(transaction, raw, days)
            found.append(_deleted(transaction, raw, days))
            days = _older(ledger, raw, settings.keep_quarantine_days)
            found.append(_deleted(transaction, aside, days))
        return [each for each in found if each is not None]

    tables = [model for each in daily for model in (raw_of(each), quarantine_of(each))]
    deleted = warehouse.in_transaction(work, tables)
    results = datetime.now(UTC).date() - timedelta(days=settings.keep_results_days)
    with warehouse.transaction([CheckResult, Figure]) as transaction:
        prune(transaction, results)
    return deleted


def reopen(
    warehouse: Warehouse, listing: Listing, contracts: Sequence[type[Contract]], days: Days
) -> int:
    """Lets pruned days be loaded again, by the next build; the next pruning closes them again.

    Args:
        warehouse: where the tables are.
        listing: of the lake.
        contracts: of the lake's tables.
        days: that are to be loaded again.

    Returns:
        How many days of tables there are.

    Raises:
        DatamartError: a dump that was loaded is gone; nothing was changed.
        WarehouseError: the warehouse cannot be opened or written to.
    """
    loaded, pruned, count = read_loaded(warehouse), read_pruned(warehouse), 0
    wanted: list[tuple[type[Contract], set[date]]] = []
    for contract in contracts:
        again = {day for day in pruned.get(raw_of(contract).full_name(), ()) if day in days}
        wanted.append((contract, again))
        for source in listing.sources.of(contract):
            there = {file.day for file in listing.of(source)}
            gone = {day for day, _ in loaded.get(source.key, {}) if day in again} - there
            if gone:
                raise DatamartError(
                    f"{source.label}: the dump of {min(gone)} is gone from the lake; restore it, or"
                    " name other days"
                )
    with warehouse.transaction([raw_of(contract) for contract, _ in wanted]) as transaction:
        for contract, again in wanted:
            for range_ in Days.ranges(again):
                open_days(transaction, raw_of(contract), range_)
                forget_files(transaction, [contract], {}, range_)
            count += len(again)
    return count


def _older(ledger: Ledger, raw: type[Table], kept: int | None) -> set[date]:
    """Days that were published, before those that are kept."""
    if kept is None or ledger.reporting is None:
        return set()
    first = ledger.reporting.last - timedelta(days=kept - 1)
    return {day for day in ledger.of(raw.full_name()) if day and day < first}


def _awaited(raw: type[Table], nodes: Sequence[Node], waiting: Pending) -> set[date]:
    """Days of a raw table that wait themselves, or that anything needs which waits."""
    found = {day for day in waiting.get(raw.full_name(), {}) if day}
    for node in nodes:
        if raw in node.reads and node.is_partitioned:
            for day in waiting.get(node.name, {}):
                found.update(each for each in node.needs(raw, day, None) or () if each)
    return found


def _deleted(
    transaction: Transaction, model: type[Table], days: Collection[date]
) -> Deleted | None:
    if not days or transaction.lacks(model):
        return None
    rows = delete_days(transaction, model, set(days))
    return Deleted(model.full_name(), Days(min(days), max(days)), rows) if rows else None
