"""Loading dumps into raw, quarantine and files tables (spec, section 2), in one transaction."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from consumption_datamart.lake.batch import Batch
from consumption_datamart.lake.dumps import DumpFile, Lake, batches
from consumption_datamart.lake.loaded import write_down
from consumption_datamart.lake.outcome import Outcome, outcome
from consumption_datamart.lake.reading import Source, TroubledFiles
from consumption_datamart.lake.salvage import Salvaged
from consumption_datamart.lake.versions import contents
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import models_of, raw_of
from consumption_datamart.warehouse import Dependent, Inspect, Staleness, Transaction, Warehouse

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
                    staleness = Staleness(transaction, raw_of(contract), dependents)
                    Load(contract, salvaged, transaction).run(lake, days)
                    staleness.published(days)
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

    def run(self, lake: Lake, days: Days | None) -> None:
        """Empties the tables, or the days of them, and loads the dumps."""
        files = lake.files(self.contract.table_name(), days)
        held = contents(lake, files, known={})
        for model in (self.raw, self.quarantine, self.files):
            self.transaction.clear(model, days)
        daily = self.contract.day_column() is not None
        for batch in batches(files, BATCH_BYTES) if daily else [files] if files else []:
            self._batch(batch)
        write_down(
            self.transaction, self.contract, [(each, held[each.name]) for each in files], days
        )

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
