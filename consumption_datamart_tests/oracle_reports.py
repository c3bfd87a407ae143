"""Section 4 of the spec, sentence by sentence: the reports."""

import math
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from consumption_datamart_tests.oracle_mart import customer_on, distinct, in_force, least

Row = dict[str, object]


def window_of(rows: list[Row], day: date) -> list[Row]:
    """The rows of the 30 days ending that day."""
    return [row for row in rows if day - timedelta(days=30) < row["day"] <= day]


def consumption_of(window: list[Row], customer_id: str, product_id: str) -> Row:
    """Section 4: both sums of a window, their ratio and its band."""
    rows = [
        row
        for row in window
        if row["customer_id"] == customer_id and row["product_id"] == product_id
    ]
    entitled = math.fsum(row["entitled_quantity"] for row in rows)
    used = math.fsum(row["used_quantity"] for row in rows)
    return {
        "entitled_30d": entitled,
        "used_30d": used,
        "consumption_30d": used / entitled if entitled > 0 else None,
        "band": band_of(entitled, used),
    }


def band_of(entitled: float, used: float) -> str:
    """Section 4: the first band that holds; the ratio is compared at 9 decimals."""
    if entitled == 0:
        return "unentitled"
    if used == 0:
        return "unused"
    ratio = round(used / entitled, 9)
    if ratio >= 1.0:
        return "over"
    if ratio >= 0.7:
        return "healthy"
    if ratio >= 0.3:
        return "low"
    return "at_risk"


def report_consumption_daily(
    consumption: list[Row], customers: list[Row], product_names: dict[str, str], days: list[date]
) -> list[Row]:
    """Section 4: the 30 days ending each day, wherever something was entitled or used."""
    rows = []
    for day in days:
        window = window_of(consumption, day)
        for customer_id, product_id in distinct(window, "customer_id", "product_id"):
            sums = consumption_of(window, customer_id, product_id)
            if sums["entitled_30d"] > 0 or sums["used_30d"] > 0:
                rows.append(
                    {
                        "day": day,
                        "customer_id": customer_id,
                        "customer_name": customer_on(customers, customer_id, day)["customer_name"],
                        "product_id": product_id,
                        "product_name": product_names[product_id],
                        **sums,
                    }
                )
    return rows


def report_active_customers_by_product_daily(
    usage: list[Row], customers: list[Row], product_names: dict[str, str], days: list[date]
) -> list[Row]:
    """Section 4: who used a product on any of the 30 days ending each day."""
    rows = []
    for day in days:
        active = [row for row in window_of(usage, day) if row["total_quantity"] > 0]
        for customer_id, product_id in distinct(active, "customer_id", "product_id"):
            rows.append(
                {
                    "day": day,
                    "product_id": product_id,
                    "product_name": product_names[product_id],
                    "customer_id": customer_id,
                    "customer_name": customer_on(customers, customer_id, day)["customer_name"],
                }
            )
    return rows


def report_renewals(
    raw: dict[str, list[Row]],
    consumption: list[Row],
    invoice_lines: list[Row],
    customers: list[Row],
    product_names: dict[str, str],
    last_day: date,
) -> list[Row]:
    """Section 4: the amendments in force on the last day that end within 90 days."""
    rows = []
    for amendment in in_force(raw["entitlements"], last_day):
        days_left = (amendment["ends_on"] - last_day).days
        if amendment["quantity"] > 0 and days_left <= 90:
            customer_id, product_id = amendment["customer_id"], amendment["product_id"]
            sums = consumption_of(window_of(consumption, last_day), customer_id, product_id)
            lines = [
                line
                for line in invoice_lines
                if line["invoice_id"] == amendment["invoice_id"]
                and line["product_id"] == product_id
            ]
            rows.append(
                {
                    "source": amendment["source"],
                    "entitlement_id": amendment["entitlement_id"],
                    "customer_id": customer_id,
                    "customer_name": customer_on(customers, customer_id, last_day)["customer_name"],
                    "product_id": product_id,
                    "product_name": product_names[product_id],
                    "quantity": amendment["quantity"],
                    "unit": amendment["unit"],
                    "ends_on": amendment["ends_on"],
                    "days_left": days_left,
                    "consumption_30d": sums["consumption_30d"],
                    "band": sums["band"],
                    "annual_value": annual_value(lines),
                    "currency": least([line["currency"] for line in lines]),
                    "at_risk": sums["band"] in ("unused", "at_risk"),
                }
            )
    return rows


def annual_value(lines: list[Row]) -> float | None:
    """Section 4: what the invoice's lines are worth a year; null without a line with a term."""
    with_term = [line for line in lines if line["term_months"] > 0]
    if not with_term:
        return None
    total = sum(amount_a_month(line["amount"], line["term_months"]) for line in with_term)
    return float(total * 12)


def amount_a_month(amount: Decimal, term_months: int) -> Fraction:
    """Spread an amount over its months, exactly."""
    return Fraction(amount) / term_months
