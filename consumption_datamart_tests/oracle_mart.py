"""Section 3 of the spec, sentence by sentence: days and facts."""

import math
from datetime import date

from consumption_datamart_tests.oracle_tables import (
    Raw,
    Row,
    codes,
    customer_on,
    days_between,
    distinct,
    grouped,
    least,
)

DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def dim_day() -> list[Row]:
    """Section 3: every day of 2020 to 2039."""
    return [
        {
            "day": day,
            "day_of_week": day.isoweekday(),
            "day_name": DAY_NAMES[day.isoweekday() - 1],
            "is_weekend": day.isoweekday() in (6, 7),
            "iso_year": day.isocalendar()[0],
            "iso_week": day.isocalendar()[1],
            "month": day.month,
            "month_name": MONTH_NAMES[day.month - 1],
            "quarter": (day.month + 2) // 3,
            "year": day.year,
            "month_start": date(day.year, day.month, 1),
        }
        for day in days_between(date(2020, 1, 1), date(2039, 12, 31))
    ]


def usage_by_unit_daily(raw: Raw) -> list[Row]:
    """Usage of a day, deployment, customer, product and unit."""
    names = ("dump_day", "deployment_id", "customer_id", "product_id", "unit")
    rows = []
    for values, events in grouped(raw["telemetry"], *names).items():
        quantities = [event["quantity"] for event in events]
        rows.append(
            {
                **dict(zip(("day", *names[1:]), values, strict=True)),
                "infrastructure": least([event["infrastructure"] for event in events]),
                "total_quantity": sum(quantities),
                "peak_quantity": max(quantities),
                "event_count": len(events),
            }
        )
    return rows


def fact_invoice_line(raw: Raw, customers: list[Row]) -> list[Row]:
    """Section 3: every invoice line, its customer as of the invoice's date."""
    return [
        {
            "source": line["source"],
            "invoice_id": line["invoice_id"],
            "line_number": line["line_number"],
            "day": line["invoice_date"],
            "customer_key": customer_on(customers, line["customer_id"], line["invoice_date"])[
                "customer_key"
            ],
            "customer_id": line["customer_id"],
            "product_id": line["product_id"],
            "quantity": line["quantity"],
            "unit_price": line["unit_price"],
            "amount": line["quantity"] * line["unit_price"],
            "currency": line["currency"],
            "term_months": line["term_months"],
        }
        for line in raw["invoices"]
    ]


def fact_usage_daily(raw: Raw) -> list[Row]:
    """Section 3: the usage of a deployment by a customer and of a product, by day."""
    rows = []
    names = ("dump_day", "deployment_id", "customer_id", "product_id")
    for values, events in grouped(raw["telemetry"], *names).items():
        quantities = [event["quantity"] for event in events]
        rows.append(
            {
                **dict(zip(("day", *names[1:]), values, strict=True)),
                "infrastructure": least([event["infrastructure"] for event in events]),
                "total_quantity": math.fsum(quantities),
                "peak_quantity": max(quantities),
                "event_count": len(events),
                "unit": least([event["unit"] for event in events]),
                "unit_count": len(distinct(events, "unit")),
            }
        )
    return rows


def fact_consumption_daily(
    entitlements: list[Row], usage: list[Row], products: list[Row]
) -> list[Row]:
    """Sections 3 and 7: what is used of what is entitled, by day, customer and product."""
    rows = []
    product = {row["product_id"]: row for row in products}
    key = ("day", "customer_id", "product_id")
    entitled, used = grouped(entitlements, *key), grouped(usage, *key)
    for values in sorted(entitled.keys() | used.keys()):
        unit, metering = product[values[2]]["unit"], product[values[2]]["metering"]
        deployments = used.get(values, [])
        measure = "peak_quantity" if metering == "capacity" else "total_quantity"
        used_quantity = math.fsum(row[measure] for row in deployments)
        entitled_quantity = math.fsum(row["entitled_quantity"] for row in entitled.get(values, []))
        unlimited = any(row["is_unlimited"] for row in entitled.get(values, []))
        has_ratio = entitled_quantity > 0 and not unlimited
        other_units = [row for row in deployments if row["unit_count"] > 1 or row["unit"] != unit]
        if entitled_quantity > 0 or deployments or unlimited:
            rows.append(
                {
                    **dict(zip(key, values, strict=True)),
                    "entitled_quantity": entitled_quantity,
                    "used_quantity": used_quantity,
                    "consumption_ratio": used_quantity / entitled_quantity if has_ratio else None,
                    "is_unlimited": unlimited,
                    "deployment_count": len(deployments),
                    "meta__warnings": codes(
                        unentitled_usage=entitled_quantity == 0 and not unlimited,
                        unit_mismatch=bool(other_units),
                    ),
                }
            )
    return rows
