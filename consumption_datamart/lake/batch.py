"""A batch of dump files: which rows are kept, which are not, and why (spec, section 2).

Few rows are bad or share their key. These are staged and looked at one by one; all others go from
the files into the raw table as they are.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend as DuckDBBackend

from consumption_datamart.lake.classify import classify, converted, flagged, text_column
from consumption_datamart.lake.formats import quoted
from consumption_datamart.lake.reading import Reading
from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.staging import view
from consumption_datamart.lake.values import is_blank
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.warehouse.sql import sql_of, table_of

SUPERSEDED = "superseded"


class Batch:
    """Rows of some files of whole days.

    Where later dumps supersede rows, batches follow each other from the last day to the first, and
    `later_keys` on `staging` has the keys that were kept of later days.

    Tables on `staging`: `classified` has all rows, `exceptions` those that are bad or may share
    their key with another, `malformed` the lines that are no rows. The `reason` of an exception
    becomes final here.
    """

    def __init__(self, source: Source, reading: Reading, staging: DuckDBBackend) -> None:
        """Decides on all rows.

        Raises:
            TroubledFiles: files that have to be read line by line.
        """
        self.source, self.contract, self.staging = source, source.contract, staging
        self.is_daily = self.contract.day_column() is not None
        self._classify(reading)
        self._find_exceptions()
        self._mark_duplicates()
        if not self.is_daily:
            self._mark_superseded()

    def clean(self) -> ir.Table:
        """Good rows that share their key with no other: they are kept."""
        return self._chosen("clean", f"NOT {self._is_exception()}")

    def survivors(self) -> ir.Table:
        """Exceptions that are kept."""
        return view(self.staging, "survivors", "FROM exceptions WHERE reason IS NULL")

    def remember(self) -> None:
        """Adds the keys that are kept to `later_keys`."""
        key = ", ".join(map(quoted, self.contract.superseding()))
        hashed = _hash(self.contract.superseding())
        self._execute(
            f"INSERT INTO later_keys SELECT {key}, {hashed} FROM survivors"
            f" UNION ALL SELECT {key}, {hashed} FROM clean"
        )

    def quarantined(self) -> ir.Table:
        """Exceptions and lines that are set aside, their values as text."""
        found = table_of(self.staging, "exceptions").columns
        own = "own_text" if self.source.is_mapped else "NULL::VARCHAR"
        texts = []
        for name in self.contract.ibis_schema():
            column = text_column(name) if text_column(name) in found else name
            texts.append(f"CAST({quoted(column)} AS VARCHAR) AS {quoted(name)}")
        rows = view(
            self.staging,
            "quarantined",
            f"""
            SELECT {", ".join(texts)}, {own} AS line, dump_day, reason, file
            FROM exceptions WHERE reason IS NOT NULL AND reason <> '{SUPERSEDED}'
            UNION ALL BY NAME
            SELECT line, dump_day, 'unreadable_value' AS reason, file
            FROM malformed JOIN dump_files USING (file) WHERE dump_day = own_day
            """,
        )
        texts = [n for n in self.contract.required() if self.contract.ibis_schema()[n].is_string()]
        blank = {name: is_blank(rows[name], self.source.dialect) for name in texts}
        nulls = {name: each.ifelse(ibis.null("string"), rows[name]) for name, each in blank.items()}
        return rows.mutate(source=ibis.literal(self.source.name), **nulls)

    def counted(self) -> ir.Table:
        """What became of the rows of each file; kept is what is not set aside or superseded."""
        return view(
            self.staging,
            "counted",
            f"""
            WITH by_fate AS (
                SELECT file, dump_day, rows AS rows_read, rows AS rows_kept, rows_excluded
                FROM file_rows
                UNION ALL BY NAME
                SELECT file, dump_day, -count(*) AS rows_kept,
                    count(*) FILTER (reason <> '{SUPERSEDED}') AS rows_quarantined,
                    count(*) FILTER (reason = '{SUPERSEDED}') AS rows_superseded
                FROM exceptions WHERE reason IS NOT NULL GROUP BY file, dump_day
                UNION ALL BY NAME
                SELECT file, own_day AS dump_day, count(*) AS rows_read,
                    count(*) AS rows_quarantined
                FROM malformed JOIN dump_files USING (file) WHERE dump_day = own_day
                GROUP BY file, own_day
            )
            SELECT dump_day, file,
                coalesce(sum(rows_read), 0) AS rows_read,
                coalesce(sum(rows_kept), 0) AS rows_kept,
                coalesce(sum(rows_quarantined), 0) AS rows_quarantined,
                coalesce(sum(rows_superseded), 0) AS rows_superseded,
                coalesce(sum(rows_excluded), 0) AS rows_excluded,
                any_value(unexpected_columns) AS unexpected_columns,
                any_value(missing_columns) AS missing_columns
            FROM dump_files LEFT JOIN by_fate USING (file, dump_day) GROUP BY file, dump_day
            """,
        ).mutate(source=ibis.literal(self.source.name))

    def _classify(self, reading: Reading) -> None:
        """Makes `classified`, `file_rows` (how many each file has) and `malformed`.

        Files that may be read again are read wherever `classified` is: that takes less than storing
        their rows, which DuckDB before version 2 would also copy by one thread.
        """
        sources = reading.rows()
        as_text = set().union(*(converted(self.contract, rows) for rows in sources))
        rows = " UNION ALL ".join(
            f"({sql_of(self.staging, classify(self.source, each, as_text))})" for each in sources
        )
        if not reading.is_rereadable:
            self._execute(f"CREATE OR REPLACE TEMP TABLE parsed AS {rows}")
            rows = "FROM parsed"
        if self.others:
            self._execute(f"CREATE OR REPLACE TEMP VIEW all_rows AS {rows}")
            rows = f"FROM all_rows WHERE NOT ({self.others})"
        self._execute(f"CREATE OR REPLACE TEMP VIEW classified AS {rows}")
        self._execute(
            f"""
            CREATE OR REPLACE TEMP TABLE file_rows AS
            SELECT file, dump_day, count(*) AS all_rows,
                count(*) FILTER (NOT ({self.others or "false"})) AS rows,
                count(*) FILTER ({self.excluded}) AS rows_excluded
            FROM {"all_rows" if self.others else "classified"} GROUP BY file, dump_day
            """
        )
        self._execute("CREATE OR REPLACE TEMP TABLE malformed (line VARCHAR, file VARCHAR)")
        counts = self.staging.con.execute(
            "SELECT file, max(all_rows) FROM file_rows GROUP BY file"
        ).fetchall()
        for file, line in reading.malformed(dict(counts)):
            self.staging.con.execute("INSERT INTO malformed VALUES (?, ?)", [line, file.name])

    @property
    def others(self) -> str:
        """SQL condition of rows that are not the source's, or of another day; '' if none is."""
        conditions = ["is_excluded"] if self.source.where else []
        return " OR ".join([*conditions, *(["is_elsewhere"] if self.source.is_zoned else [])])

    @property
    def excluded(self) -> str:
        """SQL condition of rows that the source says are not the mart's."""
        if not self.source.where:
            return "false"
        return "is_excluded AND NOT is_elsewhere" if self.source.is_zoned else "is_excluded"

    def _find_exceptions(self) -> None:
        # sorting hashes is quicker than grouping by them
        self._execute(
            f"""
            CREATE OR REPLACE TEMP TABLE repeated AS
            SELECT hash FROM (SELECT {self._hash()} AS hash FROM classified)
            QUALIFY lag(hash) OVER (ORDER BY hash) = hash
            """
        )
        exceptions = sql_of(self.staging, self._chosen("excepted", self._is_exception()))
        self._execute(f"CREATE OR REPLACE TEMP TABLE exceptions AS {exceptions}")

    def _chosen(self, name: str, condition: str) -> ir.Table:
        rows = view(self.staging, name, f"FROM classified WHERE {condition}")
        return flagged(self.contract, rows.mutate(source=ibis.literal(self.source.name)))

    def _is_exception(self) -> str:
        """Whether a row is bad, or may share its key; different keys may have the same hash."""
        if self.contract.superseding() != self.contract.key():
            return "true"  # few rows, that a row with another key may supersede
        later = "" if self.is_daily else f" OR {self._hash()} IN (SELECT hash FROM later_keys)"
        return f"(reason IS NOT NULL OR {self._hash()} IN (FROM repeated){later})"

    def _hash(self) -> str:
        """Stands for a row's key in the search for repeated ones; 32 bits are sorted quicker."""
        return _hash([*(["dump_day"] if self.is_daily else []), *self.contract.key()])

    def _mark_duplicates(self) -> None:
        """Of the good rows of a dump with one key, all but the one that takes precedence.

        Most exceptions of a dump that is a full snapshot share their key with other dumps only:
        just those that share it within the dump are ranked.
        """
        key = ", ".join(["dump_day", *map(quoted, self.contract.key())])
        columns = table_of(self.staging, "exceptions").columns
        order = [f"{quoted(name)} DESC NULLS LAST" for name in self.contract.precedence()]
        order += ["file", *(name for name in columns if name.startswith(text_column("")))]
        self._execute(
            f"""
            UPDATE exceptions SET reason = 'duplicate_key' WHERE rowid IN (
                SELECT exceptions.rowid FROM exceptions SEMI JOIN (
                    SELECT {key} FROM exceptions WHERE reason IS NULL
                    GROUP BY ALL HAVING count(*) > 1
                ) USING ({key})
                WHERE reason IS NULL
                QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {", ".join(order)}) > 1
            )
            """
        )

    def _mark_superseded(self) -> None:
        """Of the good rows that supersede each other, all but those of the latest dump."""
        key = ", ".join(map(quoted, self.contract.superseding()))
        self._execute(
            f"""
            UPDATE exceptions SET reason = '{SUPERSEDED}' WHERE reason IS NULL AND (
                ({key}) IN (SELECT ({key}) FROM later_keys) OR rowid IN (
                    SELECT exceptions.rowid FROM exceptions JOIN (
                        SELECT {key}, max(dump_day) AS last_dump FROM exceptions
                        WHERE reason IS NULL GROUP BY ALL
                    ) USING ({key})
                    WHERE reason IS NULL AND dump_day < last_dump
                )
            )
            """
        )

    def _execute(self, sql: str) -> None:
        self.staging.con.execute(sql)


def _hash(columns: Sequence[str]) -> str:
    return f"(hash({', '.join(map(quoted, columns))}) >> 32)::UINTEGER"


def begin_later_keys(contract: type[Contract], staging: DuckDBBackend) -> None:
    """Makes `later_keys`, without any."""
    types = raw_of(contract).ibis_schema()
    to_sql = staging.compiler.type_mapper.to_string
    columns = ", ".join(f"{quoted(name)} {to_sql(types[name])}" for name in contract.superseding())
    staging.con.execute(f"CREATE OR REPLACE TEMP TABLE later_keys ({columns}, hash UINTEGER)")
