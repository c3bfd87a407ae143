"""Loading dumps into raw, quarantine and files tables (spec, section 2), in one transaction."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import ibis
import pandas as pd

from consumption_datamart.lake.batch import Batch, begin_later_keys
from consumption_datamart.lake.dumps import DumpFile, Lake, batches
from consumption_datamart.lake.loaded import LoadedAs, loaded_files, write_down
from consumption_datamart.lake.outcome import Outcome, outcome
from consumption_datamart.lake.reading import Source, TroubledFiles
from consumption_datamart.lake.salvage import Salvaged
from consumption_datamart.lake.versions import contents
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import models_of, raw_of
from consumption_datamart.warehouse import Dependent, Inspect, LedgerEntry, Transaction, Warehouse
from consumption_datamart.warehouse.ledger import is_current
from consumption_datamart.warehouse.rows import day_of

BATCH_BYTES = 128 << 20
"""File bytes that are loaded at a time; memory is bounded by this, not by the number of days."""


def load(
    warehouse: Warehouse,
    contract: type[Contract],
    lake: Lake,
    days: Days | None = None,
    dependents: Sequence[Dependent] = (),
    inspect: Inspect | None = None,
) -> Outcome:
    """Replaces what was loaded of a lake table by what its dumps hold now.

    Args:
        warehouse: where the three tables are.
        contract: the lake table's contract.
        lake: where its dumps are.
        days: the days to load, for a table whose dump is all of its day; None loads all days.
        dependents: the tables that are made of the raw table.
        inspect: looks at the three tables once they are audited.

    Returns:
        What became of the rows.

    Raises:
        DumpError: a file cannot be read or lacks a required column; nothing was changed.
        LakeError: the lake is not there or must not be read; likewise.
        AuditError: the loaded rows break a model, or fail the inspection; nothing was changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        salvaged = Salvaged(lake, Path(folder))
        while True:
            try:
                with warehouse.transaction() as transaction:
                    entry = LedgerEntry(transaction, raw_of(contract), dependents)
                    Load(contract, salvaged, transaction).run(lake, days)
                    entry.write(days)
                    found = outcome(transaction, contract, days)
                    if inspect is not None:
                        inspect(transaction, days, found.by_model(contract))
                    return found
            except TroubledFiles as troubled:
                for file in troubled.files:
                    salvaged.add(file)


class Load:
    """One attempt to load the dumps of a lake table."""

    def __init__(
        self, contract: type[Contract], salvaged: Salvaged, transaction: Transaction
    ) -> None:
        """In an open transaction."""
        self.contract, self.salvaged, self.transaction = contract, salvaged, transaction
        self.raw, self.quarantine, self.files = models_of(contract)
        self.is_daily = contract.day_column() is not None

    def run(self, lake: Lake, days: Days | None) -> None:
        """Loads all dumps, or those of some days; only what is new where that is enough."""
        files = lake.files(self.contract.table_name(), days)
        known = loaded_files(self.transaction, self.contract)
        held = contents(lake, files, {name: each[1:] for name, each in known.items()})
        new = None if self.is_daily else self._new(files, held, known)
        if not new or not self._append(new):
            self._replace(files, days)
        write_down(
            self.transaction, self.contract, [(each, held[each.name]) for each in files], days
        )

    def _new(
        self, files: Sequence[DumpFile], held: Mapping[str, str], known: Mapping[str, LoadedAs]
    ) -> list[DumpFile] | None:
        """The new dumps, where nothing else has changed and all are of later days than any loaded.

        None, where this is not so, or what was loaded was loaded by other code.
        """
        new = [file for file in files if file.name not in known]
        if not known or not new or len(files) - len(new) != len(known):
            return None
        is_as_loaded = all(
            held[file.name] == known[file.name].content for file in files if file.name in known
        )
        last = max(each.day for each in known.values())
        is_later = min(file.day for file in new) > last
        return new if is_as_loaded and is_later and is_current(self.transaction, self.raw) else None

    def _replace(self, files: Sequence[DumpFile], days: Days | None) -> None:
        """Empties the tables, or the days of them, and loads the dumps."""
        for model in (self.raw, self.quarantine, self.files):
            self.transaction.clear(model, days)
        self._load(files)

    def _append(self, files: Sequence[DumpFile]) -> bool:
        """Loads new dumps, and takes away what they supersede.

        Returns:
            False, where it cannot be told which files these rows had come from.
        """
        for model in (self.raw, self.quarantine, self.files):
            self.transaction.upgrade(model)
        self._load(files)
        rows, first = self.transaction.slice(self.raw), min(file.day for file in files)
        is_older = rows.dump_day < ibis.literal(first)
        kept = rows.filter(~is_older).select(self.contract.key())
        older = rows.filter(is_older).semi_join(kept, self.contract.key())
        by_day = older.group_by("dump_day").aggregate(rows=older.count())
        superseded = {day_of(day): count for day, count in self.transaction.rows(by_day)}
        if not superseded:
            return True
        self.transaction.delete(self.raw, is_older, among=kept)
        return self._count_again(superseded)

    def _count_again(self, superseded: Mapping[date, int]) -> bool:
        """Counts rows of loaded files as superseded; False where a day has several files."""
        files = self.transaction.slice(self.files)
        concerned = files.dump_day.isin(sorted(superseded))
        found = pd.DataFrame(
            self.transaction.rows(files.filter(concerned)), columns=list(files.columns)
        )
        days = found.dump_day.map(day_of)
        if days.duplicated().any():
            return False
        rows = days.map(superseded)
        found = found.assign(
            dump_day=pd.to_datetime(days),
            rows_kept=found.rows_kept - rows,
            rows_superseded=found.rows_superseded + rows,
        )
        self.transaction.delete(self.files, concerned)
        self.transaction.append(self.files, found)
        return True

    def _load(self, files: Sequence[DumpFile]) -> None:
        """Adds dumps to the tables; where later ones supersede rows, the last first."""
        portions = list(batches(files, BATCH_BYTES))
        if not self.is_daily:
            begin_later_keys(self.contract, self.transaction.staging)
            portions.reverse()
        for portion in portions:
            self._batch(portion)

    def _batch(self, files: list[DumpFile]) -> None:
        source = Source(self.contract, self.salvaged, files, self.transaction.staging)
        try:
            batch = Batch(self.contract, source, self.transaction.staging)
            self.transaction.load(self.raw, batch.clean())
        except duckdb.Error:
            source.probe()
            raise
        source.require_unchanged()
        self.transaction.load(self.raw, batch.survivors())
        self.transaction.load(self.quarantine, batch.quarantined())
        self.transaction.load(self.files, batch.counted())
        if not self.is_daily:
            batch.remember()
