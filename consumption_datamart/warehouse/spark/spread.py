"""Rows that the cluster's own processes read, by code of this program, and keep aside in Delta.

What they give comes in one table, which has the columns of all tables that the rows are for, side
by side: Spark asks a function for one table. From there the cluster adds them where they belong.
"""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import ibis
import pyarrow as pa

from consumption_datamart.warehouse.rows import Task
from consumption_datamart.warehouse.spark.backend import SparkBackend

ERROR, PLACE = "error", "place"
SCHEMA = {PLACE: "int32", ERROR: "string"}


def keep_aside(
    backend: SparkBackend,
    tasks: Sequence[Task],
    schemas: Sequence[ibis.Schema],
    uri: str,
    at_once: int,
) -> str | None:
    """Lets the cluster read, and keep the rows in a Delta table.

    Args:
        backend: a connection to it.
        tasks: what it is to read.
        schemas: of the tables that the rows are for, by place.
        uri: of the Delta table; there is none yet.
        at_once: how many of its processes read at the same time, at most.

    Returns:
        The first error of any task, in a line; None: there was none.
    """
    names = {f"{PLACE}{n}_{name}": t for n, s in enumerate(schemas) for name, t in s.items()}
    wide = ibis.schema(SCHEMA | names)
    types = backend.compiler.type_mapper
    form = ", ".join(f"`{name}` {types.to_string(dtype)}" for name, dtype in wide.items())
    given = pa.table({"task": [pickle.dumps(task) for task in tasks]})
    frame = backend._session.createDataFrame(given).repartition(min(at_once, len(tasks)))
    read = partial(_answer, schema=wide.to_pyarrow())
    frame.mapInArrow(read, form).write.format("delta").mode("overwrite").save(uri)
    failed = f"SELECT {ERROR} FROM delta.`{uri}` WHERE {ERROR} IS NOT NULL LIMIT 1"
    return next((str(error) for (error,) in backend.raw_sql(failed).fetchall()), None)


def kept_aside(uri: str, place: int, schema: ibis.Schema) -> str:
    """SQL of the rows of one table."""
    columns = ", ".join(f"`{PLACE}{place}_{name}` AS `{name}`" for name in schema)
    return f"SELECT {columns} FROM delta.`{uri}` WHERE {PLACE} = {place}"


def _answer(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """What a process of the cluster makes of its tasks; an error is a row, and all else is void."""
    for batch in batches:
        for task in batch.column(0).to_pylist():
            try:
                for place, rows in pickle.loads(task).rows():
                    yield _wide(schema, rows.num_rows, place, rows)
            except Exception as error:  # whatever it is, it is told where it is mended
                line = " ".join(f"{type(error).__name__}: {error}".split())
                yield _wide(schema, 1, -1, None, line)


def _wide(
    schema: pa.Schema, count: int, place: int, rows: pa.RecordBatch | None, error: str | None = None
) -> pa.RecordBatch:
    columns = []
    for field in schema:
        prefix, _, name = field.name.partition("_")
        if field.name == PLACE:
            columns.append(pa.array([place] * count, field.type))
        elif field.name == ERROR:
            columns.append(pa.array([error] * count, field.type))
        elif rows is not None and prefix == f"{PLACE}{place}":
            columns.append(rows.column(name).cast(field.type))
        else:
            columns.append(pa.nulls(count, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
