"""JSON lines: an object a line; columns are its members, in the types that the file shows."""

import glob
import json
from collections.abc import Sequence

import duckdb

from consumption_datamart.errors import DumpError, first_line
from consumption_datamart.lake.copies import Copies
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.formats import (
    PATH,
    Dialect,
    Format,
    Header,
    TroubledFiles,
    literal,
    quoted,
)

OBJECTS = (
    "read_json_objects([{paths}], format = 'newline_delimited', ignore_errors = true,"
    " filename = true, compression = '{compression}', hive_partitioning = false)"
)
IS_OBJECT = "CASE WHEN json_valid({line}) THEN json_type({line}) = 'OBJECT' ELSE false END"


class JsonLines(Format):
    """Nested members are structs: `customer.id`. A member that a line lacks is null."""

    name, suffixes, has_lines = "jsonl", (".jsonl", ".ndjson"), True

    def headers(
        self,
        copies: Copies,
        files: Sequence[DumpFile],
        dialect: Dialect,
        connection: duckdb.DuckDBPyConnection,
    ) -> dict[DumpFile, Header]:
        """A file's types are those of all of its lines."""
        found: dict[DumpFile, Header] = {}
        troubled = set()
        for file in files:
            scan = OBJECTS.format(
                paths=literal(glob.escape(copies.path(file))),
                compression=copies.compression(file) or "none",
            )
            is_object = IS_OBJECT.format(line="json")
            try:
                ((structure, others),) = connection.execute(
                    f"SELECT json_group_structure(CASE WHEN {is_object} THEN json END),"
                    f" count(*) FILTER (NOT {is_object}) FROM {scan}"
                ).fetchall()
            except duckdb.Error as error:
                if copies.is_salvaged(file):
                    problem = f"cannot be read as JSON lines: {first_line(error)}"
                    raise DumpError(file.name, file.day, problem) from error
                others, structure = 1, None
            if others and not copies.is_salvaged(file):
                troubled.add(file)
            members = json.loads(structure or "{}")
            # of no objects DuckDB says that they are null
            found[file] = _header(members if isinstance(members, dict) else {})
        if troubled:
            raise TroubledFiles(troubled)
        return found

    def scan(self, paths: Sequence[str], header: Header, dialect: Dialect, compression: str) -> str:
        """Columns have the types of the header."""
        listed = ", ".join(literal(glob.escape(path)) for path in paths)
        if not header:
            objects = OBJECTS.format(paths=listed, compression=compression or "none")
            return f"(SELECT filename AS {PATH} FROM {objects})"
        columns = ", ".join(f"{literal(name)}: {literal(dtype)}" for name, dtype in header)
        return (
            f"read_json([{listed}], format = 'newline_delimited', columns = {{{columns}}},"
            f" filename = '{PATH}', compression = '{compression or 'none'}',"
            " hive_partitioning = false)"
        )

    def lines(self, content: bytes, dialect: Dialect) -> tuple[bytes, list[str]]:
        """The lines that are objects, and those that are not."""
        found = [
            line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()
        ]
        texts = [line.decode(errors="replace").rstrip("\r") for line in found]
        decodes = ["\ufffd" not in text for text in texts]
        with duckdb.connect() as connection:
            judged = connection.execute(
                f"SELECT {IS_OBJECT.format(line='line')} FROM"
                " (SELECT unnest($lines) AS line, generate_subscripts($lines, 1) AS place)"
                " ORDER BY place",
                {"lines": texts},
            ).fetchall()
        good = [decoded and is_one for decoded, (is_one,) in zip(decodes, judged, strict=True)]
        copy = b"\n".join(line for line, is_one in zip(found, good, strict=True) if is_one)
        malformed = [
            text.replace("\ufffd", "?")
            for text, is_one in zip(texts, good, strict=True)
            if not is_one
        ]
        return copy, malformed


def _header(structure: dict[str, object]) -> Header:
    """Of members whose names differ in case only the first counts."""
    names: dict[str, str] = {}
    for name in structure:
        names.setdefault(name.lower(), name)
    return tuple((name, _type(structure[name])) for name in names.values() if name)


def _type(structure: object) -> str:
    """DuckDB's type of what `json_group_structure` has found."""
    if isinstance(structure, list):
        return f"{_type(structure[0])}[]"
    if isinstance(structure, dict):
        if not structure or len({name.lower() for name in structure}) < len(structure):
            return "JSON"
        members = ", ".join(f"{quoted(name)} {_type(each)}" for name, each in structure.items())
        return f"STRUCT({members})"
    return "VARCHAR" if structure in ("NULL", "JSON") else str(structure)


FORMAT = JsonLines()
