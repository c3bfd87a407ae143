"""Section 7: usage in another unit than the product's."""

from datetime import date

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of, used
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage

OCTOBER = date(2026, 10, 1)
AS_DAY = OCTOBER.isoformat()


CASES = [
    Case(
        "what is used in MiB of what is entitled in GiB is flagged, not converted",
        lake(
            dump("invoices", AS_DAY, [invoice(invoice_date=OCTOBER, product_id="P1")]),
            dump(
                "entitlements",
                AS_DAY,
                [
                    entitlement(
                        product_id="P1",
                        quantity=1000,
                        unit="GiB",
                        starts_on=OCTOBER,
                        ends_on=date(2027, 10, 1),
                    )
                ],
            ),
            dump(
                "telemetry",
                AS_DAY,
                [usage(event_ts=noon(274), product_id="P1", quantity=500_000.0, unit="MiB")],
            ),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                "day customer_id product_id entitled_quantity used_quantity consumption_ratio "
                "meta__warnings",
                (OCTOBER, "CUST-1", "P1", 1000.0, 500_000.0, 500.0, "unit_mismatch"),
            )
        },
    ),
    Case(
        "one event in another unit flags its customer's day of the product, no other",
        lake(
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="1"),
                    entitlement(entitlement_id="2", customer_id="CUST-2"),
                ],
            ),
            dump(
                "telemetry",
                5,
                [
                    used(5, 1, event_id="1", deployment_id="1"),
                    used(5, 1, event_id="2", deployment_id="1", unit="wCPU"),
                    used(5, 1, deployment_id="2"),
                    used(5, 1, deployment_id="3", customer_id="CUST-2"),
                    used(5, 1, deployment_id="4", product_id="free", unit="GiB"),
                    used(5, 1, deployment_id="5", product_id="free", unit="MiB", customer_id="C"),
                ],
            ),
            dump("telemetry", 6, [used(6, 1)]),
        ),
        {
            "mart.fact_usage_daily": table_of(
                "day deployment_id unit unit_count",
                (day(5), "1", "vCPU", 2),
                (day(5), "2", "vCPU", 1),
                (day(5), "3", "vCPU", 1),
                (day(5), "4", "GiB", 1),
                (day(5), "5", "MiB", 1),
                (day(6), "DEP-1", "vCPU", 1),
            ),
            "mart.fact_consumption_daily": table_of(
                "day customer_id product_id meta__warnings",
                (day(5), "CUST-1", "db", "unit_mismatch"),
                (day(5), "CUST-2", "db", ""),
                (day(5), "CUST-1", "free", "unentitled_usage"),
                (day(5), "C", "free", "unentitled_usage;unit_mismatch"),
                (day(6), "CUST-1", "db", ""),
                (day(6), "CUST-2", "db", ""),
            ),
        },
    ),
]
