"""The closed vocabularies of the mart: quarantine reasons, warning codes, bands (spec 2 and 4)."""

from collections.abc import Mapping
from itertools import chain, combinations

import ibis
import ibis.expr.types as ir

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
    "conflicting_metering": "entitlements disagree on the product's unit or metering",
    "invalid_customer_id": "customer_id is not CUST-<digits>",
    "moved_deployment": "usage under more than one customer",
    "never_invoiced": "no invoice line names the product",
    "unentitled_usage": "usage of what the customer is not entitled to",
    "unknown_customer": "the customer was never invoiced (an inferred member)",
    "unusual_quantity": "quantity is over 1,000,000",
    "zero_quantity": "quantity is 0",
}
"""What makes a kept row suspicious."""

BANDS = {
    "unentitled": "nothing was entitled in the 30 days",
    "unused": "nothing was used in the 30 days",
    "over": "consumption of 100 % or more",
    "healthy": "70 % or more",
    "low": "30 % or more",
    "at_risk": "below 30 %",
}
"""The executives' reading of consumption_30d; the first that holds counts, in this order."""

METERINGS = ("capacity", "consumable")


def warning_lists(codes: tuple[str, ...]) -> list[str]:
    """Every value that meta__warnings can have where only `codes` can occur."""
    ordered = sorted(codes)
    subsets = chain.from_iterable(
        combinations(ordered, size) for size in range(len(ordered), -1, -1)
    )
    return [";".join(subset) for subset in subsets]


def flag(conditions: Mapping[str, ir.BooleanValue]) -> ir.StringValue:
    """The value of meta__warnings: the codes whose condition holds.

    Args:
        conditions: warning code → condition; a null condition does not hold.

    Returns:
        Semicolon-separated codes in alphabetical order, an empty string where none holds (spec 2).
    """
    holds = {code: condition.fill_null(False) for code, condition in conditions.items()}
    branches = []
    for codes in warning_lists(tuple(holds))[:-1]:
        branches.append((ibis.and_(*(holds[code] for code in codes.split(";"))), codes))
    # most rows are clean: for them each condition is evaluated once, not once for each branch
    return ibis.or_(*holds.values()).ifelse(ibis.cases(*branches), "")
