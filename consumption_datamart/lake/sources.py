"""The sources of a lake: which files become the rows of which lake table (spec, section 6).

They are configured by `lake.toml`. A lake table that it does not mention has one source, whose
files are as in section 1.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pandas as pd

from consumption_datamart.lake.formats import Dialect, FileFormat, format_of, formats
from consumption_datamart.lake.patterns import Pattern
from consumption_datamart.lake.sources_file import Entry, SourcesFile
from consumption_datamart.lake.tables import TableFormat
from consumption_datamart.lateness import declared
from consumption_datamart.schema.lake import CONTRACTS, Contract
from consumption_datamart.schema.raw import LATE_AFTER_DAYS, REPORTING_CURRENCY, SILENCE_UNKNOWN

CONTRACT_SUFFIXES = (".csv", ".parquet")
"""How the names of files end in a table that `lake.toml` does not mention."""


@dataclass(frozen=True)
class Source:
    """Files of one kind that become rows of a lake table.

    Attributes:
        contract: of the lake table.
        name: unique among the table's sources.
        entry: as `lake.toml` has it; None: the table is as in section 1.
        zone: whose calendar days the mart's days are.
    """

    contract: type[Contract]
    name: str
    entry: Entry | None = None
    zone: str = "UTC"

    @property
    def table(self) -> str:
        """Of the lake."""
        return self.contract.table_name()

    @property
    def key(self) -> tuple[str, str]:
        """The table's name and its own."""
        return self.table, self.name

    @property
    def label(self) -> str:
        """How messages name it."""
        return self.table if self.entry is None else f"{self.table} '{self.name}'"

    @cached_property
    def patterns(self) -> Sequence[Pattern]:
        """Of its files."""
        if self.entry is not None:
            return [Pattern(self.entry.files)]
        return [Pattern(f"{self.table}/{{day}}.*"), Pattern(f"{self.table}/{{day}}/*")]

    @property
    def has_days(self) -> bool:
        """Whether files say of which day they are; if not, they are of the day of their change."""
        return self.day_column is not None or all(pattern.has_day for pattern in self.patterns)

    @property
    def day_column(self) -> str | None:
        """Column of a table that has the day of a row."""
        return self.entry.day if self.entry else None

    @property
    def folder(self) -> str:
        """Of a table, relative to the lake."""
        return self.entry.files.rstrip("/") if self.entry else self.table

    @property
    def table_format(self) -> TableFormat | None:
        """How the table is read that this source is; None: it is of files."""
        found = formats().get(self.entry.format) if self.entry and self.entry.format else None
        return found if isinstance(found, TableFormat) else None

    @property
    def is_zoned(self) -> bool:
        """Whether its dumps are of other days than the mart's."""
        day_zone = self.entry and self.entry.day_zone
        return bool(day_zone and day_zone != self.zone and self.contract.day_column())

    @property
    def columns(self) -> Mapping[str, str]:
        """Contract column → SQL expression, where they are configured."""
        return self.entry.columns if self.entry else {}

    @property
    def where(self) -> str | None:
        """SQL condition of the rows that are the mart's."""
        return self.entry.where if self.entry else None

    @property
    def dialect(self) -> Dialect:
        """How its CSV is written."""
        return self.entry.csv if self.entry else Dialect()

    @property
    def is_mapped(self) -> bool:
        """Whether a row's own text may be another than that of the contract's columns."""
        return bool(self.columns)

    def format_of(self, name: str) -> FileFormat | None:
        """How a file is to be read; None: it is of no format that this source takes."""
        base = name.rsplit("/", 1)[-1]
        if self.entry is None:
            if not base.endswith(CONTRACT_SUFFIXES) or base.startswith((".", "_")):
                return None
            return format_of(base)
        return format_of(base, self.entry.format)

    def day_of(self, name: str, changed_on: date) -> date | None:
        """The day of a file; None: it is none of this source's.

        Args:
            name: relative to the lake.
            changed_on: the day of its last change, which counts where the pattern has no day.
        """
        for pattern in self.patterns:
            if not pattern.has_day:
                return changed_on if pattern.takes(name) else None
            if (day := pattern.day(name)) is not None:
                return day
        return None

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the same files would be read otherwise; '' without configuration."""
        if self.entry is None and self.zone == "UTC":
            return ""
        said = (
            self.entry.model_dump(exclude={"owner", "late_after_days", "files", "name"})
            if (self.entry)
            else {}
        )
        text = f"{sorted(said.items())} {self.zone}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Sources:
    """All sources of a lake.

    Attributes:
        config: what `lake.toml` says; its defaults without one.
    """

    config: SourcesFile = field(default_factory=SourcesFile)

    @cached_property
    def all(self) -> Sequence[Source]:
        """Table by table."""
        return [source for contract in CONTRACTS for source in self.of(contract)]

    @property
    def required(self) -> Sequence[Source]:
        """Those whose dumps say which days the mart is about."""
        return [source for source in self.all if not source.contract.is_optional()]

    def declarations(self) -> pd.DataFrame:
        """What is said of the mart itself: declaration and value, a row each."""
        silent = sorted(set(self.config.silence.unknown))
        rows = [(REPORTING_CURRENCY, self.config.currency)]
        rows += [(SILENCE_UNKNOWN, product) for product in silent]
        entries = [(source, source.entry) for source in self.all if source.entry is not None]
        rows += [
            (LATE_AFTER_DAYS, declared(*source.key, entry.late_after_days))
            for source, entry in entries
        ]
        return pd.DataFrame(rows, columns=["declaration", "value"])

    def of(self, contract: type[Contract]) -> Sequence[Source]:
        """The sources of a lake table: those that are configured, or the one of section 1."""
        table, zone = contract.table_name(), self.config.time_zone
        entries: list[Entry] = getattr(self.config, table, [])
        if not entries:
            return [Source(contract, table, None, zone)]
        return [Source(contract, entry.name, entry, zone) for entry in entries]
