"""Section 3: invoice lines, usage, and the usage of what is entitled."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of, used
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage

CONSUMPTION = (
    "day customer_id product_id entitled_quantity used_quantity consumption_ratio meta__warnings"
)
THREE_EVENTS = [
    usage(event_id="1", deployment_id="DEP-1", quantity=3.0, event_ts=noon(5, hour=1)),
    usage(event_id="2", deployment_id="DEP-1", quantity=5.0, event_ts=noon(5, hour=2)),
    usage(event_id="3", deployment_id="DEP-2", quantity=4.0, event_ts=noon(5, hour=3)),
]


CASES = [
    Case(
        "invoice lines and their amounts",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(quantity="2.5", unit_price="0.0001", term_months=0),
                    invoice(line_number=2, invoice_date=day(-30), currency="USD"),
                ],
            )
        ),
        {
            "mart.fact_invoice_line": table_of(
                "invoice_id line_number day customer_id product_id quantity unit_price amount "
                "currency term_months",
                (
                    *("INV-1", 1, day(5), "CUST-1", "db"),
                    *(Decimal("2.5"), Decimal("0.0001"), Decimal("0.00025"), "EUR", 0),
                ),
                (
                    *("INV-1", 2, day(-30), "CUST-1", "db"),
                    *(Decimal(10), Decimal("12.5"), Decimal(125), "USD", 12),
                ),
            )
        },
    ),
    Case(
        "usage of a day: sum, peak and number of events, by deployment, customer and product",
        lake(
            dump(
                "telemetry",
                5,
                [
                    *THREE_EVENTS,
                    usage(event_id="4", quantity=1.0, infrastructure="on_prem", unit="GiB"),
                    usage(event_id="5", quantity=2.0, infrastructure=None),
                    usage(event_id="6", quantity=0.0, customer_id="CUST-2", infrastructure=None),
                    usage(event_id="7", quantity=7.0, product_id="cache"),
                ],
            )
        ),
        {
            "mart.fact_usage_daily": table_of(
                "day deployment_id customer_id product_id infrastructure total_quantity "
                "peak_quantity event_count",
                (day(5), "DEP-1", "CUST-1", "db", "aws_ec2", 11.0, 5.0, 4),
                (day(5), "DEP-2", "CUST-1", "db", "aws_ec2", 4.0, 4.0, 1),
                (day(5), "DEP-1", "CUST-2", "db", None, 0.0, 0.0, 1),
                (day(5), "DEP-1", "CUST-1", "cache", "aws_ec2", 7.0, 7.0, 1),
            )
        },
    ),
    Case(
        "capacity: the peaks of the customer's deployments are summed",
        lake(dump("telemetry", 5, THREE_EVENTS), dump("entitlements", 5, [entitlement()])),
        {
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION, (day(5), "CUST-1", "db", 10.0, 9.0, 0.9, "")
            )
        },
    ),
    Case(
        "consumable: all events are summed",
        lake(
            dump("telemetry", 5, THREE_EVENTS),
            dump(
                "entitlements",
                5,
                [entitlement(metering="consumable", quantity=30, starts_on=day(5), ends_on=day(8))],
            ),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION, (day(5), "CUST-1", "db", 10.0, 12.0, 1.2, "")
            )
        },
    ),
    Case(
        "used is measured as the product is metered, whatever the customer's entitlement says",
        lake(
            dump("telemetry", 5, THREE_EVENTS),
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="1", starts_on=day(1)),
                    entitlement(
                        entitlement_id="2",
                        customer_id="CUST-2",
                        metering="consumable",
                        starts_on=day(2),
                        ends_on=day(4),
                    ),
                ],
            ),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION, (day(5), "CUST-1", "db", 10.0, 12.0, 1.2, "")
            )
        },
    ),
    Case(
        "usage that nobody is entitled to, or another customer, or of another product, or later",
        lake(
            dump("telemetry", 5, THREE_EVENTS),
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="1", customer_id="CUST-2"),
                    entitlement(entitlement_id="2", product_id="cache"),
                    entitlement(entitlement_id="3", starts_on=day(6)),
                    entitlement(entitlement_id="4", quantity=0),
                ],
            ),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION,
                (day(5), "CUST-1", "db", 0.0, 9.0, None, "unentitled_usage"),
                (day(5), "CUST-1", "cache", 10.0, 0.0, 0.0, ""),
                (day(5), "CUST-2", "db", 10.0, 0.0, 0.0, ""),
            )
        },
    ),
    Case(
        "usage of nothing is a row of consumption, but of no report",
        lake(dump("telemetry", 5, [usage(quantity=0.0)])),
        {
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION, (day(5), "CUST-1", "db", 0.0, 0.0, None, "unentitled_usage")
            ),
            "mart.report_consumption_daily": [],
            "mart.report_active_customers_by_product_daily": [],
        },
    ),
    Case(
        "what moved is its new customer's usage from the day it moved",
        lake(
            span(1, 2),
            dump("entitlements", 1, [entitlement()]),
            dump("telemetry", 1, [used(1, 4)]),
            dump("telemetry", 2, [used(2, 4, customer_id="CUST-2")]),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION,
                (day(1), "CUST-1", "db", 10.0, 4.0, 0.4, ""),
                (day(2), "CUST-1", "db", 10.0, 0.0, 0.0, ""),
                (day(2), "CUST-2", "db", 0.0, 4.0, None, "unentitled_usage"),
            )
        },
    ),
]
