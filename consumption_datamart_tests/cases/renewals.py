"""Sections 4 and 7: report_renewals, as of last_day, which is day 5 in these cases."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of, used
from consumption_datamart_tests.lakes import Row, day, entitlement, invoice


def ending(number: int, name: str = "ENT-1", **overrides: object) -> Row:
    """An entitlement that ends on the day with that number."""
    return entitlement(entitlement_id=name, ends_on=day(number), **overrides)


CASES = [
    Case(
        "a renewal in full",
        lake(
            dump("invoices", 5, [invoice(term_months=24)]),
            dump("entitlements", 5, [ending(35, unit="core")]),
            dump("telemetry", 5, [used(5, 4)]),
        ),
        {
            "mart.report_renewals": [
                {
                    "entitlement_id": "ENT-1",
                    "customer_id": "CUST-1",
                    "customer_name": "Acme",
                    "product_id": "db",
                    "product_name": "Database",
                    "quantity": Decimal(10),
                    "unit": "core",
                    "ends_on": day(35),
                    "days_left": 30,
                    "consumption_30d": 0.4,
                    "band": "low",
                    "annual_value": 62.5,
                    "currency": "EUR",
                    "at_risk": False,
                }
            ]
        },
    ),
    Case(
        "within 90 days, in force, of more than nothing",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [
                    ending(5, "ended"),
                    ending(6, "tomorrow"),
                    ending(95, "in 90 days"),
                    ending(96, "in 91 days"),
                    ending(30, "not begun", starts_on=day(6)),
                    ending(30, "of nothing", quantity=0),
                    ending(30, "cancelled"),
                    ending(5, "cancelled", amendment=1, starts_on=day(5)),
                    ending(30, "to be cancelled"),
                    ending(6, "to be cancelled", amendment=1, starts_on=day(6)),
                    ending(30, "prolonged"),
                    ending(300, "prolonged", amendment=1, starts_on=day(3)),
                    ending(300, "cut short"),
                    ending(20, "cut short", amendment=1, starts_on=day(3), quantity=7),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                "entitlement_id quantity ends_on days_left",
                ("tomorrow", Decimal(10), day(6), 1),
                ("in 90 days", Decimal(10), day(95), 90),
                ("to be cancelled", Decimal(10), day(6), 1),
                ("cut short", Decimal(7), day(20), 15),
            )
        },
    ),
    Case(
        "annual value: the invoice's lines for the product that have a term",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(line_number=1, quantity=10, unit_price="12.5", term_months=12),
                    invoice(line_number=2, quantity=2, unit_price=30, term_months=24),
                    invoice(line_number=3, quantity=1, unit_price=999, term_months=0),
                    invoice(line_number=4, product_id="cache", quantity=3, term_months=12),
                    invoice(invoice_id="INV-2", quantity=500),
                    invoice(invoice_id="ONCE", term_months=0, currency="USD"),
                    invoice(invoice_id="MIXED", line_number=1, quantity=1, currency="USD"),
                    invoice(invoice_id="MIXED", line_number=2, quantity=2, currency="CHF"),
                    invoice(invoice_id="OTHER", product_id="cache"),
                ],
            ),
            dump(
                "entitlements",
                5,
                [
                    ending(30, "several lines"),
                    ending(30, "no invoice", invoice_id=None),
                    ending(30, "unknown invoice", invoice_id="INV-404"),
                    ending(30, "no term", invoice_id="ONCE"),
                    ending(30, "two currencies", invoice_id="MIXED"),
                    ending(30, "other product", invoice_id="OTHER"),
                    ending(30, "amended"),
                    ending(30, "amended", amendment=1, invoice_id=None, starts_on=day(3)),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                "entitlement_id annual_value currency meta__warnings",
                ("several lines", 77.5, "EUR", "no_exchange_rate"),
                ("no invoice", None, None, ""),
                ("unknown invoice", None, None, ""),
                ("no term", None, None, ""),
                ("two currencies", None, None, "no_exchange_rate"),
                ("other product", None, None, ""),
                ("amended", 77.5, "EUR", "no_exchange_rate"),
            )
        },
    ),
    Case(
        "at risk: unused or at_risk, by all that the customer has of the product",
        lake(
            dump(
                "entitlements",
                5,
                [
                    ending(30, "unused", customer_id="CUST-1"),
                    ending(30, "little", customer_id="CUST-2"),
                    ending(30, "low", customer_id="CUST-3"),
                    ending(30, "over", customer_id="CUST-4"),
                    ending(30, "half", customer_id="CUST-5"),
                    ending(300, "other half", customer_id="CUST-5", quantity=30),
                ],
            ),
            dump(
                "telemetry",
                5,
                [
                    used(5, 2, customer_id="CUST-2", deployment_id="2"),
                    used(5, 3, customer_id="CUST-3", deployment_id="3"),
                    used(5, 11, customer_id="CUST-4", deployment_id="4"),
                    used(5, 10, customer_id="CUST-5", deployment_id="5"),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                "entitlement_id customer_name product_name consumption_30d band at_risk",
                ("unused", "CUST-1", "db", 0.0, "unused", True),
                ("little", "CUST-2", "db", 0.2, "at_risk", True),
                ("low", "CUST-3", "db", 0.3, "low", False),
                ("over", "CUST-4", "db", 1.1, "over", False),
                ("half", "CUST-5", "db", 0.25, "at_risk", True),
            )
        },
    ),
    Case(
        "two entitlements to one product are two renewals, named as of last_day",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="INV-1", invoice_date=day(1), customer_name="Old"),
                    invoice(invoice_id="INV-2", invoice_date=day(5), customer_name="New"),
                ],
            ),
            dump("entitlements", 5, [ending(30, "one"), ending(31, "two", quantity="0.5")]),
        ),
        {
            "mart.report_renewals": table_of(
                "entitlement_id customer_name quantity days_left",
                ("one", "New", Decimal(10), 25),
                ("two", "New", Decimal("0.5"), 26),
            )
        },
    ),
]
