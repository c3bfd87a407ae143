"""What was set aside, and which upstream team it goes back to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from ibis.backends.sql import SQLBackend

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.errors import DatamartError, WarehouseError
from consumption_datamart.schema.codes import QUARANTINE_REASONS
from consumption_datamart.schema.raw import quarantine_of
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, warehouse_of
from consumption_datamart.warehouse.sql import sql_of

WHERE = ["lake_table", "owner", "reason", "dump_day", "file"]
EXAMPLES = 2
"""Rows that are shown of each table and reason."""
PORTION_ROWS = 50_000
"""Rows that are exported at a time."""
WRITERS = {".csv": pa.csv.CSVWriter, ".parquet": pa.parquet.ParquetWriter}


@dataclass(frozen=True)
class Quarantined:
    """What was set aside.

    Attributes:
        counts: rows by lake table, owner, reason, dump day and file; the most first.
        examples: a few rows of each table and reason: what is in them, in one text.
    """

    counts: pd.DataFrame
    examples: pd.DataFrame


def quarantined(
    settings: Settings, table: str | None = None, reason: str | None = None
) -> Quarantined:
    """Counts what was set aside, and shows some of it.

    Args:
        settings: where the warehouse is.
        table: of the lake; by default all.
        reason: for which rows were set aside; by default any.

    Raises:
        DatamartError: there is no such table, or no such reason.
        WarehouseError: the warehouse cannot be opened, or is not built.
    """
    warehouse = warehouse_of(settings).released()
    rows = set_aside(warehouse, table, reason)
    counts = rows.group_by(WHERE).aggregate(rows=rows.count())
    position = ibis.row_number().over(
        group_by=["lake_table", "reason"], order_by=[rows.dump_day.desc(), rows.file]
    )
    few = rows.mutate(position=position).filter(ibis._.position < EXAMPLES).drop("position")
    with warehouse.reader() as backend:
        found = backend.to_pandas(counts.order_by(ibis.desc("rows"), *WHERE))
        examples = backend.to_pandas(few.order_by("lake_table", "reason", ibis.desc("dump_day")))
    return Quarantined(
        found, examples[["lake_table", "reason", "file"]].assign(row=_told(examples))
    )


def export(
    settings: Settings, path: Path, table: str | None = None, reason: str | None = None
) -> int:
    """Writes all rows that were set aside, as they were delivered, to a CSV or a Parquet file.

    Args:
        settings: where the warehouse is.
        path: of the file, which is replaced; its ending says what it is to be.
        table: of the lake; by default all.
        reason: for which rows were set aside; by default any.

    Returns:
        How many rows were written.

    Raises:
        DatamartError: the file has another ending, or cannot be written; or as `quarantined`.
    """
    if path.suffix not in WRITERS:
        raise DatamartError(f"--export {path}: name a file that ends with .csv or .parquet")
    warehouse = warehouse_of(settings).released()
    rows = set_aside(warehouse, table, reason).order_by(WHERE)
    with warehouse.reader() as backend:
        try:
            return _write(backend, rows, path)
        except OSError as error:
            raise DatamartError(f"--export {path}: cannot be written to: {error}") from error


def set_aside(warehouse: Warehouse, table: str | None, reason: str | None) -> ir.Table:
    """Rows of the quarantine tables below each other: where from and why, then values as text.

    A column that a lake table does not have is null.
    """
    owners = {spec.contract.table_name(): spec for spec in LAKE}
    _require("--table", table, owners)
    _require("--reason", reason, QUARANTINE_REASONS)
    chosen = [spec for name, spec in owners.items() if table in (None, name)]
    models = {quarantine_of(spec.contract): spec for spec in chosen}
    missing = [model for model in models if not warehouse.exists(model)]
    # a warehouse of an earlier version has no optional tables
    models = {
        model: spec
        for model, spec in models.items()
        if table or model not in missing or not spec.contract.is_optional()
    }
    if missing := [model for model in missing if model in models]:
        raise WarehouseError(
            f"warehouse {warehouse.url}: there is no table {missing[0].full_name()}; run"
            " consumption-datamart build"
        )
    names = dict.fromkeys(name for model in models for name in model.ibis_schema())
    values = [name for name in names if name not in (*WHERE, "line")]
    parts = []
    for model, spec in models.items():
        rows = warehouse.table(model)
        rows = rows if reason is None else rows.filter(rows.reason == reason)
        rows = rows.mutate(lake_table=ibis.literal(spec.contract.table_name()))
        rows = rows.mutate(owner=ibis.literal(", ".join(spec.owners)))
        lacking = {name: ibis.null("string") for name in values if name not in rows.columns}
        parts.append(rows.mutate(**lacking).select(*WHERE, "line", *values))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _require(option: str, given: str | None, known: Mapping[str, object]) -> None:
    if given is not None and given not in known:
        raise DatamartError(f"{option} {given}: there is no such; name one of {', '.join(known)}")


def _write(backend: SQLBackend, rows: ir.Table, path: Path) -> int:
    """In portions, so that memory does not depend on how many there are."""
    schema = pa.schema([(name, pa.string()) for name in rows.columns])
    text = rows.select(**{name: rows[name].cast("string") for name in rows.columns})
    written = 0
    cursor: Any = backend.raw_sql(sql_of(backend, text))
    with WRITERS[path.suffix](str(path), schema) as writer:
        while portion := cursor.fetchmany(PORTION_ROWS):
            columns = zip(*portion, strict=True)
            writer.write_table(pa.table(list(columns), schema))
            written += len(portion)
    return written


def _told(rows: pd.DataFrame) -> list[str]:
    """What is in each row: the line as it was, or the values that it has."""
    told = []
    for row in rows.drop(columns=WHERE).to_dict("records"):
        values = {name: value for name, value in row.items() if not pd.isna(value)}
        told.append(str(values.get("line") or ", ".join(f"{k}={v}" for k, v in values.items())))
    return told
