"""What was loaded of which files: so that what has not changed need not be loaded again."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import ibis
import pandas as pd

from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.lake.versions import Contents, contents
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.monitoring import LoadedFile
from consumption_datamart.warehouse import Transaction, Warehouse
from consumption_datamart.warehouse.rows import day_of


def write_down(
    transaction: Transaction,
    contract: type[Contract],
    found: Sequence[tuple[DumpFile, str]],
    days: Days | None,
) -> None:
    """Keeps which files were loaded, and what they held; forgets what was loaded before of them.

    Args:
        transaction: in which they are loaded.
        contract: of the lake table.
        found: the files, and the hash of what each held before it was loaded: a file that changes
            meanwhile is then taken for changed.
        days: that were loaded; None: all.
    """
    transaction.upgrade(LoadedFile)
    table, known = contract.table_name(), transaction.slice(LoadedFile)
    before = known.lake_table == ibis.literal(table)
    if days is not None:
        before &= known.dump_day.between(*days)
    transaction.delete(LoadedFile, before)
    rows = [(table, file.day, file.name, file.stamp, content) for file, content in found]
    frame = pd.DataFrame(rows, columns=list(LoadedFile.ibis_schema()))
    transaction.append(LoadedFile, frame.astype({"dump_day": "datetime64[us]"}))


class LoadedAs(NamedTuple):
    """A file as it was loaded.

    Attributes:
        day: of the dump.
        stamp: that the store gave it.
        content: hash of what it held.
    """

    day: date
    stamp: str
    content: str


def loaded_files(transaction: Transaction, contract: type[Contract]) -> dict[str, LoadedAs]:
    """What was loaded of a lake table, by the file's name."""
    transaction.upgrade(LoadedFile)
    rows = transaction.slice(LoadedFile)
    of_table = rows.filter(rows.lake_table == ibis.literal(contract.table_name()))
    found = transaction.rows(of_table.select("file", "dump_day", "stamp", "content"))
    return {file: LoadedAs(day_of(day), stamp, content) for file, day, stamp, content in found}


def forget_files(transaction: Transaction, contracts: Sequence[type[Contract]]) -> None:
    """Makes the next load of some lake tables load all dumps anew."""
    transaction.upgrade(LoadedFile)
    names = [contract.table_name() for contract in contracts]
    transaction.delete(LoadedFile, transaction.slice(LoadedFile).lake_table.isin(names))


def changed_days(
    warehouse: Warehouse, lake: Lake, contract: type[Contract], files: Sequence[DumpFile]
) -> set[date]:
    """The days whose dump is not as it was loaded: new, restated, taken away, or never loaded.

    A file is read only where the store tells that it is another than the one that was loaded.

    Args:
        warehouse: in which table `monitoring.loaded_file` is.
        lake: where the dumps are.
        contract: of the lake table.
        files: of its dumps, all that there are.
    """
    rows = warehouse.table(LoadedFile)
    loaded = warehouse.find(LoadedFile, rows.filter(rows.lake_table == contract.table_name()))
    if loaded is None:
        return {file.day for file in files}
    days = {row.file: day_of(row.dump_day) for row in loaded.itertuples()}
    known: Contents = {row.file: (row.stamp, row.content) for row in loaded.itertuples()}
    now = contents(lake, files, known)
    changed = {
        file.day
        for file in files
        if file.name not in known or now[file.name] != known[file.name][1]
    }
    gone = days.keys() - {file.name for file in files}
    return changed | {days[name] for name in gone}
