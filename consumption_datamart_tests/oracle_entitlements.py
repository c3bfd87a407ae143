"""Sections 3 and 7 of the spec: what is in force on which days, and what it entitles to."""

import calendar
import math
from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from consumption_datamart_tests.oracle_tables import OPEN_END, Raw, Row, grouped

MONTHS = {"month": 1, "quarter": 3, "year": 12}


def bundle_ids(raw: Raw) -> set[str]:
    """Section 7: the products that are bundles."""
    return {row["bundle_id"] for row in raw["bundles"]}


def taken_apart(raw: Raw) -> list[Row]:
    """Section 7, bundles: a row for each amendment and product; of a bundle for each component.

    A component that is itself a bundle is not taken apart.
    """
    components = grouped(raw["bundles"], "bundle_id")
    rows = []
    for amendment in raw["entitlements"]:
        if (amendment["product_id"],) not in components:
            rows.append(amendment | {"bundle_id": None})
        for component in components.get((amendment["product_id"],), []):
            unlimited = amendment["metering"] == "unlimited"
            rows.append(
                amendment
                | {
                    "product_id": component["product_id"],
                    "bundle_id": component["bundle_id"],
                    "quantity": amendment["quantity"] * component["quantity"],
                    "unit": component["unit"],
                    "metering": "unlimited" if unlimited else component["metering"],
                }
            )
    return rows


def days_in_force(amendment: Row, of_its_entitlement: list[Row]) -> tuple[date, date] | None:
    """Section 3: from which day an amendment is in force and until which; None if on no day.

    It is on a day d when starts_on ≤ d < ends_on and no later one has starts_on ≤ d.
    """
    later_starts = [
        other["starts_on"]
        for other in of_its_entitlement
        if other["amendment"] > amendment["amendment"]
    ]
    first, end = amendment["starts_on"], min([amendment["ends_on"], *later_starts])
    return (first, end) if first < end else None


def in_force(raw: Raw) -> list[Row]:
    """What is in force on any day, after bundles are taken apart: with first_day and end_day."""
    of_entitlement = grouped(raw["entitlements"], "entitlement_id")
    rows = []
    for row in taken_apart(raw):
        days = days_in_force(row, of_entitlement[row["entitlement_id"],])
        if days:
            rows.append(row | {"first_day": days[0], "end_day": days[1]})
    return rows


def months_after(anchor: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    if year > OPEN_END.year:
        return OPEN_END
    if year < date.min.year:
        return date.min
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last))


def periods(anchor: date, period: str, first: date, end: date) -> Iterator[tuple[date, date]]:
    """Section 7: the periods, counted from the anchor, that share days with first ≤ day < end."""
    length = MONTHS[period]
    months = (first.year - anchor.year) * 12 + first.month - anchor.month
    number = months // length - 1
    while months_after(anchor, number * length) < end:
        starts_on = months_after(anchor, number * length)
        ends_on = months_after(anchor, (number + 1) * length)
        if first < ends_on:
            yield starts_on, ends_on
        number += 1
        if starts_on == OPEN_END:
            return


def anchor_of(row: Row, of_its_entitlement: list[Row]) -> date:
    """Section 7: starts_on of the entitlement's lowest amendment with that period."""
    with_period = [other for other in of_its_entitlement if other["period"] == row["period"]]
    return min(with_period, key=lambda other: other["amendment"])["starts_on"]


def daily(row: Row) -> Fraction | None:
    """Section 7: what a row entitles to a day, exactly; null when without limit."""
    if row["metering"] == "unlimited":
        return None
    if row["metering"] == "capacity":
        return Fraction(row["quantity"])
    whole = row["period_ends_on"] - row["period_starts_on"]
    return Fraction(row["quantity"]) / whole.days


def dim_entitlement(raw: Raw, last_day: date) -> list[Row]:
    """Section 7: a row for each amendment, product and period, with the days in force in it.

    Periods are told that begin on or before last_day, and the first of those in force.
    """
    of_entitlement = grouped(raw["entitlements"], "entitlement_id")
    rows = []
    for row in in_force(raw):
        spans = [(row["starts_on"], row["ends_on"])]
        if row["metering"] == "consumable" and row["period"]:
            anchor = anchor_of(row, of_entitlement[row["entitlement_id"],])
            spans = []
            for span in periods(anchor, row["period"], row["first_day"], row["end_day"]):
                if spans and span[0] > last_day:
                    break
                spans.append(span)
        rows += [_with_period(row, starts_on, ends_on) for starts_on, ends_on in spans]
    return rows


def _with_period(row: Row, period_starts_on: date, period_ends_on: date) -> Row:
    names = ("source", "entitlement_id", "amendment", "invoice_id", "customer_id", "product_id")
    more = ("bundle_id", "quantity", "unit", "metering", "period", "starts_on", "ends_on")
    whole = {
        **{name: row[name] for name in (*names, *more)},
        "period_starts_on": period_starts_on,
        "period_ends_on": period_ends_on,
        "valid_from": max(row["first_day"], period_starts_on),
        "valid_to": min(row["end_day"], period_ends_on),
    }
    a_day = daily(whole)
    return whole | {"daily_quantity": None if a_day is None else float(a_day)}


def fact_entitlement_daily(entitlements: list[Row], days: list[date]) -> list[Row]:
    """Section 3: what is entitled on each day, summed over what is in force and not unlimited."""
    rows = []
    for day in days:
        valid = [row for row in entitlements if row["valid_from"] <= day < row["valid_to"]]
        for (customer_id, product_id), summed in grouped(
            valid, "customer_id", "product_id"
        ).items():
            limited = [row for row in summed if row["metering"] != "unlimited"]
            rows.append(
                {
                    "day": day,
                    "customer_id": customer_id,
                    "product_id": product_id,
                    "entitled_quantity": math.fsum(row["daily_quantity"] for row in limited),
                    "entitlement_count": len(summed),
                    "is_unlimited": len(limited) < len(summed),
                }
            )
    return rows
