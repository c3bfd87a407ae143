"""The files of a lake: one a table and day."""

import csv
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

Format: TypeAlias = Literal["csv", "parquet"]


def write(path: Path, rows: Any, lines: list[list[str]]) -> None:
    """Write the rows as CSV or Parquet, by the name of the file; to CSV also add these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        # plain text columns, though they are written from their codes
        pq.write_table(rows, path, compression="zstd", store_schema=False)
        return
    # names of customers may have commas, nothing else has; quoting takes its time
    quoting = "needed" if "customer_name" in rows.column_names else "none"
    options = pa_csv.WriteOptions(include_header=False, quoting_style=quoting)
    with path.open("wb") as file:
        file.write(",".join(rows.column_names).encode() + b"\n")
        for batch in _as_text(rows).to_batches():
            if batch.num_rows:  # instead of an empty one the writer repeats what it wrote before
                pa_csv.write_csv(batch, file, options)
    if lines:
        with path.open("a", encoding="utf-8", newline="") as text:
            csv.writer(text, lineterminator="\n").writerows(lines)


def _as_text(rows: Any) -> Any:
    """The same with columns as they are to be printed: text for codes, moments in seconds."""
    for place, column in enumerate(rows.schema):
        if pa.types.is_dictionary(column.type):
            values = rows.column(place).cast(pa.string())
        elif pa.types.is_timestamp(column.type):
            values = rows.column(place).cast(pa.timestamp("s"))
        else:
            continue
        rows = rows.set_column(place, column.name, values)
    return rows
