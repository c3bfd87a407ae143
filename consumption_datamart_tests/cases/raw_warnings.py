"""Section 2: the warnings of raw tables, each where it holds and where it does not."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of
from consumption_datamart_tests.lakes import entitlement, invoice, usage

CASES = [
    Case(
        "invalid customer ids",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(line_number=1, customer_id="CUST-1"),
                    invoice(line_number=2, customer_id="CUST-007"),
                    invoice(line_number=3, customer_id="CUST-"),
                    invoice(line_number=4, customer_id="cust-1"),
                    invoice(line_number=5, customer_id="CUST-1a"),
                    invoice(line_number=6, customer_id="CUST -1"),
                ],
            ),
            dump("entitlements", 5, [entitlement(customer_id="ACME")]),
            dump("telemetry", 5, [usage(customer_id="XCUST-1")]),
        ),
        {
            "lake.raw_invoices": table_of(
                "line_number meta__warnings",
                (1, ""),
                (2, ""),
                (3, "invalid_customer_id"),
                (4, "invalid_customer_id"),
                (5, "invalid_customer_id"),
                (6, "invalid_customer_id"),
            ),
            "lake.raw_entitlements": [{"meta__warnings": "invalid_customer_id"}],
            "lake.raw_telemetry": [{"meta__warnings": "invalid_customer_id"}],
        },
    ),
    Case(
        "unusual quantities: more than a million",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(line_number=1, quantity=1_000_000),
                    invoice(line_number=2, quantity=Decimal("1000000.0001")),
                ],
            ),
            dump("entitlements", 5, [entitlement(quantity=2_000_000)]),
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="usual", quantity=1_000_000.0),
                    usage(event_id="unusual", quantity=1_000_000.5),
                ],
            ),
        ),
        {
            "lake.raw_invoices": table_of(
                "line_number meta__warnings", (1, ""), (2, "unusual_quantity")
            ),
            "lake.raw_entitlements": [{"meta__warnings": "unusual_quantity"}],
            "lake.raw_telemetry": table_of(
                "event_id meta__warnings", ("usual", ""), ("unusual", "unusual_quantity")
            ),
        },
    ),
    Case(
        "zero quantities: of invoices and of originals, not of amendments or usage",
        lake(
            dump("invoices", 5, [invoice(quantity=0)]),
            dump(
                "entitlements",
                5,
                [entitlement(amendment=0, quantity=0), entitlement(amendment=1, quantity=0)],
            ),
            dump("telemetry", 5, [usage(quantity=0.0)]),
        ),
        {
            "lake.raw_invoices": [{"meta__warnings": "zero_quantity"}],
            "lake.raw_entitlements": table_of(
                "amendment meta__warnings", (0, "zero_quantity"), (1, "")
            ),
            "lake.raw_telemetry": [{"meta__warnings": ""}],
        },
    ),
    Case(
        "several warnings of one row, in alphabetical order",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(line_number=1, customer_id="Acme", quantity=0),
                    invoice(line_number=2, customer_id="Acme", quantity=1_000_001),
                ],
            )
        ),
        {
            "lake.raw_invoices": table_of(
                "line_number meta__warnings",
                (1, "invalid_customer_id;zero_quantity"),
                (2, "invalid_customer_id;unusual_quantity"),
            )
        },
    ),
]
