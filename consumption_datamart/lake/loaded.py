"""What was loaded of which files: so that what has not changed need not be loaded again."""

from collections.abc import Sequence
from datetime import date

import ibis
import pandas as pd

from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.lake.versions import Contents, contents
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.monitoring import LoadedFile
from consumption_datamart.warehouse import Transaction, Warehouse


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
    day_of = {row.file: pd.Timestamp(row.dump_day).date() for row in loaded.itertuples()}
    known: Contents = {row.file: (row.stamp, row.content) for row in loaded.itertuples()}
    now = contents(lake, files, known)
    changed = {
        file.day
        for file in files
        if file.name not in known or now[file.name] != known[file.name][1]
    }
    gone = day_of.keys() - {file.name for file in files}
    return changed | {day_of[name] for name in gone}
