"""Section 8 of the spec: report_consumption_daily by account tree, and by product."""

import math

from consumption_datamart_tests.oracle_reports import judged
from consumption_datamart_tests.oracle_tables import Row, customer_on, grouped

SUMS = ("entitled_30d", "used_30d", "used_limited_30d")
BANDS = (
    "over",
    "healthy",
    "low",
    "at_risk",
    "unused",
    "unentitled",
    "unlimited",
    "no_telemetry",
)


def summed(rows: list[Row]) -> Row:
    """The sums of several rows of report_consumption_daily."""
    return {name: math.fsum(row[name] for row in rows) for name in SUMS}


def report_account_consumption_daily(
    report: list[Row], customers: list[Row], products: dict[str, Row]
) -> list[Row]:
    """Section 8: the rows of each account tree together.

    Where some rows are unlimited and some not, the sums are of those that are not.
    """
    tops = {row["customer_id"]: row["top_customer_id"] for row in customers}
    of_accounts = [row | {"top": tops[row["customer_id"]]} for row in report]
    rows = []
    for (day, top, product_id), same in grouped(of_accounts, "day", "top", "product_id").items():
        limited = [row for row in same if not row["is_unlimited"]]
        sums = summed(limited or same) | {
            "is_unlimited": not limited,
            "days_reported": max(row["days_reported"] for row in same),
        }
        rows.append(
            {
                "day": day,
                "top_customer_id": top,
                "top_customer_name": customer_on(customers, top, day)["customer_name"],
                "product_id": product_id,
                "product_name": products[product_id]["product_name"],
                "customers": len(same),
                **judged(sums, products[product_id]["silence_unknown"]),
            }
        )
    return rows


def report_portfolio_daily(report: list[Row], products: dict[str, Row]) -> list[Row]:
    """Section 8: all customers of a product together, and how many are in each band."""
    rows = []
    for (day, product_id), same in grouped(report, "day", "product_id").items():
        sums = summed([row for row in same if not row["is_unlimited"]])
        entitled, used = sums["entitled_30d"], sums["used_limited_30d"]
        rows.append(
            {
                "day": day,
                "product_id": product_id,
                "product_name": products[product_id]["product_name"],
                "customers": len(same),
                **sums,
                "consumption_30d": used / entitled if entitled > 0 else None,
                **{band: sum(row["band"] == band for row in same) for band in BANDS},
            }
        )
    return rows
