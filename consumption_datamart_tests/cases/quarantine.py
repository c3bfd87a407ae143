"""Section 2: what is set aside, why, and which reason comes first."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of
from consumption_datamart_tests.contract import column_names
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage

INVOICE_REASONS = "invoice_id reason"
ENTITLEMENT_REASONS = "entitlement_id reason"
EVENT_REASONS = "event_id reason"


CASES = [
    Case(
        "missing required invoice values",
        lake(
            dump("invoices", 5, [invoice(**{name: None}) for name in column_names("invoices")]),
        ),
        {
            "lake.raw_invoices": [],
            "lake.quarantine_invoices": [{"reason": "missing_value"}] * 11,
        },
    ),
    Case(
        "blank counts as null, required or not",
        lake(
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="optional", invoice_id="   "),
                    entitlement(entitlement_id="customer", customer_id="   "),
                    entitlement(entitlement_id="quantity", quantity=" "),
                    entitlement(entitlement_id="tab", unit="\t"),
                    entitlement(entitlement_id="empty", metering=""),
                    entitlement(entitlement_id=" "),
                ],
            ),
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="optional", infrastructure=""),
                    usage(event_id="ts", event_ts=""),
                    usage(event_id="deployment", deployment_id=" "),
                    usage(event_id="quantity", quantity=None),
                    usage(event_id="unit", unit=None),
                ],
            ),
        ),
        {
            "lake.raw_entitlements": table_of("entitlement_id invoice_id", ("optional", None)),
            "lake.quarantine_entitlements": table_of(
                ENTITLEMENT_REASONS,
                ("customer", "missing_value"),
                ("quantity", "missing_value"),
                ("tab", "missing_value"),
                ("empty", "missing_value"),
                (None, "missing_value"),
            ),
            "lake.raw_telemetry": table_of("event_id infrastructure", ("optional", None)),
            "lake.quarantine_telemetry": table_of(
                EVENT_REASONS,
                ("ts", "missing_value"),
                ("deployment", "missing_value"),
                ("quantity", "missing_value"),
                ("unit", "missing_value"),
            ),
        },
    ),
    Case(
        "out of range invoices, and the edges of the range",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="line", line_number=0),
                    invoice(invoice_id="before", invoice_date="1900-01-01"),
                    invoice(invoice_id="price", unit_price=-1),
                    invoice(invoice_id="lower", currency="eur"),
                    invoice(invoice_id="long", currency="EURO"),
                    invoice(invoice_id="padded", currency="EUR "),
                    invoice(invoice_id="term", term_months=-1),
                    invoice(invoice_id="edge", quantity=0, unit_price=0, term_months=0),
                ],
            )
        ),
        {
            "lake.raw_invoices": [
                {"invoice_id": "edge", "currency": "EUR"},
                {"invoice_id": "padded", "currency": "EUR"},
            ],
            "lake.quarantine_invoices": table_of(
                INVOICE_REASONS,
                ("line", "out_of_range"),
                ("before", "out_of_range"),
                ("price", "out_of_range"),
                ("lower", "out_of_range"),
                ("long", "out_of_range"),
                ("term", "out_of_range"),
            ),
        },
    ),
    Case(
        "out of range entitlements, and the edges of the range",
        lake(
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="amendment", amendment=-1),
                    entitlement(entitlement_id="quantity", quantity=-1),
                    entitlement(entitlement_id="unknown", metering="flat"),
                    entitlement(entitlement_id="capital", metering="Capacity"),
                    entitlement(entitlement_id="ends first", starts_on=day(9), ends_on=day(8)),
                    entitlement(entitlement_id="edge", starts_on=day(9), ends_on=day(9)),
                ],
            )
        ),
        {
            "lake.raw_entitlements": [{"entitlement_id": "edge"}],
            "lake.quarantine_entitlements": table_of(
                ENTITLEMENT_REASONS,
                ("amendment", "out_of_range"),
                ("quantity", "out_of_range"),
                ("unknown", "out_of_range"),
                ("capital", "out_of_range"),
                ("ends first", "out_of_range"),
            ),
        },
    ),
    Case(
        "out of range usage: negative or not finite",
        lake(
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="negative", quantity=-0.5),
                    usage(event_id="nan", quantity="nan"),
                    usage(event_id="inf", quantity="inf"),
                    usage(event_id="zero", quantity=0.0),
                ],
            )
        ),
        {
            "lake.raw_telemetry": table_of("event_id quantity", ("zero", 0.0)),
            "lake.quarantine_telemetry": table_of(
                EVENT_REASONS,
                ("negative", "out_of_range"),
                ("nan", "out_of_range"),
                ("inf", "out_of_range"),
            ),
        },
    ),
    Case(
        "wrong day: invoices after the dump's, usage of any other",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="later", invoice_date=day(6)),
                    invoice(invoice_id="same", invoice_date=day(5)),
                    invoice(invoice_id="long ago", invoice_date=day(-400)),
                ],
            ),
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="before", event_ts="2026-01-04T23:59:59.999"),
                    usage(event_id="first", event_ts="2026-01-05T00:00:00"),
                    usage(event_id="last", event_ts="2026-01-05T23:59:59.999"),
                    usage(event_id="after", event_ts="2026-01-06T00:00:00"),
                ],
            ),
        ),
        {
            "lake.raw_invoices": table_of("invoice_id", ("same",), ("long ago",)),
            "lake.quarantine_invoices": table_of(INVOICE_REASONS, ("later", "wrong_day")),
            "lake.raw_telemetry": table_of("event_id", ("first",), ("last",)),
            "lake.quarantine_telemetry": table_of(
                EVENT_REASONS, ("before", "wrong_day"), ("after", "wrong_day")
            ),
        },
    ),
    Case(
        "the first reason that holds, in the order of the spec",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(
                        invoice_id="all",
                        line_number="x",
                        currency=None,
                        quantity=-1,
                        invoice_date=day(6),
                    ),
                    invoice(
                        invoice_id="three",
                        currency=None,
                        quantity=-1,
                        unit_price=-1,
                        invoice_date=day(6),
                    ),
                    invoice(invoice_id="two", quantity=-1, unit_price=-1, invoice_date=day(6)),
                    invoice(invoice_id="one", invoice_date=day(6)),
                    invoice(invoice_id="none", quantity=1),
                    invoice(invoice_id="none", quantity=2),
                    invoice(invoice_id="none", quantity=-3, unit_price=-3),
                    invoice(invoice_id="none", quantity=3, invoice_date=day(6)),
                ],
            )
        ),
        {
            "lake.raw_invoices": table_of("invoice_id quantity", ("none", Decimal(2))),
            "lake.quarantine_invoices": table_of(
                "invoice_id quantity reason",
                ("all", "-1", "unreadable_value"),
                ("three", "-1", "missing_value"),
                ("two", "-1", "out_of_range"),
                ("one", "10", "wrong_day"),
                ("none", "1", "duplicate_key"),
                ("none", "-3", "out_of_range"),
                ("none", "3", "wrong_day"),
            ),
        },
    ),
    Case(
        "a quarantined row is kept as text, with its file",
        lake(
            dump("telemetry", 5, [usage(quantity=" lots ", infrastructure=None)]),
            dump("telemetry", 6, [usage(event_ts=noon(5))], format="parquet", part="part-0"),
        ),
        {
            "lake.quarantine_telemetry": [
                {
                    "event_id": "EV-1",
                    "event_ts": "2026-01-05T12:00:00",
                    "customer_id": "CUST-1",
                    "deployment_id": "DEP-1",
                    "product_id": "db",
                    "infrastructure": None,
                    "quantity": " lots ",
                    "unit": "vCPU",
                    "line": None,
                    "dump_day": day(5),
                    "reason": "unreadable_value",
                    "file": "telemetry/2026-01-05.csv",
                },
                {
                    "event_id": "EV-1",
                    "event_ts": "2026-01-05 12:00:00",
                    "customer_id": "CUST-1",
                    "deployment_id": "DEP-1",
                    "product_id": "db",
                    "infrastructure": "aws_ec2",
                    "quantity": "4.0",
                    "unit": "vCPU",
                    "line": None,
                    "dump_day": day(6),
                    "reason": "wrong_day",
                    "file": "telemetry/2026-01-06/part-0.parquet",
                },
            ],
        },
    ),
]
