"""What `lake.toml` describes: sources, and queries that fill them (spec, section 6)."""

from dataclasses import dataclass
from datetime import date

from consumption_datamart.errors import LakeError
from consumption_datamart.lake.patterns import Pattern, PatternError
from consumption_datamart.lake.sources import Source, Sources
from consumption_datamart.lake.sources_file import IngestEntry, read
from consumption_datamart.schema.lake import CONTRACTS


@dataclass(frozen=True)
class Ingest:
    """A query whose rows become the dumps of a source.

    Attributes:
        entry: as `lake.toml` has it.
        source: that takes its files.
    """

    entry: IngestEntry
    source: Source

    @property
    def name(self) -> str:
        """Unique among all."""
        return self.entry.name

    def file(self, day: date) -> str:
        """The name, relative to the lake, of the dump of a day.

        Raises:
            PatternError: the source's files are none that can be written.
        """
        pattern = self.source.patterns[0].text
        return Pattern(pattern).written(day, self.name, ".parquet")


def ingests_of(sources: Sources, where: str) -> list[Ingest]:
    """The queries that a sources file describes.

    Args:
        sources: of the lake.
        where: the file's name, for messages.

    Raises:
        LakeError: names the file, the query, the key, and what would be right.
    """
    found: list[Ingest] = []
    for entry in sources.config.ingest:
        at = f"{where}: [[ingest]] {entry.name}"
        there = [source for source in sources.all if source.table == entry.table]
        taking = [source for source in there if entry.source in (None, source.name)]
        if len(taking) != 1:
            named = ", ".join(source.name for source in there)
            raise LakeError(f"{at}: source: write which of those of {entry.table}: {named}")
        one = Ingest(entry, taking[0])
        try:
            name = one.file(entry.since)
        except PatternError as error:
            raise LakeError(
                f"{at}: the files of its source, {one.source.label}: {error}"
            ) from error
        if any(each.name == one.name for each in found):
            raise LakeError(f"{at}: two must not have one name")
        if twice := [each.name for each in found if each.file(entry.since) == name]:
            raise LakeError(
                f"{at}: {twice[0]} writes the same files; let those of the source have a * in it"
            )
        if not name.lower().endswith(".parquet") or one.source.format_of(name) is None:
            raise LakeError(f"{at}: {name}: its source must take files that end in .parquet")
        if (entry.url is None, entry.query is None) != (entry.function is not None,) * 2:
            raise LakeError(f"{at}: write url and query; or function, of a module of your own")
        if entry.policy and entry.schedule:
            raise LakeError(f"{at}: write policy or schedule, not both")
        found.append(one)
    return found


def parse(text: str, where: str) -> Sources:
    """The sources that a text in TOML describes.

    Args:
        text: of `lake.toml`.
        where: the file's name, for messages.

    Raises:
        LakeError: names the file, the key, and what would be right.
    """
    sources = Sources(read(text, where))
    for source in sources.all:
        _require_sense(source, where)
    for contract in CONTRACTS:
        names = [source.name for source in sources.of(contract)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise LakeError(
                f'{where}: [[{contract.table_name()}]] name = "{twice[0]}": two sources of a table'
                " must not have one name"
            )
    ingests_of(sources, where)
    return sources


def _require_sense(source: Source, where: str) -> None:
    if source.entry is None:
        return
    at = f"{where}: [[{source.table}]] {source.name}"
    known = source.contract.ibis_schema()
    if unknown := sorted(source.columns.keys() - set(known)):
        raise LakeError(
            f"{at}: columns.{unknown[0]}: {source.table} has no such column; it has"
            f" {', '.join(known)}"
        )
    if source.table_format is None and source.day_column is not None:
        raise LakeError(
            f'{at}: day = "{source.day_column}": a file is of the day that its path says; only a'
            ' table has a day column: format = "delta" or "iceberg"'
        )
    if source.table_format is not None and Pattern(source.entry.files).has_marks:
        raise LakeError(
            f'{at}: files = "{source.entry.files}": a table is one folder; name it without {{day}}'
            " and *"
        )
    if source.contract.day_column() and not source.has_days:
        remedy = (
            "write {day} where the date stands, or {day:%Y%m%d}"
            if source.table_format is None
            else 'set day = "…" to the column that has the day of a row'
        )
        raise LakeError(
            f'{at}: files = "{source.entry.files}": it does not say of which day a file is;'
            f" {remedy}"
        )
