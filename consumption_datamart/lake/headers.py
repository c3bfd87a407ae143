"""The columns of dump files: what they are, and whether they are those of the contract."""

import csv
import glob
import io
from collections.abc import Iterator, Sequence

import duckdb

from consumption_datamart.errors import DumpError, first_line
from consumption_datamart.lake.dumps import DumpFile, Lake
from consumption_datamart.schema.lake import Contract

HEADER_BYTES = 1 << 16

ALIKE = """
    SELECT list(file_name) FROM (
        SELECT file_name, list((
            name, type, type_length, repetition_type, num_children, converted_type, scale,
            precision, logical_type, duckdb_type
        )) AS columns
        FROM parquet_schema($paths) GROUP BY file_name
    )
    GROUP BY columns
"""
"""Parquet files, together with those that have the same schema."""

Header = tuple[tuple[str, str], ...]
"""Names and DuckDB types of a file's columns, in order; a CSV file's are all VARCHAR."""


def read_headers(
    contract: type[Contract],
    lake: Lake,
    files: Sequence[DumpFile],
    connection: duckdb.DuckDBPyConnection,
) -> dict[DumpFile, Header]:
    """The columns of each file.

    Raises:
        DumpError: a file cannot be opened, a required column is missing, or one is there twice.
    """
    with connection.cursor() as apart:  # an error aborts the transaction that it is in
        parquet = dict(_parquet([file for file in files if file.format == "parquet"], apart))
    headers: dict[DumpFile, Header] = {}
    for file in files:
        header = _csv(lake, file) if file.format == "csv" else parquet[file]
        names = [name for name, _ in header]
        for name in contract.required():
            if name not in names:
                raise DumpError(
                    file.name,
                    file.day,
                    f"required column '{name}' is missing; deliver the dump again with the columns"
                    f" {', '.join(contract.required())}",
                )
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise DumpError(file.name, file.day, f"column '{repeated[0]}' is there more than once")
        headers[file] = header
    return headers


def unexpected_columns(contract: type[Contract], header: Header) -> str:
    """Columns that the contract does not know, comma-separated, in alphabetical order."""
    return ", ".join(sorted({name for name, _ in header} - set(contract.ibis_schema())))


def missing_columns(contract: type[Contract], header: Header) -> str:
    """Columns of the contract that the file lacks, comma-separated, in alphabetical order."""
    return ", ".join(sorted(set(contract.ibis_schema()) - {name for name, _ in header}))


def _csv(lake: Lake, file: DumpFile) -> Header:
    start = lake.read(file, HEADER_BYTES).splitlines()
    try:
        line = start[0].decode("utf-8-sig") if start else ""
        names = next(csv.reader(io.StringIO(line)), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DumpError(file.name, file.day, f"the header line cannot be read: {error}") from error
    return tuple((name, "VARCHAR") for name in names)


def _parquet(
    files: Sequence[DumpFile], connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[DumpFile, Header]]:
    """Most files have one schema: one of them is described."""
    if not files:
        return
    by_path = {file.path: file for file in files}
    try:
        alike = connection.execute(ALIKE, {"paths": list(map(glob.escape, by_path))}).fetchall()
    except duckdb.Error:  # which of them it is, is told when they are described one by one
        alike = [([path],) for path in by_path]
    for (paths,) in alike:
        header = _described(by_path[paths[0]], connection)
        yield from ((by_path[path], header) for path in paths)


def _described(file: DumpFile, connection: duckdb.DuckDBPyConnection) -> Header:
    try:
        rows = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet($path)", {"path": glob.escape(file.path)}
        ).fetchall()
    except duckdb.Error as error:
        raise DumpError(
            file.name,
            file.day,
            f"cannot be read as Parquet: {first_line(error)}; deliver the dump again",
        ) from error
    return tuple((row[0], row[1]) for row in rows)
