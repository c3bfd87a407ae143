"""The closed vocabularies of the mart: quarantine reasons, warning codes, bands (spec 2 and 4)."""

import operator
from collections.abc import Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir
from pandera.api.extensions import register_check_method
from pandera.api.ibis.types import IbisData

QUARANTINE_REASONS = {
    "unreadable_value": (
        "a value is there but cannot be read as the contract's type, or the line is malformed"
    ),
    "missing_value": "a required value is null or blank",
    "out_of_range": "a value breaks a rule of the contract",
    "wrong_day": "invoice_date is after the dump's day, or event_ts is not on it",
    "duplicate_key": "another row of the same dump has the same key and was kept",
}
"""Why a row is set aside; the first that holds counts, in this order."""

WARNING_CODES = {
    "account_cycle": "following parents from the customer leads in a circle",
    "before_history": "it began before the mart's first day; use before is estimated",
    "credit": "quantity is below 0",
    "conflicting_metering": "entitlements disagree on the product's unit or metering",
    "invalid_customer_id": "customer_id is not `CUST-` and digits",
    "moved_deployment": "usage under more than one customer",
    "nested_bundle": "the product is a bundle and a component of one: it is not taken apart there",
    "never_invoiced": "no invoice line names the product",
    "no_exchange_rate": "an invoice line is in a currency that has no exchange rate",
    "unentitled_usage": "usage of what the customer is not entitled to",
    "unit_mismatch": "usage is counted in another unit than the product",
    "unknown_customer": "the customer was never invoiced (an inferred member)",
    "unusual_quantity": "quantity is over 1,000,000",
    "zero_quantity": "quantity is 0",
}
"""What makes a kept row suspicious."""
NO_FAULT = ("before_history", "before_history;no_exchange_rate", "no_exchange_rate")
"""Values of meta__warnings that say nothing of the data: that much is not known of it."""

BANDS = {
    "unlimited": "the customer is entitled without limit on the day",
    "unentitled": "nothing was entitled in the 30 days",
    "no_telemetry": "no usage was reported, which says nothing of this product",
    "unused": "nothing was used in the 30 days",
    "over": "consumption of 100 % or more",
    "healthy": "70 % or more",
    "low": "30 % or more",
    "at_risk": "below 30 %",
}
"""The executives' reading of consumption_30d; the first that holds counts, in this order."""

ABSENT = "absent"
"""Stands for the band of a customer and product that have no row in the report."""

STATUSES = {
    "covered": "the customer is also entitled to the product without limit",
    "exhausted": "all of it is used up",
    "no_telemetry": "no usage was reported, which says nothing of this product",
    "too_early": "fewer than 30 days, and less than a third of it, have passed",
    "overrunning": "at this rate 100 % or more will be used",
    "on_track": "70 % or more",
    "underused": "30 % or more",
    "at_risk": "less than 30 %",
    "unused": "nothing is used",
}
"""Where a commitment is heading; the first that holds counts, in this order."""

METERINGS = ("capacity", "consumable")
UNLIMITED = "unlimited"
"""The metering of an entitlement, of no product: it entitles whatever the quantity is."""
PERIODS = ("month", "quarter", "year")
SEPARATOR = ";"
"""Between the codes of one row."""


def flag(conditions: Mapping[str, ir.BooleanValue]) -> ir.StringValue:
    """The value of meta__warnings: the codes whose condition holds.

    Args:
        conditions: warning code → condition; a null condition does not hold.

    Returns:
        Semicolon-separated codes in alphabetical order, an empty string where none holds (spec 2).
    """
    if not conditions:
        return ibis.literal("")
    holds = [conditions[code].fill_null(False) for code in sorted(conditions)]
    parts = [
        condition.ifelse(f"{SEPARATOR}{code}", "")
        for code, condition in zip(sorted(conditions), holds, strict=True)
    ]
    # most rows are clean: for them nothing is put together
    longest = sum(len(code) + 1 for code in conditions)
    return ibis.or_(*holds).ifelse(reduce(operator.add, parts).substr(1, longest), "")


def has_code(warnings: ir.StringValue, code: str) -> ir.BooleanValue:
    """Whether a value of meta__warnings has the code; one code may be part of another's name."""
    found = (SEPARATOR + warnings + SEPARATOR).contains(f"{SEPARATOR}{code}{SEPARATOR}")
    # most rows are clean: for them nothing is put together
    return (warnings == "").ifelse(False, found)


@register_check_method(statistics=["codes"])  # type: ignore[untyped-decorator]
def lists_codes(data: IbisData, *, codes: Sequence[str]) -> ir.BooleanValue:
    """Whether a column holds what `flag` gives for some of the codes."""
    value = data.table[data.key]
    return value == flag({code: has_code(value, code) for code in codes})
