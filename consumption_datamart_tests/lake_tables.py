"""Tables of Delta Lake and Iceberg in a lake, written by their own libraries."""

import json
import struct
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import deltalake
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyroaring import BitMap

from consumption_datamart.lake.formats.iceberg import FILES
from consumption_datamart_tests.lakes import Row, arrow_table

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
DAY = "event_date"


class DeltaTable:
    """A table of telemetry, with the day of each row in a column of its own."""

    name = "delta"

    def __init__(self, uri: str, *, is_partitioned: bool = True) -> None:
        self.uri, self.partition_by = uri, [DAY] if is_partitioned else None

    def append(self, rows: pa.Table) -> None:
        """Adds rows."""
        deltalake.write_deltalake(self.uri, rows, mode="append", partition_by=self.partition_by)

    def replace(self, where: str, rows: pa.Table) -> None:
        """Puts rows in the place of others."""
        deltalake.write_deltalake(self.uri, rows, mode="overwrite", predicate=where)

    def delete(self, where: str) -> None:
        """Writes the files anew in which these rows were."""
        deltalake.DeltaTable(self.uri).delete(where)

    def mark_deleted(self, place: int) -> None:
        """Deletes a row of the first file by a deletion vector, as Spark and Databricks do."""
        folder = Path(self.uri)
        table = deltalake.DeltaTable(self.uri)
        actions = [
            json.loads(line)
            for log in sorted((folder / "_delta_log").glob("*.json"))
            for line in log.read_text().splitlines()
        ]
        added = next(each["add"] for each in actions if "add" in each)
        vector = BitMap([place]).serialize()
        body = struct.pack("<iqi", 1681511377, 1, 0) + vector
        name = uuid4()
        (folder / f"deletion_vector_{name}.bin").write_bytes(
            b"\x01" + struct.pack(">i", len(body)) + body + struct.pack(">I", zlib.crc32(body))
        )
        known = next(each["protocol"] for each in actions if "protocol" in each)
        features = {
            name: [*known.get(name, []), "deletionVectors"]
            for name in ("readerFeatures", "writerFeatures")
        }
        told = {
            "storageType": "u",
            "pathOrInlineDv": _z85(name.bytes),
            "offset": 1,
            "sizeInBytes": len(body),
            "cardinality": 1,
        }
        gone = {"path": added["path"], "deletionTimestamp": 1, "dataChange": True}
        commit = [
            {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7} | features},
            {"remove": gone},
            {"add": added | {"deletionVector": told}},
            {"commitInfo": {"timestamp": added["modificationTime"], "operation": "DELETE"}},
        ]
        log = folder / "_delta_log" / f"{table.version() + 1:020}.json"
        log.write_text("\n".join(map(json.dumps, commit)) + "\n")


class IcebergTable:
    """Likewise; its catalog is beside the lake, which the mart does not see."""

    name = "iceberg"

    def __init__(self, uri: str, *, is_partitioned: bool = True) -> None:
        self.uri, self.is_partitioned = uri, is_partitioned
        self.catalog = SqlCatalog("own", uri="sqlite:///:memory:", **FILES)
        self.catalog.create_namespace("lake")

    def append(self, rows: pa.Table) -> None:
        """Adds rows."""
        if not self.catalog.table_exists("lake.telemetry"):
            created = self.catalog.create_table("lake.telemetry", rows.schema, self.uri)
            if self.is_partitioned:
                with created.update_spec() as spec:
                    spec.add_identity(DAY)
        self.catalog.load_table("lake.telemetry").append(rows)

    def replace(self, where: str, rows: pa.Table) -> None:
        """Puts rows in the place of others."""
        self.catalog.load_table("lake.telemetry").overwrite(rows, where)

    def delete(self, where: str) -> None:
        """Writes the files anew in which these rows were."""
        self.catalog.load_table("lake.telemetry").delete(where)


def with_days(rows: Sequence[Row], table: str = "telemetry", kind: str = "date") -> pa.Table:
    """Rows as Arrow has them, each with its day: as a date, a text or a moment."""
    found = arrow_table(table, rows)
    moments = [row["event_ts"] for row in rows]
    days = [each.date() for each in moments if isinstance(each, datetime)]
    values: dict[str, pa.Array] = {
        "date": pa.array(days, pa.date32()),
        "text": pa.array(map(str, days), pa.string()),
        "moment": pa.array(moments, pa.timestamp("us")),
    }
    return found.append_column(DAY, values[kind])


def of(day: date) -> str:
    """The condition of a day."""
    return f"{DAY} = '{day}'"


def _z85(data: bytes) -> str:
    found = ""
    for (value,) in struct.iter_unpack(">I", data):
        digits = [value // 85**power % 85 for power in (4, 3, 2, 1, 0)]
        found += "".join(Z85[digit] for digit in digits)
    return found
