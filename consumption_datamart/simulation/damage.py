"""What can be wrong with a row, or suspicious about it, and how to make a row so.

Each function gets a row that is right, and turn: how many rows it has made before. It makes the
next of several variants, or None if the table has no such thing.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa

from .contract import OPTIONAL, SCHEMAS
from .products import products_of

Row: TypeAlias = dict[str, Any]

_OUT_OF_RANGE: dict[str, list[Row]] = {
    "invoices": [
        {"unit_price": Decimal(-3)},
        {"line_number": 0},
        {"unit_price": Decimal("-0.5")},
        {"term_months": -12},
    ],
    "entitlements": [
        {"quantity": Decimal(-10)},
        {"metering": "hourly"},
        {"ends_on": date(1999, 12, 31)},
        {"amendment": -1},
    ],
    "telemetry": [
        {"quantity": -1.5},
        {"quantity": float("nan")},
        {"quantity": float("inf")},
    ],
    "bundles": [{"quantity": Decimal(-1)}, {"metering": "unlimited"}],
    "exchange_rates": [{"rate": Decimal(0)}, {"rate": Decimal(-1)}, {"currency": "Euro"}],
}
_UNREADABLE: dict[str, list[Row]] = {
    "invoices": [
        {"quantity": "a dozen"},
        {"invoice_date": "2026-02-30"},
        {"unit_price": "12,50"},
        {"term_months": "one year"},
    ],
    "entitlements": [
        {"quantity": "unlimited"},
        {"starts_on": "next month"},
        {"amendment": "first"},
    ],
    "telemetry": [{"quantity": "some"}, {"event_ts": "yesterday"}, {"quantity": "3 GiB"}],
    "bundles": [{"quantity": "as needed"}],
    "accounts": [],
    "exchange_rates": [{"rate": "1,08"}, {"valid_from": "Q3"}],
}


def missing_value(table: str, row: Row, turn: int, day: date) -> Row:
    """A row without one of its required values: each of them in turn, null and then blank."""
    required = [name for name in SCHEMAS[table].names if name not in OPTIONAL[table]]
    blank, place = divmod(turn, len(required))
    is_text = pa.types.is_string(SCHEMAS[table].field(required[place]).type)
    return row | {required[place]: "  " if is_text and blank % 2 else None}


def out_of_range(table: str, row: Row, turn: int, day: date) -> Row:
    """A row with a value that a rule forbids."""
    return row | _OUT_OF_RANGE[table][turn % len(_OUT_OF_RANGE[table])]


def wrong_day(table: str, row: Row, turn: int, day: date) -> Row:
    """A row of another day than its dump."""
    if table == "invoices":
        return row | {"invoice_date": day + timedelta(1 + turn % 30)}
    return row | {"event_ts": row["event_ts"] + timedelta(1 if turn % 2 else -1)}


def invalid_customer_id(table: str, row: Row, turn: int, day: date) -> Row:
    """A row of a customer whose identifier somebody wrote by hand."""
    customer = f"{('cust-', 'CUST_', '#')[turn % 3]}{100_001 + turn % 10}"
    return row | _owned(row, customer, "Written By Hand", f"DEP-H{turn % 30:05d}")


def unusual_quantity(table: str, row: Row, turn: int, day: date) -> Row:
    """A row of a customer that tests how much of the first product is too much."""
    amount = 1_000_001 + 250_000 * (turn % 5)
    quantity = float(amount) if table == "telemetry" else Decimal(amount)
    row = row | _owned(row, "CUST-999999", "Load Test", "DEP-L00001") | {"quantity": quantity}
    what = products_of(1)
    product = {
        "product_id": what.product_id[0],
        "product_name": what.product_name[0],
        "unit": what.unit[0],
        "metering": what.metering[0],
    }
    return row | {name: value for name, value in product.items() if name in row}


def zero_quantity(table: str, row: Row, turn: int, day: date) -> Row:
    """A row that sells nothing."""
    return row | {"quantity": Decimal(0)}


def credit(table: str, row: Row, turn: int, day: date) -> Row:
    """A row that takes back what was sold."""
    return row | {"quantity": -abs(row["quantity"]) or Decimal(-1)}


def duplicate_key(table: str, row: Row, turn: int, day: date) -> Row:
    """A row again: the same, with less, or (a reading) with more but of an earlier moment."""
    if turn % 3 == 1 and "quantity" in row:
        return row | {"quantity": row["quantity"] / 2}
    if turn % 3 and table == "telemetry" and row["event_ts"].time().second:
        earlier = row["event_ts"] - timedelta(seconds=1)
        return row | {"event_ts": earlier, "quantity": row["quantity"] * 2}
    return row


def unreadable_value(table: str, row: Row, turn: int) -> list[str]:
    """The fields of a line with a value that cannot be read, too few, or too many of them."""
    fields = {name: "" if value is None else str(value) for name, value in row.items()}
    variants = _UNREADABLE[table]
    variant = turn % (len(variants) + 2)
    if variant < len(variants):
        return list((fields | variants[variant]).values())
    kept = max(1, len(fields) - 3)
    return list(fields.values())[:kept] if variant == len(variants) else [*fields.values(), "", "7"]


def _owned(row: Row, customer_id: str, customer_name: str, deployment_id: str) -> Row:
    """What tells whose row it is, as far as its table has it."""
    owner = {
        "customer_id": customer_id,
        "customer_name": customer_name,
        "deployment_id": deployment_id,
    }
    return {name: value for name, value in owner.items() if name in row}


Damage: TypeAlias = Callable[[str, Row, int, date], Row]

_WRONG: dict[str, Damage] = {
    "missing_value": missing_value,
    "out_of_range": out_of_range,
    "duplicate_key": duplicate_key,
}
_EVERYWHERE = _WRONG | {
    "invalid_customer_id": invalid_customer_id,
    "unusual_quantity": unusual_quantity,
}
KINDS: dict[str, dict[str, Damage]] = {
    "invoices": _EVERYWHERE
    | {"wrong_day": wrong_day, "zero_quantity": zero_quantity, "credit": credit},
    "entitlements": _EVERYWHERE | {"zero_quantity": zero_quantity},
    "telemetry": _EVERYWHERE | {"wrong_day": wrong_day},
    "bundles": _WRONG,
    "accounts": {
        "missing_value": missing_value,
        "duplicate_key": duplicate_key,
        "invalid_customer_id": invalid_customer_id,
    },
    "exchange_rates": _WRONG,
}
