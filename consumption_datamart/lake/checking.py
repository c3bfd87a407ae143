"""Trying a lake's sources without building anything: what `check-lake` tells."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePosixPath

import pandas as pd

from consumption_datamart.errors import AuditError, LakeError
from consumption_datamart.lake.attempts import Attempts
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.formats import COMPRESSIONS, format_of, formats
from consumption_datamart.lake.listing import Listing, listing
from consumption_datamart.lake.loading import load
from consumption_datamart.lake.sources import Source, Sources
from consumption_datamart.lake.sources_file import FILE
from consumption_datamart.schema.codes import QUARANTINE_REASONS
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import CONTRACTS
from consumption_datamart.schema.raw import files_of, quarantine_of, raw_of
from consumption_datamart.warehouse import open_warehouse

TRIED_DAYS = 3
"""So many of a source's last days are read."""
SHOWN_ROWS = 10


@dataclass(frozen=True)
class SourceCheck:
    """What a source takes, and what becomes of its last dumps.

    Attributes:
        source: that was tried.
        files: how many it takes.
        days: on which it has a dump, in order.
        rows: the first mapped rows that would be kept.
        fates: rows read, kept, quarantined and excluded, of the dumps that were read.
        reasons: rows that would be quarantined, by reason, with one of them as it is delivered.
        problems: what keeps dumps from being read, a line each.
    """

    source: Source
    files: int
    days: Sequence[date]
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    fates: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    problems: Sequence[str] = ()

    @property
    def gaps(self) -> list[Days]:
        """Days without a dump, between the first and the last."""
        if not self.days:
            return []
        there = set(self.days)
        every = Days(self.days[0], self.days[-1]).each()
        return Days.ranges(day for day in every if day not in there)


@dataclass(frozen=True)
class LakeCheck:
    """What was found out of a lake.

    Attributes:
        sources: each as it was tried.
        ignored: files that no source takes, with the likely reason.
        future: files of a day after tomorrow.
        unreadable: why tables cannot be read, a line each.
    """

    sources: Sequence[SourceCheck]
    ignored: Mapping[str, str]
    future: Sequence[str]
    unreadable: Sequence[str]

    def problems(self, quarantined_share: float) -> list[str]:
        """What is wrong, a line each.

        Args:
            quarantined_share: share of rows set aside that is still normal.
        """
        found = [*self.unreadable]
        found += [problem for each in self.sources for problem in each.problems]
        for each in self.sources:
            read, aside = each.fates.get("read", 0), each.fates.get("quarantined", 0)
            if not each.files and not each.source.contract.is_optional():
                found.append(f"{each.source.label}: it has no file")
            elif read and aside > read * quarantined_share:
                found.append(f"{each.source.label}: {aside:,} of {read:,} rows are quarantined")
        if self.ignored:
            found.append(f"{len(self.ignored):,} files are taken by no source")
        if self.future:
            found.append(f"{len(self.future):,} files are of a day after tomorrow")
        return found


def check_lake(lake: Lake) -> LakeCheck:
    """Tries the sources of a lake on their last dumps; writes nothing but a temporary file.

    Raises:
        LakeError: the lake is not there, must not be read, no source takes any of its files, or its
            sources file has a mistake.
    """
    found = listing(lake)
    there = [
        source
        for source in found.sources.all
        if found.of(source) or source.entry is not None or not source.contract.is_optional()
    ]
    return LakeCheck(
        [_tried(found, source) for source in there],
        {name: why_ignored(name, found.sources) for name in found.ignored},
        found.future,
        found.unreadable,
    )


def _tried(found: Listing, source: Source) -> SourceCheck:
    files = [file for file in found.of(source) if file.day == file.own_day]
    days = sorted({file.day for file in files})
    number = len({file.name for file in files})
    if not files:
        return SourceCheck(source, 0, days)
    last = days[-TRIED_DAYS:]
    tried = [file for file in found.of(source) if file.own_day in last]
    around = Days(min(file.day for file in tried), max(file.day for file in tried))
    part = replace(found, files={key: [] for key in found.files} | {source.key: tried})
    with tempfile.TemporaryDirectory() as folder:
        warehouse = open_warehouse(f"duckdb://{folder}/check.duckdb")
        whole = source.contract.day_column() is None
        attempts = Attempts(
            lambda days: load(warehouse, source, part, days), [None if whole else around]
        )
        try:
            problems = attempts.once_more().problems
        except (AuditError, LakeError) as error:
            problems = [str(error)]
        tables = [
            warehouse.find(each(source.contract)) for each in (raw_of, quarantine_of, files_of)
        ]
    raw, aside, read = (pd.DataFrame() if table is None else table for table in tables)
    return SourceCheck(
        source,
        number,
        days,
        raw.head(SHOWN_ROWS),
        {
            name: int(read[f"rows_{name}"].sum())
            for name in ("read", "kept", "quarantined", "excluded")
            if len(read)
        },
        {
            reason: (len(rows), _own_text(rows.iloc[0]))
            for reason in QUARANTINE_REASONS
            if len(aside) and len(rows := aside[aside.reason == reason])
        },
        problems,
    )


def _own_text(row: pd.Series) -> str:
    """A quarantined row in one line, as it was delivered."""
    if isinstance(row.line, str):
        return f"{row.file}: {row.line}"
    values = row.drop(["line", "source", "dump_day", "reason", "file"])
    return f"{row.file}: " + ", ".join(f"{name}={value}" for name, value in values.items())


def why_ignored(name: str, sources: Sources) -> str:
    """The likely reason that no source takes a file.

    Args:
        name: relative to the lake.
        sources: of the lake.
    """
    path = PurePosixPath(name)
    if format_of(path.name) is None:
        known = [suffix for each in formats().values() for suffix in each.suffixes]
        ending = path.suffix or "no ending"
        return f"{ending} is no format that is read: {', '.join(known)}, also {_compressed()}"
    configured = [source for source in sources.all if source.entry is not None]
    for source in sources.all:
        if any(pattern.takes(name) for pattern in source.patterns) and source.entry is None:
            return f"without {FILE} a file ends in .csv or .parquet, in small letters"
    tables = [contract.table_name() for contract in CONTRACTS]
    if path.parts[0] in tables and not any(s.table == path.parts[0] for s in configured):
        return (
            f"without {FILE} a dump is {path.parts[0]}/<YYYY-MM-DD>.csv, or a folder of that name"
        )
    if path.parts[0] in tables:
        return f"{FILE} names other files for {path.parts[0]}"
    return f"no source's files are like it; add it to {FILE}"


def _compressed() -> str:
    return " or ".join(COMPRESSIONS)
