"""Sections 4 and 8 of the spec, sentence by sentence: the reports of customers by day."""

import math
from datetime import date, timedelta

from consumption_datamart_tests.oracle_tables import Row, customer_on, distinct, grouped

ABSENT = {"band": "absent", "consumption_30d": None}


def window_of(rows: list[Row], day: date) -> list[Row]:
    """The rows of the 30 days ending that day."""
    return [row for row in rows if day - timedelta(days=30) < row["day"] <= day]


def sums_of(window: list[Row], day: date, silence_unknown: bool) -> Row:
    """Section 8: what one customer used of one product in a window, and its band."""
    limited = [row for row in window if not row["is_unlimited"]]
    return judged(
        {
            "entitled_30d": math.fsum(row["entitled_quantity"] for row in limited),
            "used_30d": math.fsum(row["used_quantity"] for row in window),
            "used_limited_30d": math.fsum(row["used_quantity"] for row in limited),
            "is_unlimited": any(row["is_unlimited"] for row in window if row["day"] == day),
            "days_reported": sum(row["deployment_count"] > 0 for row in window),
        },
        silence_unknown,
    )


def judged(sums: Row, silence_unknown: bool) -> Row:
    """Section 8: sums with their ratio and their band."""
    has_ratio = sums["entitled_30d"] > 0 and not sums["is_unlimited"]
    ratio = sums["used_limited_30d"] / sums["entitled_30d"] if has_ratio else None
    return sums | {"consumption_30d": ratio, "band": band_of(sums, ratio, silence_unknown)}


def band_of(sums: Row, ratio: float | None, silence_unknown: bool) -> str:
    """Section 8: the first band that holds; the ratio is compared at 9 decimals."""
    if sums["is_unlimited"]:
        return "unlimited"
    if sums["entitled_30d"] == 0:
        return "unentitled"
    if sums["used_30d"] == 0:
        silent = sums["days_reported"] == 0 and silence_unknown
        return "no_telemetry" if silent else "unused"
    if round(ratio, 9) >= 1.0:
        return "over"
    if round(ratio, 9) >= 0.7:
        return "healthy"
    if round(ratio, 9) >= 0.3:
        return "low"
    return "at_risk"


def report_consumption_daily(
    consumption: list[Row], customers: list[Row], products: dict[str, Row], days: list[date]
) -> list[Row]:
    """Sections 4 and 8: the 30 days ending each day, wherever entitled, used or unlimited."""
    rows = []
    for (customer_id, product_id), of_both in grouped(
        consumption, "customer_id", "product_id"
    ).items():
        product = products[product_id]
        for day in days:
            sums = sums_of(window_of(of_both, day), day, product["silence_unknown"])
            if sums["entitled_30d"] > 0 or sums["used_30d"] > 0 or sums["is_unlimited"]:
                rows.append(
                    {
                        "day": day,
                        "customer_id": customer_id,
                        "customer_name": customer_on(customers, customer_id, day)["customer_name"],
                        "product_id": product_id,
                        "product_name": product["product_name"],
                        **sums,
                    }
                )
    return rows


def report_active_customers_by_product_daily(
    usage: list[Row], customers: list[Row], products: dict[str, Row], days: list[date]
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
                    "product_name": products[product_id]["product_name"],
                    "customer_id": customer_id,
                    "customer_name": customer_on(customers, customer_id, day)["customer_name"],
                }
            )
    return rows


def report_band_changes(
    report: list[Row], customers: list[Row], products: dict[str, Row], days: list[date]
) -> list[Row]:
    """Section 8: whose band differs from that 30 days before, absent where there is no row."""
    found = {(row["day"], row["customer_id"], row["product_id"]): row for row in report}
    rows = []
    for day in days[30:]:
        for customer_id, product_id in distinct(report, "customer_id", "product_id"):
            earlier = day - timedelta(days=30)
            before = found.get((earlier, customer_id, product_id), ABSENT)
            now = found.get((day, customer_id, product_id), ABSENT)
            if before["band"] != now["band"]:
                rows.append(
                    {
                        "day": day,
                        "customer_id": customer_id,
                        "customer_name": customer_on(customers, customer_id, day)["customer_name"],
                        "product_id": product_id,
                        "product_name": products[product_id]["product_name"],
                        "band_before": before["band"],
                        "band": now["band"],
                        "consumption_before": before["consumption_30d"],
                        "consumption_30d": now["consumption_30d"],
                    }
                )
    return rows
