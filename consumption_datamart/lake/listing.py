"""Which files are dumps of which source, and which are not (spec, sections 1 and 6)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import pandas as pd

from consumption_datamart.errors import LakeError
from consumption_datamart.lake.dumps import READ_AS, DumpFile, Lake
from consumption_datamart.lake.files import NOT_DATA, NOT_YET_DATA, LakeFile
from consumption_datamart.lake.formats import FileFormat
from consumption_datamart.lake.parsing import parse
from consumption_datamart.lake.sources import Source, Sources
from consumption_datamart.lake.sources_file import FILE
from consumption_datamart.schema.days import Days

ONE = timedelta(days=1)
NAMED = 3
"""So many files are named where there are many."""


def sources_of(lake: Lake) -> Sources:
    """The sources of a lake: those of its sources file, or those of section 1.

    Raises:
        LakeError: the file cannot be read, or has a mistake.
    """
    if lake.sources_file is None:
        text, where = lake.text(FILE), FILE
    else:
        folder, _, name = lake.sources_file.rpartition("/")
        text, where = Lake(folder or ".").text(name), lake.sources_file
        if text is None:
            raise LakeError(f"{where}: there is no such file; unset CONSUMPTION_DATAMART_SOURCES")
    return Sources() if text is None else parse(text, where)


@dataclass(frozen=True)
class Listing:
    """The files of a lake at a moment.

    Attributes:
        lake: where they are.
        sources: that take them.
        files: by table and source: those of its dumps, by day and name.
        ignored: names of the files that no source takes.
        future: names of those of a day after tomorrow, which are not taken.
        unreadable: why a source's table cannot be read, a line each.
    """

    lake: Lake
    sources: Sources
    files: Mapping[tuple[str, str], Sequence[DumpFile]]
    ignored: Sequence[str] = ()
    future: Sequence[str] = ()
    unreadable: Sequence[str] = ()

    def of(self, source: Source, days: Days | None = None) -> list[DumpFile]:
        """The files that a source is loaded from; of all days, or of some."""
        return [file for file in self.files[source.key] if days is None or file.day in days]

    @cached_property
    def days(self) -> set[date]:
        """All days that have a dump of a table that a lake must have."""
        return {file.own_day for source in self.sources.required for file in self.of(source)}

    def dumps(self) -> pd.DataFrame:
        """The dumps: lake_table, source, dump_day, number of files, their size in bytes."""
        found: dict[tuple[str, str, date], list[int]] = defaultdict(list)
        for (table, source), files in self.files.items():
            for file in files:
                if file.day == file.own_day:
                    found[table, source, file.day].append(file.size)
        rows = [(*key, len(sizes), sum(sizes)) for key, sizes in found.items()]
        return pd.DataFrame(rows, columns=["lake_table", "source", "dump_day", "files", "size"])

    @property
    def remarks(self) -> list[str]:
        """What whoever delivers to the lake should know, a line each."""
        found = list(self.unreadable)
        if self.ignored:
            found.append(f"{_named(self.ignored)} taken by no source; see check-lake")
        if self.future:
            found.append(f"{_named(self.future)} of a day after tomorrow and not taken")
        return found


def listing(lake: Lake, now: datetime | None = None, sources: Sources | None = None) -> Listing:
    """The files of a lake as they are now.

    Args:
        lake: where they are.
        now: the moment, by default the present one.
        sources: of the lake, where they were read already.

    Raises:
        LakeError: the lake is not there, must not be read, has files and none that any source
            takes, or its sources file has a mistake.
    """
    sources = sources or sources_of(lake)
    zone = ZoneInfo(sources.config.time_zone)
    tomorrow = (now or datetime.now(UTC)).astimezone(zone).date() + ONE
    taken: dict[tuple[str, str], list[DumpFile]] = {source.key: [] for source in sources.all}
    ignored, future, unreadable = [], [], []
    tables = [source for source in sources.all if source.table_format is not None]
    of_files = [source for source in sources.all if source.table_format is None]
    for source in tables:
        parts, problem = _of_table(lake, source, zone)
        unreadable += [problem] if problem else []
        future += [part.name for part in parts if part.day > tomorrow]
        for part in parts:
            if part.day <= tomorrow:
                taken[source.key] += _as_read(source, part, tomorrow - ONE)
    folders = tuple(f"{source.folder}/" for source in tables)
    by_folder: dict[str | None, list[Source]] = defaultdict(list)
    for source in of_files:
        for top in {pattern.top for pattern in source.patterns}:
            by_folder[top].append(source)
    for file in lake.list():
        if file.name.startswith(folders):
            continue
        asked = [*by_folder[None], *by_folder.get(file.name.partition("/")[0], [])]
        takers = [(each, dump) for each in asked if (dump := _dump(each, file, zone))]
        for source, dump in takers:
            if dump.day <= tomorrow:
                taken[source.key] += _as_read(source, dump, tomorrow - ONE)
        if any(dump.day > tomorrow for _, dump in takers):
            future.append(file.name)
        elif not takers and is_data(file.name):
            ignored.append(file.name)
    if ignored and not any(taken.values()) and not future and not unreadable:
        raise LakeError(
            f"lake {lake.uri}: {_named(ignored)} taken by no source; describe its sources in"
            f" {FILE}: `consumption-datamart init` proposes one"
        )
    in_order = {
        key: sorted(files, key=lambda file: (file.day, file.name)) for key, files in taken.items()
    }
    return Listing(lake, sources, in_order, ignored, future, unreadable)


def is_data(name: str) -> bool:
    """Whether a file that no source takes is worth a word."""
    parts = name.split("/")
    hidden = any(part.startswith(NOT_DATA) for part in parts)
    return name != FILE and not hidden and not name.lower().endswith(NOT_YET_DATA)


def _dump(source: Source, file: LakeFile, zone: ZoneInfo) -> DumpFile | None:
    """A file as a dump of a source; None: it is none."""
    written = source.format_of(file.name)
    if written is None or (source.entry is not None and not is_data(file.name)):
        return None
    day = source.day_of(file.name, datetime.fromtimestamp(file.changed, zone).date())
    if day is None:
        return None
    mark = READ_AS + source.fingerprint if source.fingerprint else ""
    return DumpFile(
        file.path,
        file.name,
        day,
        written,
        file.size,
        file.stamp + mark,
        file.tag and file.tag + mark,
        day,
        source.name,
    )


def _of_table(lake: Lake, source: Source, zone: ZoneInfo) -> tuple[list[DumpFile], str]:
    """The dumps of a source that is a table; what is wrong with it, if it cannot be read."""
    if source.table_format is None:
        return [], ""
    mark = READ_AS + source.fingerprint
    try:
        found = list(source.table_format.dumps(lake.uri_of(source.folder), source.day_column, zone))
    except LakeError as error:
        return [], f"source {source.label}: {error}"
    dumps = []
    for part, day, size, stamp in found:
        of_day = f"{source.day_column}={day}" if source.day_column else "all"
        path, name = f"{part.uri}#{part.version}#{of_day}", f"{source.folder}/{of_day}"
        written, as_read = FileFormat(source.table_format.name), stamp + mark
        dumps.append(
            DumpFile(path, name, day, written, size, as_read, as_read, day, source.name, part)
        )
    return dumps, ""


def _as_read(source: Source, dump: DumpFile, today: date) -> Iterable[DumpFile]:
    """A dump as it is read for its day, and for those next to it where zones differ."""
    if not source.is_zoned:
        return [dump]
    around = (dump.day - ONE, dump.day, dump.day + ONE)
    return [dump._replace(day=day) for day in around if day == dump.day or day <= today]


def _named(names: Sequence[str]) -> str:
    """How many files, and the first few: `2 files (a.csv, b.csv) are`."""
    if len(names) == 1:
        return f"1 file ({names[0]}) is"
    more = ", …" if len(names) > NAMED else ""
    return f"{len(names):,} files ({', '.join(names[:NAMED])}{more}) are"
