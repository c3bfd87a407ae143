"""Loading dumps into raw, quarantine and files tables (spec, section 2), in one transaction."""

import tempfile
from pathlib import Path

import duckdb
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.lake.classify import classify, text_column
from consumption_datamart.lake.dumps import DumpFile, Lake, batches
from consumption_datamart.lake.outcome import Outcome, outcome
from consumption_datamart.lake.reading import Salvaged, Source, TroubledFiles
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import files_of, quarantine_of, raw_of
from consumption_datamart.warehouse import Transaction, Warehouse

BATCH_BYTES = 128 << 20
"""File bytes that are staged at a time; memory is bounded by this, not by the number of days."""

SUPERSEDED = "superseded"


def load(
    warehouse: Warehouse, contract: type[Contract], lake: Lake, days: Days | None = None
) -> Outcome:
    """Replaces what was loaded of a lake table by what its dumps hold now.

    Args:
        warehouse: where the three tables are.
        contract: the lake table's contract.
        lake: where its dumps are.
        days: the days to load, for a table whose dump is all of its day; None loads all days.

    Returns:
        What became of the rows.

    Raises:
        LakeError: a file cannot be read or lacks a required column; nothing was changed.
        AuditError: the loaded rows break the raw table's model; nothing was changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        salvaged = Salvaged(lake, Path(folder))
        while True:
            try:
                with warehouse.transaction() as transaction:
                    Load(contract, salvaged, transaction).run(lake, days)
                    return outcome(transaction, contract, days)
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
        self.staging: DuckDBBackend = transaction.staging
        self.raw, self.quarantine = raw_of(contract), quarantine_of(contract)
        self.files = files_of(contract)

    def run(self, lake: Lake, days: Days | None) -> None:
        """Empties the tables, or the days of them, and loads the dumps."""
        files = lake.files(self.contract.table_name(), days)
        for model in (self.raw, self.quarantine, self.files):
            self.transaction.clear(model, days)
        daily = self.contract.day_column() is not None
        for batch in batches(files, BATCH_BYTES) if daily else [files] if files else []:
            self._batch(batch)
            loaded = Days(batch[0].day, batch[-1].day)
            for model in (self.raw, self.quarantine, self.files):
                self.transaction.audit(model, loaded if daily else None, key=model is not self.raw)

    def _batch(self, files: list[DumpFile]) -> None:
        source = Source(self.contract, self.salvaged, files, self.staging)
        try:
            self._classify(source)
            self._set_aside()
            self.transaction.load(
                self.raw, self.staging.sql("FROM classified WHERE NOT " + self._is_suspect())
            )
        except duckdb.Error:
            source.probe()
            raise
        source.require_unchanged()
        staged = self.staging.table("staged")
        self.transaction.load(self.raw, staged.filter(staged.reason.isnull()))
        self.transaction.load(self.quarantine, self.staging.sql(self._quarantined()))
        self.transaction.load(self.files, self.staging.sql(self._counted()))

    def _classify(self, source: Source) -> None:
        """Makes `classified` of all rows, and of the lines that are none `malformed`.

        Rows that are cheap to read are read again wherever `classified` is, by all threads; in a
        transaction, DuckDB reads what has been stored in it by one.
        """
        rows = self.staging.compile(classify(self.contract, source.rows()))
        if not source.is_cheap:
            self._execute(f"CREATE OR REPLACE TEMP TABLE parsed AS {rows}")
            rows = "FROM parsed"
        self._execute(f"CREATE OR REPLACE TEMP VIEW classified AS {rows}")
        self._execute(
            """
            CREATE OR REPLACE TEMP TABLE read AS
            SELECT file, count(*) AS rows_read FROM classified GROUP BY file
            """
        )
        self._execute("CREATE OR REPLACE TEMP TABLE malformed (line VARCHAR, file VARCHAR)")
        counts = self.staging.con.execute("SELECT file, rows_read FROM read").fetchall()
        for file, line in source.malformed(dict(counts)):
            self.staging.con.execute("INSERT INTO malformed VALUES (?, ?)", [line, file.name])

    def _set_aside(self) -> None:
        """Makes `staged` of the few rows that may not be kept, each with what becomes of it.

        All other rows are good, and no row of the batch has the key of one of them: they need no
        second look.
        """
        self._execute(
            f"""
            CREATE OR REPLACE TEMP TABLE repeated AS
            SELECT {self._hash()} AS hash FROM classified GROUP BY ALL HAVING count(*) > 1
            """
        )
        self._execute(
            f"CREATE OR REPLACE TEMP TABLE staged AS FROM classified WHERE {self._is_suspect()}"
        )
        self._mark_duplicates()
        if self.contract.day_column() is None:
            self._mark_superseded()

    def _is_suspect(self) -> str:
        """Whether a row is bad, or may share its key: hashes of different keys may be the same."""
        return f"(reason IS NOT NULL OR {self._hash()} IN (FROM repeated))"

    def _hash(self) -> str:
        """Stands for a row's key in the search for repeated ones, in a third of the time."""
        return f"hash({', '.join(map(_quoted, self.raw.key()))})"

    def _mark_duplicates(self) -> None:
        """Of the good rows of a dump with one key, all but the one that takes precedence."""
        key = ", ".join(["dump_day", *map(_quoted, self.contract.key())])
        texts = [name for name in self.staging.table("staged").columns if name.startswith("text__")]
        order = [f"{_quoted(name)} DESC NULLS LAST" for name in self.contract.precedence()]
        order += ["file", *texts]
        self._execute(
            f"""
            UPDATE staged SET reason = 'duplicate_key' WHERE rowid IN (
                SELECT rowid FROM staged WHERE reason IS NULL
                QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {", ".join(order)}) > 1
            )
            """
        )

    def _mark_superseded(self) -> None:
        """Of the good rows with one key, all but that of the latest dump."""
        key = ", ".join(map(_quoted, self.contract.key()))
        self._execute(
            f"""
            UPDATE staged SET reason = '{SUPERSEDED}' WHERE reason IS NULL AND rowid NOT IN (
                SELECT arg_max(rowid, dump_day) FROM staged WHERE reason IS NULL GROUP BY {key}
            )
            """
        )

    def _quarantined(self) -> str:
        staged = self.staging.table("staged").columns
        texts = []
        for name in self.contract.ibis_schema():
            column = text_column(name) if text_column(name) in staged else name
            texts.append(f"CAST({_quoted(column)} AS VARCHAR) AS {_quoted(name)}")
        return f"""
            SELECT {", ".join(texts)}, NULL::VARCHAR AS line, dump_day, reason, file
            FROM staged WHERE reason IS NOT NULL AND reason <> '{SUPERSEDED}'
            UNION ALL BY NAME
            SELECT line, dump_day, 'unreadable_value' AS reason, file
            FROM malformed JOIN dump_files USING (file)
            """

    def _counted(self) -> str:
        return f"""
            WITH counted AS (
                SELECT file, rows_read, rows_read AS rows_kept FROM read
                UNION ALL BY NAME
                SELECT file, -count(*) AS rows_kept,
                    count(*) FILTER (reason <> '{SUPERSEDED}') AS rows_quarantined,
                    count(*) FILTER (reason = '{SUPERSEDED}') AS rows_superseded
                FROM staged WHERE reason IS NOT NULL GROUP BY file
                UNION ALL BY NAME
                SELECT file, count(*) AS rows_read, count(*) AS rows_quarantined
                FROM malformed GROUP BY file
            )
            SELECT any_value(dump_day) AS dump_day, file,
                coalesce(sum(rows_read), 0) AS rows_read,
                coalesce(sum(rows_kept), 0) AS rows_kept,
                coalesce(sum(rows_quarantined), 0) AS rows_quarantined,
                coalesce(sum(rows_superseded), 0) AS rows_superseded,
                any_value(unexpected_columns) AS unexpected_columns
            FROM dump_files LEFT JOIN counted USING (file) GROUP BY file
            """

    def _execute(self, sql: str) -> None:
        self.staging.con.execute(sql)


def _quoted(name: str) -> str:
    return '"' + name + '"'
