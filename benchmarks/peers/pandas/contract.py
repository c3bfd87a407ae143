"""The lake's tables, as the pandas peer reads and judges them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

Rule = Callable[[pd.DataFrame], "pd.Series[bool]"]


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake.

    Attributes:
        kinds: text, number or moment of each column.
        optional: columns that may be null.
        key: identifies a row within a dump.
        preferred: columns whose greatest value decides first among rows with one key.
        in_range: whether a row keeps the contract's rules.
        wrong_day: whether a row is of another day than its dump; None: rows have no day.
        flags: warning code → whether a row has it.
        superseding: whether the row of the latest dump counts for each key.
    """

    kinds: dict[str, str]
    optional: tuple[str, ...]
    key: list[str]
    preferred: list[str]
    in_range: Rule
    wrong_day: Rule | None
    flags: dict[str, Rule]
    superseding: bool


_FLAGS: dict[str, Rule] = {
    "invalid_customer_id": lambda rows: ~rows.customer_id.str.fullmatch("CUST-[0-9]+", na=False),
    "unusual_quantity": lambda rows: rows.quantity > 1_000_000,
}

LAKE_TABLES = {
    "invoices": LakeTable(
        kinds={
            "invoice_id": "text",
            "line_number": "number",
            "invoice_date": "moment",
            "customer_id": "text",
            "customer_name": "text",
            "product_id": "text",
            "product_name": "text",
            "quantity": "number",
            "unit_price": "number",
            "currency": "text",
            "term_months": "number",
        },
        optional=(),
        key=["invoice_id", "line_number"],
        preferred=["quantity"],
        in_range=lambda rows: (
            (rows.line_number >= 1)
            & (rows.unit_price >= 0)
            & (rows.term_months >= 0)
            & rows.currency.str.fullmatch("[A-Z]{3}", na=False)
        ),
        wrong_day=lambda rows: rows.invoice_date > rows.dump_day,
        flags={
            "credit": lambda rows: rows.quantity < 0,
            **_FLAGS,
            "zero_quantity": lambda rows: rows.quantity == 0,
        },
        superseding=True,
    ),
    "entitlements": LakeTable(
        kinds={
            "entitlement_id": "text",
            "amendment": "number",
            "invoice_id": "text",
            "customer_id": "text",
            "product_id": "text",
            "quantity": "number",
            "unit": "text",
            "metering": "text",
            "starts_on": "moment",
            "ends_on": "moment",
        },
        optional=("invoice_id",),
        key=["entitlement_id", "amendment"],
        preferred=["quantity"],
        in_range=lambda rows: (
            (rows.amendment >= 0)
            & (rows.quantity >= 0)
            & rows.metering.isin(["capacity", "consumable"])
            & (rows.starts_on <= rows.ends_on)
        ),
        wrong_day=None,
        flags={
            **_FLAGS,
            "zero_quantity": lambda rows: (rows.quantity == 0) & (rows.amendment == 0),
        },
        superseding=True,
    ),
    "telemetry": LakeTable(
        kinds={
            "event_id": "text",
            "event_ts": "moment",
            "customer_id": "text",
            "deployment_id": "text",
            "product_id": "text",
            "infrastructure": "text",
            "quantity": "number",
            "unit": "text",
        },
        optional=("infrastructure",),
        key=["event_id"],
        preferred=["event_ts", "quantity"],
        in_range=lambda rows: (rows.quantity >= 0) & (rows.quantity < np.inf),
        wrong_day=lambda rows: rows.event_ts.dt.normalize() != rows.dump_day,
        flags=_FLAGS,
        superseding=False,
    ),
}
