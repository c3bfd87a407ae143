"""A portion of dumps as rows of the three tables: where it is loaded, or on another machine."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.lake.batch import Batch
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.lake.reading import Reading
from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.staging import by_what_files_hold
from consumption_datamart.schema.raw import models_of
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.code import code_version
from consumption_datamart.warehouse.in_memory import duckdb_in_memory
from consumption_datamart.warehouse.readable import BATCH_ROWS
from consumption_datamart.warehouse.rows import conform
from consumption_datamart.warehouse.sql import sql_of


def judged(
    source: Source, reading: Reading, staging: DuckDBBackend
) -> Iterator[tuple[type[Table], ir.Table]]:
    """The rows of a portion, as expressions on `staging`, each with the table that they go to.

    Raises:
        TroubledFiles: files that have to be read line by line.
        DumpError: a file cannot be read, or was changed meanwhile.
    """
    raw, quarantine, files = models_of(source.contract)
    batch = Batch(source, reading, staging)
    yield raw, batch.clean()
    reading.require_unchanged()
    yield raw, batch.survivors()
    yield quarantine, batch.quarantined()
    yield files, batch.counted()
    if not batch.is_daily:
        batch.remember()


class Portion(NamedTuple):
    """Dumps of whole days that another process is to read; it has the same program.

    Attributes:
        source: whose they are.
        lake: where they are.
        files: of days that no other portion has.
        memory_limit: how much memory DuckDB may use.
        code: version of the program.
    """

    source: Source
    lake: Lake
    files: Sequence[DumpFile]
    memory_limit: str
    code: str

    @classmethod
    def of(
        cls, source: Source, lake: Lake, files: Sequence[DumpFile], memory_limit: str
    ) -> "Portion":
        """Without what this process has open."""
        return cls(source, replace(lake), files, memory_limit, code_version())

    def rows(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows in batches, each with the place of its table in `models_of`.

        Raises:
            RuntimeError: this is another version of the program.
            TroubledFiles, DumpError, Misfit, duckdb.Error: as where it is loaded.
        """
        if self.code != code_version():
            raise RuntimeError("there is another version of consumption-datamart")
        # by name: threads that begin at once may each make classes of their own
        names = [model.full_name() for model in models_of(self.source.contract)]
        with (
            tempfile.TemporaryDirectory() as folder,
            duckdb_in_memory(self.memory_limit, Path(folder, "spill")) as connection,
        ):
            staging = ibis.duckdb.from_connection(connection)
            with by_what_files_hold(staging):
                copies = Copies(self.lake, Path(folder))
                reading = Reading(self.source, copies, list(self.files), staging)
                for model, rows in judged(self.source, reading, staging):
                    query = sql_of(staging, conform(model, rows))
                    for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS):
                        yield names.index(model.full_name()), batch
