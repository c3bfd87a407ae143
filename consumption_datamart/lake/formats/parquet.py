"""Parquet: columns in the file's own types."""

import glob
from collections.abc import Iterator, Sequence

import duckdb

from consumption_datamart.errors import DumpError, first_line
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.formats import PATH, Dialect, Format, Header, literal

# texts that are not annotated as such (Impala, Hive, old ClickHouse) are texts all the same
OPTIONS = "binary_as_string = true, hive_partitioning = false"
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
"""Files, together with those that have the same schema."""


class Parquet(Format):
    """Columnar files, read by several threads."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet",)

    def headers(
        self,
        copies: Copies,
        files: Sequence[DumpFile],
        dialect: Dialect,
        connection: duckdb.DuckDBPyConnection,
    ) -> dict[DumpFile, Header]:
        """Most files have one schema: one of them is described."""
        for file in files:
            if file.format.compression:
                copies.decompress(file)
        return dict(_headers(copies, files, connection))

    def scan(self, paths: Sequence[str], header: Header, dialect: Dialect, compression: str) -> str:
        """Columns have the types of the header."""
        listed = ", ".join(literal(glob.escape(path)) for path in paths)
        return f"read_parquet([{listed}], filename = '{PATH}', {OPTIONS})"


def _headers(
    copies: Copies, files: Sequence[DumpFile], connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[DumpFile, Header]]:
    if not files:
        return
    by_path: dict[str, list[DumpFile]] = {}
    for file in files:
        by_path.setdefault(copies.path(file), []).append(file)
    try:
        alike = connection.execute(ALIKE, {"paths": list(map(glob.escape, by_path))}).fetchall()
    except duckdb.Error:  # which of them it is, is told when they are described one by one
        alike = [([path],) for path in by_path]
    for (paths,) in alike:
        header = _described(paths[0], by_path[paths[0]][0], connection)
        yield from ((file, header) for path in paths for file in by_path[path])


def _described(path: str, file: DumpFile, connection: duckdb.DuckDBPyConnection) -> Header:
    try:
        rows = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet($path, {OPTIONS})", {"path": glob.escape(path)}
        ).fetchall()
    except duckdb.Error as error:
        raise DumpError(
            file.name,
            file.day,
            f"cannot be read as Parquet: {first_line(error)}; deliver the dump again",
        ) from error
    return tuple((row[0], row[1]) for row in rows)


FORMAT = Parquet()
