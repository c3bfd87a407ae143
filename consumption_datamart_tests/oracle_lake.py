"""Sections 1 and 2 of the spec, sentence by sentence: dumps, quarantine, superseding, warnings."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from consumption_datamart_tests.contract import CONTRACT, KEYS, OPTIONAL, column_names
from consumption_datamart_tests.oracle_csv import read_records
from consumption_datamart_tests.oracle_rules import is_out_of_range, is_wrong_day, raw_warnings
from consumption_datamart_tests.oracle_values import (
    Unreadable,
    as_text,
    read_day,
    read_value,
    stripped,
)

Row = dict[str, object]


@dataclass(frozen=True)
class SourceRow:
    """One row of one file as it stands there: texts by column, or the text of a malformed line."""

    dump_day: date
    file: str
    texts: dict[str, str | None]
    line: str | None = None


@dataclass(frozen=True)
class ReadRow:
    """A source row with its values read and the reason to quarantine it, if any."""

    source: SourceRow
    values: Row
    reason: str | None


@dataclass(frozen=True)
class LakeTables:
    """What section 2 makes of a lake: raw and quarantine tables, and every day that has a dump.

    Dumps of the optional tables make no days.
    """

    raw: dict[str, list[Row]]
    quarantine: dict[str, list[Row]]
    dump_days: set[date]


def lake_tables(lake: Path) -> LakeTables:
    """Read every dump of every table and set its rows aside, supersede or keep them."""
    tables = LakeTables({}, {}, set())
    for table in CONTRACT:
        dumps = read_dumps(lake, table)
        if table not in OPTIONAL:
            tables.dump_days.update(dumps)
        kept: dict[tuple, list[Row]] = {}
        quarantined: list[Row] = []
        for day in sorted(dumps):
            rows = quarantine_duplicates(table, [classify(table, row) for row in dumps[day]])
            quarantined += [quarantine_row(table, row) for row in rows if row.reason]
            new: dict[tuple, list[Row]] = {}
            for row in rows:
                if not row.reason:
                    new.setdefault(superseding_key(table, row), []).append(raw_row(table, row))
            kept |= new
        tables.raw[table] = [row for same_key in kept.values() for row in same_key]
        tables.quarantine[table] = quarantined
    return tables


def read_dumps(lake: Path, table: str) -> dict[date, list[SourceRow]]:
    """Section 1: every day that has a file or a folder of part files, with all of its rows."""
    dumps: dict[date, list[SourceRow]] = {}
    for path in sorted((lake / table).glob("*")):
        try:
            day = read_day(path.name if path.is_dir() else path.stem)
        except Unreadable:
            continue
        for file in sorted(path.glob("*")) if path.is_dir() else [path]:
            if file.suffix in (".csv", ".parquet") and not file.name.startswith((".", "_")):
                rows = dumps.setdefault(day, [])
                rows.extend(read_file(lake, file, table, day))
    return dumps


def read_file(lake: Path, file: Path, table: str, day: date) -> list[SourceRow]:
    """Read the rows of one file, every contract column as text."""
    name = file.relative_to(lake).as_posix()
    columns = column_names(table)
    if file.suffix == ".parquet":
        return [
            SourceRow(day, name, {column: as_text(row.get(column)) for column in columns})
            for row in read_parquet(file)
        ]
    header, *records = read_records(file.read_bytes())
    rows = []
    for record in records:
        values = record.fields or []
        if values[len(header.fields) :] == [""]:
            values.pop()  # a comma at the end of the line
        if len(values) != len(header.fields):
            rows.append(SourceRow(day, name, dict.fromkeys(columns), record.line))
        else:
            fields = dict(zip(_names(header.fields, columns), values, strict=True))
            texts = {column: as_text(fields.get(column)) for column in columns}
            rows.append(SourceRow(day, name, texts))
    return rows


def _names(header: list[str], columns: list[str]) -> list[str]:
    """Section 6: the names of a header; case and outer white space hide none of the contract."""
    plain = [name.strip().lower() for name in header]
    return [
        alike if alike in columns and alike not in header and plain.count(alike) == 1 else name
        for name, alike in zip(header, plain, strict=True)
    ]


def read_parquet(file: Path) -> list[Row]:
    """Read a Parquet file's rows, timestamps to the microsecond."""
    table = pq.ParquetFile(file).read()
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            moments = table.column(index).cast(pa.timestamp("us", field.type.tz), safe=False)
            table = table.set_column(index, field.name, moments)
    return table.to_pylist()


def classify(table: str, source: SourceRow) -> ReadRow:
    """Section 2: the first quarantine reason that holds; duplicate_key is found later."""
    values: Row = {}
    unreadable = source.line is not None
    for column in CONTRACT[table]:
        try:
            values[column.name] = read_value(column.type, source.texts[column.name])
        except Unreadable:
            unreadable = True
    if unreadable:
        return ReadRow(source, values, "unreadable_value")
    if any(column.required and values[column.name] is None for column in CONTRACT[table]):
        return ReadRow(source, values, "missing_value")
    if is_out_of_range(table, values):
        return ReadRow(source, values, "out_of_range")
    if is_wrong_day(table, values, source.dump_day):
        return ReadRow(source, values, "wrong_day")
    return ReadRow(source, values, None)


def quarantine_duplicates(table: str, rows: list[ReadRow]) -> list[ReadRow]:
    """Section 2: of the rows of one dump that passed and share a key, keep only one."""
    result = [row for row in rows if row.reason]
    passed = [row for row in rows if not row.reason]
    for key in dict.fromkeys(key_of(table, row) for row in passed):
        same_key = [row for row in passed if key_of(table, row) == key]
        kept = the_kept_one(table, same_key)
        result.append(kept)
        for row in same_key:
            if row is not kept:
                result.append(ReadRow(row.source, row.values, "duplicate_key"))
    return result


def the_kept_one(table: str, rows: list[ReadRow]) -> ReadRow:
    """Section 2: the greatest by rank; of equal rows that of the least file name (then text)."""
    greatest = max(rank(table, row.values) for row in rows)
    equal = [row for row in rows if rank(table, row.values) == greatest]
    return min(
        equal,
        key=lambda row: (row.source.file, [text or "" for text in row.source.texts.values()]),
    )


def rank(table: str, row: Row) -> list[tuple]:
    """Section 2: event_ts, then quantity, then the remaining columns; null is the least."""
    names = column_names(table)
    first = [name for name in ("event_ts", "quantity") if name in names]
    remaining = [name for name in names if name not in [*first, *KEYS[table]]]
    return [(row[name] is not None, row[name] or 0) for name in first + remaining]


def key_of(table: str, row: ReadRow) -> tuple:
    """Section 2: a row's key within its dump."""
    return tuple(row.values[name] for name in KEYS[table])


def superseding_key(table: str, row: ReadRow) -> tuple:
    """Sections 1 and 7: the key whose rows in a later dump replace those of an earlier one.

    Usage of a day stays; a bundle's rows are replaced together.
    """
    key = key_of(table, row)
    if table == "bundles":
        return (row.values["bundle_id"],)
    return (row.source.dump_day, *key) if table == "telemetry" else key


def raw_row(table: str, row: ReadRow) -> Row:
    """Section 2: a kept row with its dump's day and its warnings."""
    warnings = raw_warnings(table, row.values)
    return {
        **row.values,
        "source": table,
        "dump_day": row.source.dump_day,
        "meta__warnings": warnings,
    }


def texts_of(table: str, source: SourceRow) -> dict[str, str | None]:
    """The texts of a row; those of the contract's texts as they are read."""
    return {
        column.name: stripped(text) if text and column.type == "string" else text
        for column in CONTRACT[table]
        for text in [source.texts[column.name]]
    }


def quarantine_row(table: str, row: ReadRow) -> Row:
    """Section 2: a row set aside, as text, with why and where it stood."""
    source = row.source
    return {
        **texts_of(table, source),
        "source": table,
        "line": source.line,
        "dump_day": source.dump_day,
        "reason": row.reason,
        "file": source.file,
    }
