"""Dirt: a few more rows in a dump that are wrong or suspicious, and change no honest figure.

The kinds of dirt take turns, day after day, so that a lake of some weeks has each of them.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from .contract import SCHEMAS
from .damage import KINDS, Row, unreadable_value

SNAPSHOTS = ("bundles", "accounts", "exchange_rates")
_FEW = 40  # of which one may be dirty


@dataclass(frozen=True)
class Dump:
    """The clean rows of a table's dump, and those of all its dumps until then."""

    table: str
    day: date
    rows: Any
    known: Any


@dataclass(frozen=True)
class Dirt:
    """Rows to be added to a dump, and lines that only a text file can hold."""

    rows: list[Row] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)


def turns(table: str, share: float, rows: int, days: int, place: int) -> range:
    """The numbers of the dirty rows of a day, when all days together have so many clean rows.

    They are of each kind, unless the table is so small that they would be too many.
    """
    if not share:
        return range(0)
    each_kind = len(KINDS[table]) + 1
    if table in SNAPSHOTS:
        each_kind = min(each_kind, 1 + rows // _FEW)
    total = max(each_kind, round(rows * share))
    return range(total * place // days, total * (place + 1) // days)


def dirty(random: np.random.Generator, dump: Dump, numbers: range) -> Dirt:
    """The dirty rows of these numbers for this dump."""
    made, kinds = Dirt(), list(KINDS[dump.table].items())
    if not numbers or not dump.known.num_rows:
        return made
    at_random = random.integers(0, dump.known.num_rows, len(numbers))
    models = dump.known.take(pa.array(at_random)).to_pylist()
    for number, model in zip(numbers, models, strict=True):
        turn, kind = divmod(number, len(kinds) + 1)
        if kind == len(kinds):
            row = _fresh(dump.table, model, number)
            made.lines.append(unreadable_value(dump.table, row, turn))
            continue
        name, damage = kinds[kind]
        if name != "duplicate_key":
            row = _fresh(dump.table, model, number)
        elif dump.rows.num_rows:
            row = dump.rows.slice(int(random.integers(0, dump.rows.num_rows)), 1).to_pylist()[0]
        else:  # then what was posted last is posted again, twice
            row = dump.known.slice(dump.known.num_rows - 1).to_pylist()[0]
            made.rows.append(row)
        made.rows.append(damage(dump.table, row, turn, dump.day))
    return made


def with_rows(dump: Dump, rows: list[Row]) -> Any:
    """The rows of the dump and these after them."""
    if not rows:
        return dump.rows
    added = pa.Table.from_pylist(rows, SCHEMAS[dump.table])
    for place, column in enumerate(dump.rows.schema):
        if pa.types.is_dictionary(column.type):
            coded = added.column(place).dictionary_encode()
            added = added.set_column(place, column.name, coded)
    return pa.concat_tables([dump.rows, added]).unify_dictionaries()


def _fresh(table: str, model: Row, number: int) -> Row:
    """The same under a key that no other row has."""
    if table == "invoices":
        return model | {"invoice_id": f"INV-X{number:06d}", "line_number": 1}
    if table == "entitlements":
        fresh = {"entitlement_id": f"ENT-X{number:06d}", "amendment": 0, "invoice_id": None}
        return model | fresh
    keys = {
        "telemetry": {"event_id": f"x{number:011d}"},
        "bundles": {"bundle_id": f"BUND-X{number:03d}"},
        "accounts": {"customer_id": f"CUST-8{number:05d}"},
        "exchange_rates": {"currency": "XTS"},  # of ISO 4217, for tests
    }
    return model | keys[table]
