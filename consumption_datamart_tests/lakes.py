"""Small lakes for tests: rows with valid defaults, and dumps of them in every shape."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from consumption_datamart_tests.contract import CONTRACT, column_names

Row = dict[str, object]

ARROW_TYPES = {
    "string": pa.string(),
    "int": pa.int32(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "decimal": pa.decimal128(18, 4),
    "rate": pa.decimal128(18, 8),
    "double": pa.float64(),
}


def day(number: int) -> date:
    """Count days from 2026-01-01 (a Thursday), which is day 1."""
    return date(2026, 1, 1) + timedelta(days=number - 1)


def noon(number: int, *, hour: int = 12) -> datetime:
    """Noon, or another full hour, of the day with that number."""
    return datetime(2026, 1, 1, hour) + timedelta(days=number - 1)


def invoice(**overrides: object) -> Row:
    """A valid invoice line of day 5: 10 units at 12.50 EUR for 12 months."""
    row: Row = {
        "invoice_id": "INV-1",
        "line_number": 1,
        "invoice_date": day(5),
        "customer_id": "CUST-1",
        "customer_name": "Acme",
        "product_id": "db",
        "product_name": "Database",
        "quantity": Decimal(10),
        "unit_price": Decimal("12.5"),
        "currency": "EUR",
        "term_months": 12,
    }
    return _overridden(row, overrides)


def entitlement(**overrides: object) -> Row:
    """A valid original entitlement to a capacity of 10 vCPU for all of 2026."""
    row: Row = {
        "entitlement_id": "ENT-1",
        "amendment": 0,
        "invoice_id": "INV-1",
        "customer_id": "CUST-1",
        "product_id": "db",
        "quantity": Decimal(10),
        "unit": "vCPU",
        "metering": "capacity",
        "period": None,
        "starts_on": day(1),
        "ends_on": date(2027, 1, 1),
    }
    return _overridden(row, overrides)


def usage(**overrides: object) -> Row:
    """A valid telemetry event of noon of day 5: 4 vCPU."""
    row: Row = {
        "event_id": "EV-1",
        "event_ts": noon(5),
        "customer_id": "CUST-1",
        "deployment_id": "DEP-1",
        "product_id": "db",
        "infrastructure": "aws_ec2",
        "quantity": 4.0,
        "unit": "vCPU",
    }
    return _overridden(row, overrides)


def bundle(**overrides: object) -> Row:
    """A valid component of the bundle "suite": 2 vCPU of db in each unit of it."""
    row: Row = {
        "bundle_id": "suite",
        "product_id": "db",
        "quantity": Decimal(2),
        "unit": "vCPU",
        "metering": "capacity",
    }
    return _overridden(row, overrides)


def account(**overrides: object) -> Row:
    """A valid account of a customer without a parent."""
    row: Row = {
        "customer_id": "CUST-1",
        "parent_customer_id": None,
        "segment": "enterprise",
        "region": "EMEA",
        "account_manager": "Ada",
    }
    return _overridden(row, overrides)


def rate(**overrides: object) -> Row:
    """A valid exchange rate of day 1: a euro is 1.25 of the reporting currency."""
    row: Row = {"currency": "EUR", "valid_from": day(1), "rate": Decimal("1.25")}
    return _overridden(row, overrides)


def _overridden(row: Row, overrides: Row) -> Row:
    unknown = overrides.keys() - row.keys()
    if unknown:
        raise KeyError(f"no such columns: {sorted(unknown)}")
    return row | overrides


def write_dump(
    lake: Path,
    table: str,
    dump_day: date | str,
    rows: Sequence[Row | str | bytes] = (),
    *,
    format: str = "csv",
    part: str | None = None,
    columns: Sequence[str] | None = None,
    crlf: bool = False,
    bom: bool = False,
    extra: Mapping[str, object] | None = None,
    as_text: bool = False,
    doubles: bool = False,
) -> Path:
    """Write one file of a dump and return its path.

    A row given as str or bytes is written to the CSV as it is (for malformed lines). `part` names
    a part file (without its suffix) in the day's folder. `columns` selects and orders the columns,
    contract order by default; `extra` adds columns, each with one value for all rows. Parquet has
    native types unless `as_text`; its decimals are doubles if `doubles`. `dump_day` may be any
    text, to write files that are no dumps.
    """
    extra = dict(extra or {})
    names = [*(columns or column_names(table)), *extra]
    stem = lake / table / str(dump_day)
    path = stem / f"{part}.{format}" if part else stem.with_name(f"{stem.name}.{format}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if format == "parquet":
        values = [row | extra for row in rows]
        pq.write_table(_arrow_table(table, names, values, as_text, doubles), path)
    else:
        line_end = b"\r\n" if crlf else b"\n"
        lines = [_line(names), *(_csv_line(row, extra, names) for row in rows)]
        content = b"".join(line + line_end for line in lines)
        path.write_bytes(b"\xef\xbb\xbf" + content if bom else content)
    return path


def _csv_line(row: Row | str | bytes, extra: Row, names: list[str]) -> bytes:
    if isinstance(row, bytes):
        return row
    if isinstance(row, str):
        return row.encode()
    values = row | extra
    return _line([text_of(values.get(name)) or "" for name in names])


def _line(fields: list[str]) -> bytes:
    return ",".join(_quoted(field) for field in fields).encode()


def _quoted(field: str) -> str:
    if any(character in field for character in ',"\r\n'):
        return '"' + field.replace('"', '""') + '"'
    return field


def text_of(value: object) -> str | None:
    """Spell a value as a lake's CSV does."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def arrow_table(table: str, rows: Sequence[Row]) -> pa.Table:
    """Rows of a lake table in native types."""
    return _arrow_table(table, column_names(table), list(rows), False, False)


def _arrow_table(
    table: str, names: list[str], rows: list[Row], as_text: bool, doubles: bool
) -> pa.Table:
    types = {column.name: ARROW_TYPES[column.type] for column in CONTRACT[table]}
    arrays = {}
    for name in names:
        arrow_type = types.get(name, pa.string())
        values = [row.get(name) for row in rows]
        if as_text or name not in types:
            arrays[name] = pa.array([text_of(value) for value in values], pa.string())
        elif doubles and pa.types.is_decimal(arrow_type):
            numbers = [None if value is None else float(value) for value in values]
            arrays[name] = pa.array(numbers, pa.float64())
        else:
            arrays[name] = pa.array(values, arrow_type)
    return pa.table(arrays)
