"""A query's rows of a day become the dump of the day."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from consumption_datamart.ingest.reading import ColumnsChangedError, Rows, rows
from consumption_datamart.ingest.window import window
from consumption_datamart.lake.delivery import delivery
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.parsing import Ingest
from consumption_datamart.schema.days import Days

KNOWN = "_ingest/{name}.json"
"""In the lake, and no dump: the columns that a query was last known to have."""
Columns = Mapping[str, str]


@dataclass(frozen=True)
class Ingested:
    """What became of a day.

    Attributes:
        day: of the dump.
        file: its name, relative to the lake.
        rows: that it has.
        size: in bytes.
        is_new: whether the lake had it not, or another.
        changes: of the query's columns since it was last read, a line each.
    """

    day: date
    file: str
    rows: int
    size: int
    is_new: bool
    changes: Sequence[str] = ()


def ingest(lake: Lake, one: Ingest, day: date, *, accept_changes: bool = False) -> Ingested:
    """Reads a day and writes its dump, whole or not at all.

    Args:
        lake: where to.
        one: the query.
        day: of the lake's time zone.
        accept_changes: whether changed columns are taken, whatever the source says.

    Raises:
        ColumnsChangedError: its columns have changed, and are frozen.
        IngestError: it cannot be read.
        LakeError: the lake cannot be written to.
    """
    entry, file = one.entry, one.file(day)
    known = _known(lake, one)
    with (
        rows(entry, window(day, one.source.zone)) as found,
        delivery(lake, file) as made,
    ):
        if not found.schema.names:  # a function has given no row, and so told no column
            names = known or one.source.contract.ibis_schema()
            found.schema = pa.schema([pa.field(name, pa.string()) for name in names])
        count, empty = _write(found, made.part)
        columns = {each.name: str(each.type) for each in found.schema}
        # what no row has a value of has no type yet
        columns |= {name: known.get(name, "") for name in empty}
        changes = list(_changes(known, columns))
        if changes and entry.schema_changes == "freeze" and not accept_changes:
            raise ColumnsChangedError(
                f"ingest {one.name}: its columns have changed: {'; '.join(changes)}; nothing was"
                f" written. Mend the query, or take them: ingest {one.name} --accept-changes"
            )
    if columns != known:
        _remember(lake, one, columns)
    return Ingested(day, file, count, made.size, made.is_new, changes)


def columns_of(one: Ingest, now: datetime | None = None) -> Columns:
    """The columns that a query has; writes nothing.

    Args:
        one: the query.
        now: the moment, by default the present one.

    Raises:
        IngestError: it cannot be read.
    """
    of = window(last_day(one, now), one.source.zone)
    with rows(one.entry, of) as found:
        return {each.name: str(each.type) for each in found.schema}


def due(lake: Lake, one: Ingest, now: datetime | None = None) -> list[date]:
    """The days to read: those that the lake has not, and the last, once more.

    Args:
        lake: where the dumps are.
        one: the query.
        now: the moment, by default the present one.

    Raises:
        LakeError: the lake cannot be listed.
    """
    last = last_day(one, now)
    there = {file.name for file in lake.list()}
    again = last - timedelta(days=one.entry.reread_days)
    return [
        day
        for day in (Days(one.entry.since, last).each() if one.entry.since <= last else ())
        if day >= again or one.file(day) not in there
    ]


def last_day(one: Ingest, now: datetime | None = None) -> date:
    """The last day that can be read: it is over, unless today is asked for, too."""
    on = today(one, now)
    return on if one.entry.today else on - timedelta(days=1)


def today(one: Ingest, now: datetime | None = None) -> date:
    """The day that is not over yet, in the time zone of the lake."""
    return (now or datetime.now(UTC)).astimezone(ZoneInfo(one.source.zone)).date()


def _write(found: Rows, part: Any) -> tuple[int, set[str]]:
    """Writes all batches; tells how many rows, and the columns without any value."""
    count, empty = 0, set(found.schema.names)
    with pq.ParquetWriter(part, found.schema, compression="zstd") as writer:
        for batch in found.batches:
            writer.write_batch(batch)
            count += batch.num_rows
            empty -= {n for n in set(empty) if batch.column(n).null_count < batch.num_rows}
    return count, empty


def _changes(known: Columns, now: Columns) -> Iterator[str]:
    """What has happened to the columns, a line each; nothing, where none are known."""
    if not known:
        return
    yield from (f"{name} was added" for name in now if name not in known)
    yield from (f"{name} has vanished" for name in known if name not in now)
    for name in now:
        if name in known and known[name] and known[name] != now[name]:
            yield f"{name} was {known[name]} and is {now[name]}"


def _known(lake: Lake, one: Ingest) -> Columns:
    try:
        found = json.loads(lake.text(KNOWN.format(name=one.name)) or "{}")
    except ValueError:  # somebody has edited it
        return {}
    return {str(name): str(kind) for name, kind in found.items()}


def _remember(lake: Lake, one: Ingest, columns: Columns) -> None:
    with delivery(lake, KNOWN.format(name=one.name)) as made:
        made.part.write_text(json.dumps(columns, indent=2) + "\n")
