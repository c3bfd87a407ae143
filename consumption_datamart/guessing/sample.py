"""A few files' columns and values, by which the rest is judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import duckdb
import pyarrow as pa

from consumption_datamart.errors import first_line
from consumption_datamart.guessing.dialect import Dialect, dialect_of, encoding_of, rows_of
from consumption_datamart.guessing.files import DataFile
from consumption_datamart.guessing.patterns import Group
from consumption_datamart.guessing.values import Kind, filled, kind_of

FILES = 5
ROWS = 1_000
BYTES = 256 << 10
SETTINGS = "SET threads = 1; SET timezone = 'UTC'"
KINDS = {
    "BOOLEAN": Kind.flag, "DATE": Kind.day, "TIMESTAMP": Kind.instant, "DOUBLE": Kind.number,
    "FLOAT": Kind.number, "DECIMAL": Kind.number, "UUID": Kind.text,
}  # fmt: skip
TEXTS = ("VARCHAR", "JSON", "ENUM", "BLOB")

Rows = list[list[str | None]]


@dataclass(frozen=True)
class Column:
    """A column of the files.

    Attributes:
        path: its name; of a field within a struct the names down to it.
        type: DuckDB's; VARCHAR in CSV.
        values: those of the sample that are not blank, with the day of their file.
        has_blanks: whether others are.
    """

    path: tuple[str, ...]
    type: str
    values: tuple[tuple[str, date | None], ...]
    has_blanks: bool = False

    @property
    def name(self) -> str:
        """As it is told."""
        return ".".join(self.path)

    @cached_property
    def texts(self) -> list[str]:
        """The values alone."""
        return [text for text, _ in self.values]

    @property
    def is_text(self) -> bool:
        """Whether the file has text here."""
        return self.type.startswith(TEXTS)

    @cached_property
    def kind(self) -> Kind:
        """What nearly all values are."""
        if self.type.endswith("]") or self.type.startswith(("STRUCT", "MAP", "UNION")):
            return Kind.nested
        if self.is_text:
            return kind_of(self.texts)
        known = next((kind for name, kind in KINDS.items() if self.type.startswith(name)), None)
        found = kind_of(self.texts)
        if known is None:
            return found if found in {Kind.epoch, Kind.empty, Kind.day} else Kind.integer
        return known


@dataclass(frozen=True)
class Sample:
    """Some rows of some files of a group.

    Attributes:
        columns: of all sampled files, in the order of the last.
        dialect: of CSV.
        problems: what is wrong with files or columns.
    """

    columns: tuple[Column, ...] = ()
    dialect: Dialect | None = None
    problems: tuple[str, ...] = ()


def sample(group: Group) -> Sample:
    """Reads the first rows of the first, the last, and some files between."""
    last = len(group.files) - 1
    indexes = sorted({round(last * step / (FILES - 1)) for step in range(FILES)})
    chosen = [group.files[index] for index in indexes]
    problems: list[str] = []
    dialect: Dialect | None = None
    if group.format in {"csv", "tsv"}:
        starts = {file: _start(file, problems) for file, _ in chosen}
        readable = [start for start in starts.values() if start]
        encoding = encoding_of(readable)
        texts = {file: _text(start, encoding) for file, start in starts.items()}
        longest = max(texts.values(), key=len)
        dialect = dialect_of(longest, encoding, tabs=group.format == "tsv")
        tables = [(_typed(rows_of(texts[file], dialect)), day) for file, day in chosen]
    else:
        tables = [(_read(file, problems), day) for file, day in chosen]
    return Sample(_columns(tables, problems), dialect, tuple(problems))


def alike(files: Sequence[DataFile]) -> bool:
    """Whether files have columns of the same names."""
    names: set[object] = {
        _start(file, []).partition(b"\n")[0]
        if file.format in {"csv", "tsv"}
        else tuple(path for path, _ in _read(file, [], rows=1)[0])
        for file in files
    }
    return len(names) == 1


Table = tuple[list[tuple[tuple[str, ...], str]], Rows]


def _typed(found: tuple[list[str], list[list[str]]]) -> Table:
    names, rows = found
    return [((name,), "VARCHAR") for name in names], [list(row) for row in rows[:ROWS]]


def _start(file: DataFile, problems: list[str]) -> bytes:
    try:
        with pa.input_stream(file.path, compression=file.compression) as stream:
            found: bytes = stream.read(BYTES)
    except (OSError, pa.ArrowException) as error:
        problems.append(f"{file.name} cannot be read: {first_line(error)}")
        return b""
    return found


def _text(start: bytes, encoding: str) -> str:
    text = start.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if len(start) < BYTES else text[: text.rfind("\n") + 1]


def _read(file: DataFile, problems: list[str], rows: int = ROWS) -> Table:
    """Columns and values of a file that has types."""
    path = file.path.replace("'", "''")
    for special in "[*?":
        path = path.replace(special, f"[{special}]")
    reader = f"read_parquet('{path}', hive_partitioning = false)"
    if file.format == "jsonl":
        compression = file.compression or "none"
        reader = (
            f"read_json('{path}', format = 'newline_delimited', hive_partitioning = false,"
            f" compression = '{compression}')"
        )
    try:
        with duckdb.connect() as connection:
            connection.execute(SETTINGS)
            connection.execute(f"CREATE TABLE found AS FROM {reader} LIMIT {rows}")
            types = connection.table("found")
            named = zip(types.columns, types.types, strict=True)
            leaves = [leaf for name, kind in named for leaf in _leaves((name,), kind)]
            selected = ", ".join(f"CAST({_quoted(path)} AS VARCHAR)" for path, _ in leaves)
            values = connection.execute(f"SELECT {selected} FROM found").fetchall()
    except duckdb.Error as error:
        problems.append(f"{file.name} cannot be read: {first_line(error)}")
        return [], []
    return leaves, [list(row) for row in values]


def _leaves(path: tuple[str, ...], kind: object) -> list[tuple[tuple[str, ...], str]]:
    """A column, or the fields of a struct."""
    if getattr(kind, "id", None) == "struct":
        fields = kind.children  # type: ignore[attr-defined]
        return [leaf for name, each in fields for leaf in _leaves((*path, name), each)]
    return [(path, str(kind))]


def _quoted(path: tuple[str, ...]) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in path)


def _columns(
    tables: Sequence[tuple[Table, date | None]], problems: list[str]
) -> tuple[Column, ...]:
    types: dict[tuple[str, ...], str] = {}
    values: dict[tuple[str, ...], list[tuple[str, date | None]]] = {}
    blanks: set[tuple[str, ...]] = set()
    headers = [tuple(path for path, _ in header) for (header, _), _ in tables if header]
    for (header, rows), day in reversed(tables):
        for index, (path, kind) in enumerate(header):
            types.setdefault(path, kind)
            found = filled(row[index] for row in rows)
            values.setdefault(path, []).extend((text, day) for text in found)
            blanks |= {path} if len(found) < len(rows) else set()
    always = set.intersection(*map(set, headers)) if headers else set()
    if some := [".".join(path) for path in types if path not in always]:
        problems.append(f"not in all files: {', '.join(some)}")
    return tuple(
        Column(path, types[path], tuple(values[path]), path in blanks)
        for path in types
        if path != ("",)
    )
