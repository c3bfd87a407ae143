"""Loading dumps into raw, quarantine and files tables (spec, section 2), in one transaction."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import ibis

from consumption_datamart.errors import SourceError, first_line
from consumption_datamart.lake.batch import begin_later_keys
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile, batches
from consumption_datamart.lake.formats import TroubledFiles, formats
from consumption_datamart.lake.judging import Portion, judged
from consumption_datamart.lake.listing import Listing
from consumption_datamart.lake.loaded import Loaded, loaded_files, write_down
from consumption_datamart.lake.outcome import Outcome, outcome
from consumption_datamart.lake.probing import probe, told
from consumption_datamart.lake.reading import Misfit, Reading
from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.staging import by_what_files_hold
from consumption_datamart.lake.versions import contents
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.raw import models_of, raw_of
from consumption_datamart.warehouse import Dependent, Inspect, LedgerEntry, Transaction, Warehouse
from consumption_datamart.warehouse.ledger import is_current
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.versions import note_versions

BATCH_BYTES = 128 << 20
"""File bytes that are loaded at a time; memory is bounded by this, not by the number of days."""
SPREAD_FROM_BYTES = 64 << 20
"""File bytes from which on an engine reads by processes of its own, if it has any."""
SPREAD_BYTES = 16 << 20
"""File bytes that each of these reads at a time."""


def load(
    warehouse: Warehouse,
    source: Source,
    listing: Listing,
    days: Days | None = None,
    dependents: Sequence[Dependent] = (),
    inspect: Inspect | None = None,
) -> Outcome:
    """Replaces what was loaded of a source by what its dumps hold now.

    Args:
        warehouse: where the three tables are.
        source: of the lake table.
        listing: of the lake's files.
        days: the days to load, for a table whose dump is all of its day; None loads all days.
        dependents: the tables that are made of the raw table.
        inspect: looks at the three tables once they are audited.

    Returns:
        What became of the rows.

    Raises:
        DumpError: a file cannot be read or lacks a required column; nothing was changed.
        SourceError: an expression of the source suits none of its files; likewise.
        AuditError: the loaded rows break a model, or fail the inspection; nothing was changed.
    """
    contract = source.contract

    def work(transaction: Transaction) -> Outcome:
        entry = LedgerEntry(transaction, raw_of(contract), dependents)
        Load(source, listing, copies, transaction).run(days)
        found = outcome(transaction, contract, days)
        if inspect is not None:
            inspect(transaction, days, found.by_model(contract))
        note_versions(transaction, models_of(contract)[1:])
        entry.write(days)
        return found

    with tempfile.TemporaryDirectory() as folder:
        copies = Copies(listing.lake, Path(folder))
        while True:
            try:
                return warehouse.in_transaction(work, models_of(contract))
            except TroubledFiles as troubled:
                for file in troubled.files:
                    content = b"".join(copies.blocks(file))
                    copies.salvage(
                        file, *formats()[file.format.name].lines(content, source.dialect)
                    )


class Load:
    """One attempt to load the dumps of a source."""

    def __init__(
        self, source: Source, listing: Listing, copies: Copies, transaction: Transaction
    ) -> None:
        """In an open transaction."""
        self.source, self.contract, self.listing = source, source.contract, listing
        self.copies, self.transaction = copies, transaction
        self.raw, self.quarantine, self.files = models_of(source.contract)
        self.is_daily = source.contract.day_column() is not None
        self.siblings = [
            each.name for each in listing.sources.of(source.contract) if each.name != source.name
        ]

    def run(self, days: Days | None) -> None:
        """Loads all dumps, or those of some days; only what is new where that is enough."""
        files = self.listing.of(self.source, days)
        known = loaded_files(self.transaction, self.source)
        held = contents(self.listing.lake, files, {name: at for (_, name), at in known.items()})
        new = None if self.is_daily else self._new(files, held, known)
        if not new or not self._append(new):
            self._replace(files, days)
        found = [(each, held[each.name]) for each in files]
        write_down(self.transaction, self.source, found, days, self.siblings)

    def _new(
        self, files: Sequence[DumpFile], held: Mapping[str, str], known: Loaded
    ) -> list[DumpFile] | None:
        """The new dumps, where nothing else has changed and all are of later days than any loaded.

        None, where this is not so, or what was loaded was loaded by other code.
        """
        by_name = {name: (day, each) for (day, name), each in known.items()}
        new = [file for file in files if file.name not in by_name]
        if not known or not new or len(files) - len(new) != len(known):
            return None
        is_as_loaded = all(
            held[file.name] == by_name[file.name][1].content and file.day == by_name[file.name][0]
            for file in files
            if file.name in by_name
        )
        last = max(day for day, _ in known)
        is_later = min(file.day for file in new) > last
        return new if is_as_loaded and is_later and is_current(self.transaction, self.raw) else None

    def _replace(self, files: Sequence[DumpFile], days: Days | None) -> None:
        """Empties the tables, or the days of them, and loads the dumps."""
        for model in (self.raw, self.quarantine, self.files):
            if not self.siblings:
                self.transaction.clear(model, days)
                continue
            self.transaction.upgrade(model)
            rows = self.transaction.slice(model)
            # also what is left of sources that there are no more
            not_theirs = ~rows.source.isin(self.siblings)
            within = not_theirs if days is None else not_theirs & rows.dump_day.between(*days)
            self.transaction.delete(model, within)
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
        is_own = rows.source == ibis.literal(self.source.name)
        is_older = is_own & (rows.dump_day < ibis.literal(first))
        kept = rows.filter(is_own & ~is_older).select(self.contract.superseding())
        older = rows.filter(is_older).semi_join(kept, self.contract.superseding())
        by_day = older.group_by("dump_day").aggregate(rows=older.count())
        superseded = {day_of(day): count for day, count in self.transaction.rows(by_day)}
        if not superseded:
            return True
        self.transaction.delete(self.raw, is_older, among=kept)
        return self._count_again(superseded)

    def _count_again(self, superseded: Mapping[date, int]) -> bool:
        """Counts rows of loaded files as superseded; False where a day has several files."""
        files = self.transaction.slice(self.files)
        is_own = files.source == ibis.literal(self.source.name)
        concerned = is_own & files.dump_day.isin(sorted(superseded))
        columns, found = list(self.files.ibis_schema()), {}
        for values in self.transaction.rows(files.filter(concerned).select(columns)):
            row = dict(zip(columns, values, strict=True))
            day = day_of(row["dump_day"])
            if day in found:
                return False
            row |= {
                "dump_day": day,
                "rows_kept": row["rows_kept"] - superseded[day],
                "rows_superseded": row["rows_superseded"] + superseded[day],
            }
            found[day] = tuple(row.values())
        self.transaction.delete(self.files, concerned)
        self.transaction.append(self.files, found.values())
        return True

    def _load(self, files: Sequence[DumpFile]) -> None:
        """Adds dumps to the tables; where later ones supersede rows, the last first."""
        if self._is_spread(files):
            return
        portions = [portion for portion in batches(files, BATCH_BYTES) if portion]
        if not self.is_daily:
            begin_later_keys(self.contract, self.transaction.staging)
            portions.reverse()
        with by_what_files_hold(self.transaction.staging):
            for portion in portions:
                self._batch(portion)

    def _is_spread(self, files: Sequence[DumpFile]) -> bool:
        """Whether the engine has read them by processes of its own; what troubles it is read here.

        Not where later dumps supersede rows of earlier ones: these are few.
        """
        is_large = sum(file.size for file in files) >= SPREAD_FROM_BYTES
        if not self.is_daily or not is_large or any(map(self.copies.is_salvaged, files)):
            return False
        limit, lake = self.transaction.warehouse.memory_limit, self.listing.lake
        portions = [
            Portion.of(self.source, lake, portion, limit)
            for portion in batches(files, SPREAD_BYTES)
        ]
        return self.transaction.load_apart(models_of(self.contract), portions)

    def _batch(self, files: list[DumpFile]) -> None:
        reading = Reading(self.source, self.copies, files, self.transaction.staging)
        found = judged(self.source, reading, self.transaction.staging)
        try:
            self.transaction.load(*next(found))
        except Misfit as error:
            raise told(reading, error) from error
        except duckdb.Error as error:
            probe(reading)
            if self.source.entry is None:
                raise
            raise SourceError(f"source {self.source.label}: {first_line(error)}") from error
        for model, rows in found:
            self.transaction.load(model, rows)
