"""Sections 1, 2 and 7 of the spec: the contract's rules for one row, and what flags a row."""

import re
from datetime import date

Row = dict[str, object]


def is_out_of_range(table: str, row: Row) -> bool:
    """Sections 1 and 7: whether a row breaks a rule of the contract's table."""
    if table == "invoices":
        return (
            row["line_number"] < 1
            or row["invoice_date"] < date(1900, 1, 2)
            or row["unit_price"] < 0
            or row["term_months"] < 0
            or not is_currency(row["currency"])
        )
    if table == "entitlements":
        return (
            row["quantity"] < 0
            or row["amendment"] < 0
            or row["metering"] not in ("capacity", "consumable", "unlimited")
            or row["period"] not in (None, "month", "quarter", "year")
            or row["starts_on"] > row["ends_on"]
            or (row["metering"] == "consumable" and not row["period"] and is_over_a_century(row))
        )
    if table == "telemetry":
        return not 0 <= row["quantity"] <= 1e15
    if table == "bundles":
        return row["quantity"] < 0 or row["metering"] not in ("capacity", "consumable")
    if table == "exchange_rates":
        return row["rate"] <= 0 or not is_currency(row["currency"])
    return False


def is_currency(text: str) -> bool:
    """Section 1: whether a text has the form of an ISO 4217 code."""
    return re.fullmatch("[A-Z]{3}", text) is not None


def is_over_a_century(row: Row) -> bool:
    """Section 2: whether a term is over 100 years."""
    starts, ends = row["starts_on"], row["ends_on"]
    return (ends.year - 100, ends.month, ends.day) > (starts.year, starts.month, starts.day)


def is_wrong_day(table: str, row: Row, dump_day: date) -> bool:
    """Section 1: an invoice dated after its dump, or usage of another day than its dump's."""
    if table == "invoices":
        return row["invoice_date"] > dump_day
    return table == "telemetry" and row["event_ts"].date() != dump_day


def raw_warnings(table: str, row: Row) -> str:
    """Section 2: the codes that flag a kept row, in alphabetical order."""
    codes = []
    quantity = row.get("quantity")
    if "customer_id" in row and re.fullmatch("CUST-[0-9]+", row["customer_id"]) is None:
        codes.append("invalid_customer_id")
    if quantity is not None and quantity > 1_000_000:
        codes.append("unusual_quantity")
    if table == "invoices" and quantity < 0:
        codes.append("credit")
    if quantity == 0 and (
        table == "invoices" or (table == "entitlements" and row["amendment"] == 0)
    ):
        codes.append("zero_quantity")
    return ";".join(sorted(codes))
