"""The rows of a query, streamed: by ADBC from PostgreSQL and SQLite, else by SQLAlchemy."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from consumption_datamart.errors import DatamartError, masked
from consumption_datamart.ingest.window import Window
from consumption_datamart.lake.sources_file import PARAMETER, IngestEntry
from consumption_datamart.secrets import hidden, revealed

BATCH = 65_536
"""Rows that are in memory at once; SQLite's columns are typed by the first so many."""


class IngestError(DatamartError):
    """A query cannot be read; what the lake has stays as it was.

    Attributes:
        may_pass: whether it may do the next time: the server is away.
    """

    def __init__(self, told: str, *, may_pass: bool = False) -> None:
        """In a line."""
        super().__init__(told)
        self.may_pass = may_pass


class ColumnsChangedError(IngestError):
    """A query has other columns than it had, and these are frozen."""


class _BrokenOff(Exception):
    """Rows cease to come in the middle."""


@dataclass
class Rows:
    """The rows of a query.

    Attributes:
        schema: of all batches.
        batches: can be read once.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


@contextmanager
def rows(entry: IngestEntry, of: Window) -> Iterator[Rows]:
    """What a query, or a function, gives for a day, batch by batch.

    Args:
        entry: with its URL, and references to secrets in it; or with a function.
        of: the day.

    Raises:
        IngestError: the server is away, lets nobody in, or does not understand the query; what it
            says, in a line, without secrets.
    """
    url, query, name = entry.url or "", entry.query or "", entry.name
    to = revealed(url)
    scheme = to.partition("://")[0]
    try:
        if entry.function:
            yield _of_function(entry.function, of)
        elif scheme in ("postgres", "postgresql"):
            with _adbc_postgres(to, query, of) as found:
                yield found
        elif scheme == "sqlite":
            with _adbc_sqlite(to, query, of) as found:
                yield found
        else:
            with _sqlalchemy(to, query, of) as found:
                yield found
    except DatamartError:
        raise
    except ImportError as error:
        told = f"{error}; pip install 'consumption-datamart[ingest]', and the database's driver"
        raise IngestError(f"ingest {name}: {told}") from error
    except Exception as error:  # each driver has errors of its own
        if isinstance(error, OSError):  # of the lake's disk, in the block
            raise
        told = masked(hidden(" ".join(str(error.args[0] if error.args else error).split()), url))
        raise IngestError(f"ingest {name}: {told}", may_pass=_may_pass(error)) from error


@contextmanager
def _adbc_postgres(url: str, query: str, of: Window) -> Iterator[Rows]:
    from adbc_driver_postgresql import dbapi

    asked, values = _numbered(query, "$", of._asdict())
    with (
        closing(dbapi.connect(url, autocommit=False)) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute(asked, values)
        yield _plain(cursor.fetch_record_batch())


@contextmanager
def _adbc_sqlite(url: str, query: str, of: Window) -> Iterator[Rows]:
    from adbc_driver_sqlite import dbapi

    texts = {
        "day": of.day.isoformat(),
        "start": of.start.strftime("%Y-%m-%d %H:%M:%S"),
        "end": of.end.strftime("%Y-%m-%d %H:%M:%S"),
    }
    asked, values = _numbered(query, "?", texts)
    path = quote(url.removeprefix("sqlite://"))
    with (
        closing(dbapi.connect(f"file:{path}?mode=ro")) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH)})
        cursor.execute(asked, values)
        yield _plain(cursor.fetch_record_batch())


@contextmanager
def _sqlalchemy(url: str, query: str, of: Window) -> Iterator[Rows]:
    import sqlalchemy as sa

    moments = {"start": of.start.replace(tzinfo=None), "end": of.end.replace(tzinfo=None)}
    values: list[Any] = [
        sa.bindparam(name, each, type_=sa.DateTime) for name, each in moments.items()
    ]
    values.append(sa.bindparam("day", of.day, type_=sa.Date))
    values = [each for each in values if each.key in PARAMETER.findall(query)]
    asked = sa.text(query).bindparams(*values)
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            streaming = connection.execution_options(stream_results=True, yield_per=BATCH)
            result = streaming.execute(asked)
            parts = result.mappings().partitions(BATCH)
            pages = ([dict(row) for row in part] for part in parts)
            yield _of_pages(list(result.keys()), pages)
    finally:
        engine.dispose()


def _of_function(path: str, of: Window) -> Rows:
    """The rows of a team's own function: lists of them, page by page."""
    module, _, name = path.rpartition(".")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise _BrokenOff(f"function {path}: {error}; is it on Python's path?", False) from error

    def pages() -> Iterator[list[dict[str, Any]]]:
        try:
            yield from (list(each) for each in function(of))
        except Exception as error:  # whatever a function of others raises
            raise _BrokenOff(f"{type(error).__name__}: {error}", True) from error

    return _of_pages([], pages())


def _of_pages(names: list[str], pages: Iterator[list[dict[str, Any]]]) -> Rows:
    """The rows of pages; their columns, where they are not known, are those of the first."""
    first = next((page for page in pages if page), [])
    names = names or list(dict.fromkeys(name for row in first for name in row))
    schema = pa.schema(_typed(names, first))

    def batches() -> Iterator[pa.RecordBatch]:
        for page in chain([first], pages):
            yield from pa.Table.from_pylist(page, schema).to_batches()

    return Rows(schema, batches())


def _typed(names: list[str], first: list[dict[str, Any]]) -> Iterator[pa.Field]:
    """The type of each column, by its first values; text, where there are none."""
    for name in names:
        kind = pa.array([row.get(name) for row in first]).type
        yield pa.field(name, pa.string() if pa.types.is_null(kind) else kind)


def _plain(reader: pa.RecordBatchReader) -> Rows:
    """Types that every reader of Parquet knows: numeric and JSON as text."""
    schema = pa.schema([pa.field(each.name, _kind(each.type)) for each in reader.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _read(reader):
            pairs = zip(batch.columns, schema.types, strict=True)
            columns = [_column(column, kind) for column, kind in pairs]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return Rows(schema, batches())


def _read(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        raise _BrokenOff(str(error), isinstance(error, OSError)) from error


def _kind(kind: pa.DataType) -> pa.DataType:
    if not isinstance(kind, pa.BaseExtensionType):
        return kind
    stored = kind.storage_type
    return pa.string() if pa.types.is_fixed_size_binary(stored) else stored


def _column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    if column.storage.type == kind:
        return column.storage
    return pa.array([None if each is None else str(each) for each in column.to_pylist()], kind)


def _numbered(query: str, mark: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """The query with the driver's own parameters, and their values."""
    order: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in order:
            order.append(found[1])
        return f"{mark}{order.index(found[1]) + 1}"

    asked = PARAMETER.sub(number, query)
    return asked, [values[name] for name in order]


def _may_pass(error: Exception) -> bool:
    """Whether a driver's error may be over the next time it is tried."""
    if isinstance(error, _BrokenOff):
        return bool(error.args[1])
    names = {each.__name__ for each in type(error).__mro__}
    return bool(names & {"OperationalError", "InterfaceError", "ConnectionError", "TimeoutError"})
