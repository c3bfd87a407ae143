"""Section 2: of rows of one dump with one key, which one is kept."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage

TIED_USAGE = [
    usage(customer_id="CUST-1", deployment_id="DEP-9"),
    usage(customer_id="CUST-2", deployment_id="DEP-1", infrastructure="aws_ec2"),
    usage(customer_id="CUST-2", deployment_id="DEP-1", infrastructure=None),
]


CASES = [
    Case(
        "telemetry: the latest event_ts, though its quantity is less",
        lake(
            dump(
                "telemetry",
                5,
                [
                    usage(event_ts=noon(5, hour=8), quantity=9.0),
                    usage(event_ts=noon(5, hour=10), quantity=1.0),
                    usage(event_ts=noon(5, hour=9), quantity=5.0),
                ],
            )
        ),
        {
            "lake.raw_telemetry": table_of("event_ts quantity", (noon(5, hour=10), 1.0)),
            "lake.quarantine_telemetry": table_of(
                "quantity reason", ("9.0", "duplicate_key"), ("5.0", "duplicate_key")
            ),
        },
    ),
    Case(
        "telemetry: at one event_ts the largest quantity, compared as a number",
        lake(
            dump(
                "telemetry",
                5,
                [
                    usage(quantity=9.0, customer_id="CUST-9"),
                    usage(quantity=10.0, customer_id="CUST-1"),
                ],
            )
        ),
        {
            "lake.raw_telemetry": table_of("quantity customer_id", (10.0, "CUST-1")),
            "lake.quarantine_telemetry": table_of("quantity reason", ("9.0", "duplicate_key")),
        },
    ),
    *(
        Case(
            f"telemetry: then the remaining columns in contract order, null least ({order})",
            lake(dump("telemetry", 5, rows)),
            {
                "lake.raw_telemetry": table_of(
                    "customer_id deployment_id infrastructure", ("CUST-2", "DEP-1", "aws_ec2")
                ),
                "lake.quarantine_telemetry": table_of(
                    "customer_id deployment_id infrastructure reason",
                    ("CUST-1", "DEP-9", "aws_ec2", "duplicate_key"),
                    ("CUST-2", "DEP-1", None, "duplicate_key"),
                ),
            },
        )
        for order, rows in (("as listed", TIED_USAGE), ("reversed", TIED_USAGE[::-1]))
    ),
    Case(
        "invoices: the largest quantity, then the latest date, then the largest name",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="quantity", quantity=11, invoice_date=day(1)),
                    invoice(invoice_id="quantity", quantity=9, invoice_date=day(5)),
                    invoice(invoice_id="date", invoice_date=day(4), customer_name="Acme"),
                    invoice(invoice_id="date", invoice_date=day(3), customer_name="Zeta"),
                    invoice(invoice_id="name", customer_name="Acme", currency="USD"),
                    invoice(invoice_id="name", customer_name="Beta", currency="EUR"),
                ],
            )
        ),
        {
            "lake.raw_invoices": table_of(
                "invoice_id quantity invoice_date customer_name",
                ("quantity", Decimal(11), day(1), "Acme"),
                ("date", Decimal(10), day(4), "Acme"),
                ("name", Decimal(10), day(5), "Beta"),
            ),
            "lake.quarantine_invoices": table_of(
                "invoice_id reason",
                ("quantity", "duplicate_key"),
                ("date", "duplicate_key"),
                ("name", "duplicate_key"),
            ),
        },
    ),
    Case(
        "entitlements: a null invoice is the least, before any other column",
        lake(
            dump(
                "entitlements",
                5,
                [
                    entitlement(invoice_id=None, customer_id="CUST-2"),
                    entitlement(invoice_id="INV-1", customer_id="CUST-1"),
                ],
            )
        ),
        {
            "lake.raw_entitlements": table_of("invoice_id customer_id", ("INV-1", "CUST-1")),
            "lake.quarantine_entitlements": table_of(
                "invoice_id customer_id reason", (None, "CUST-2", "duplicate_key")
            ),
        },
    ),
    Case(
        "the key is read as its type",
        lake(
            dump(
                "invoices",
                5,
                [invoice(line_number="3", quantity=1), invoice(line_number="3.0", quantity=2)],
            )
        ),
        {
            "lake.raw_invoices": table_of("line_number quantity", (3, Decimal(2))),
            "lake.quarantine_invoices": table_of(
                "line_number quantity reason", ("3", "1", "duplicate_key")
            ),
        },
    ),
    Case(
        "identical rows: that of the least file name is kept, whatever their formats",
        lake(
            dump("telemetry", 5, [usage()], format="parquet", part="part-2"),
            dump("telemetry", 5, [usage()], part="part-1"),
            dump("telemetry", 5, [usage()], format="parquet", part="part-0"),
        ),
        {
            "lake.raw_telemetry": [{"event_id": "EV-1"}],
            "lake.quarantine_telemetry": table_of(
                "file reason",
                ("telemetry/2026-01-05/part-1.csv", "duplicate_key"),
                ("telemetry/2026-01-05/part-2.parquet", "duplicate_key"),
            ),
        },
    ),
    Case(
        "an event of the same id on another day is another event",
        lake(
            dump("telemetry", 5, [usage(event_ts=noon(5))]),
            dump("telemetry", 6, [usage(event_ts=noon(6))]),
        ),
        {
            "lake.raw_telemetry": table_of("event_id dump_day", ("EV-1", day(5)), ("EV-1", day(6))),
            "lake.quarantine_telemetry": [],
        },
    ),
]
