"""What keeps files from being read: which file, and which expression of its source."""

import re

import duckdb

from consumption_datamart.errors import DumpError, LakeError, SourceError, first_line
from consumption_datamart.lake.columns import guess
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.formats import TroubledFiles
from consumption_datamart.lake.reading import Group, Misfit, Reading
from consumption_datamart.lake.sources import Source


def probe(reading: Reading) -> None:
    """Finds the files that cannot be read, by reading each alone.

    Raises:
        TroubledFiles: files that have to be read line by line.
        DumpError: a file that cannot be read at all, or by an expression of its source.
    """
    troubled = set()
    for group, files in reading.groups().items():
        for file in files:
            with duckdb.connect() as alone:
                if not reading.lake.is_local:
                    alone.register_filesystem(reading.lake.filesystem)
                alone.execute("SET TimeZone = 'UTC'")
                if problem := _problem(alone, f"SELECT * FROM {reading.scan(group, [file])}"):
                    if not group.format.has_lines or reading.copies.is_salvaged(file):
                        wrong = f"cannot be read: {problem}; deliver the dump again"
                        raise DumpError(file.name, file.day, wrong)
                    troubled.add(file)
                else:
                    _probe_expressions(alone, reading, group, file)
    if troubled:
        raise TroubledFiles(troubled)


def told(reading: Reading, found: Misfit) -> LakeError:
    """What to say of files that an expression of the source does not suit: which it is."""
    group, file = found.group, found.file
    wrong, scan = found.problem, reading.scan(group, [file])
    for key, expression in _expressions(reading.source).items():
        with reading.staging.con.cursor() as apart:
            try:
                apart.execute(f"DESCRIBE SELECT ({expression}) FROM {scan}")
            except duckdb.Error as error:
                there = ", ".join(name for name, _ in group.header)
                wrong = _wrong(reading.source, key, expression, first_line(error))
                wrong += f"; its columns are {there}{guess(reading.source, group.header)}"
                break
    if len(reading.groups()) == 1:
        return SourceError(f"{file.name}: {wrong}")
    return DumpError(file.name, file.day, wrong)


def _probe_expressions(
    alone: duckdb.DuckDBPyConnection, reading: Reading, group: Group, file: DumpFile
) -> None:
    scan = reading.scan(group, [file])
    for key, expression in _expressions(reading.source).items():
        if problem := _problem(alone, f"SELECT ({expression}) AS found FROM own", scan):
            raise DumpError(file.name, file.day, _wrong(reading.source, key, expression, problem))


def _expressions(source: Source) -> dict[str, str]:
    """Key in `lake.toml` → SQL expression, of what the source configures."""
    where = {"where": source.where} if source.where else {}
    return where | {f"columns.{name}": each for name, each in source.columns.items()}


def _wrong(source: Source, key: str, expression: str, problem: str) -> str:
    short = re.sub(r"^(Binder|Conversion|Invalid Input|Out of Range) Error: ", "", problem)
    return f"source {source.label}, {key} = {expression!r}: {short}"


def _problem(connection: duckdb.DuckDBPyConnection, select: str, own: str = "") -> str | None:
    """What is wrong with a query, when all of its rows are read.

    Args:
        connection: apart from that of the load.
        select: the query.
        own: the scan that it knows as `own`: whose reader would else convert, and leave out rows.
    """
    read = f"WITH own AS MATERIALIZED (SELECT * FROM {own}) " if own else ""
    try:
        # a value that is only counted is not read
        connection.execute(f"{read}SELECT bit_xor(hash(COLUMNS(*))) FROM ({select})")
    except duckdb.Error as error:
        return first_line(error)
    return None
