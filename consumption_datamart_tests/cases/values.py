"""Section 2: which values can be read, and as what."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage

INVOICE_REASONS = "invoice_id reason"
ENTITLEMENT_REASONS = "entitlement_id reason"
EVENT_REASONS = "event_id reason"


CASES = [
    Case(
        "unreadable invoice values",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="word", line_number="abc"),
                    invoice(invoice_id="fraction", line_number="1.5"),
                    invoice(invoice_id="too great", line_number="9223372036854775808"),
                    invoice(invoice_id="too small", term_months="-9223372036854775809"),
                    invoice(invoice_id="german", invoice_date="05.01.2026"),
                    invoice(invoice_id="no such day", invoice_date="2026-02-30"),
                    invoice(invoice_id="quantity", quantity="ten"),
                    invoice(invoice_id="15 digits", quantity="100000000000000"),
                    invoice(invoice_id="nan", unit_price="nan"),
                    invoice(invoice_id="inf", unit_price="inf"),
                    invoice(invoice_id="comma", unit_price="1,5"),
                    invoice(invoice_id="good"),
                ],
            )
        ),
        {
            "lake.raw_invoices": [{"invoice_id": "good"}],
            "lake.quarantine_invoices": table_of(
                INVOICE_REASONS,
                ("word", "unreadable_value"),
                ("fraction", "unreadable_value"),
                ("too great", "unreadable_value"),
                ("too small", "unreadable_value"),
                ("german", "unreadable_value"),
                ("no such day", "unreadable_value"),
                ("quantity", "unreadable_value"),
                ("15 digits", "unreadable_value"),
                ("nan", "unreadable_value"),
                ("inf", "unreadable_value"),
                ("comma", "unreadable_value"),
            ),
        },
    ),
    Case(
        "readable though spelled differently",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="a", line_number="3.0", quantity="1.00005"),
                    invoice(invoice_id="b", line_number=" 3 ", quantity="1.00004"),
                    invoice(invoice_id="c", line_number="2147483647", quantity=" 2 "),
                    invoice(invoice_id="d", invoice_date="2026-01-04 23:59:59", quantity="1e3"),
                    invoice(
                        invoice_id="e", invoice_date="2026-01-04T00:00:00", quantity="-0.00001"
                    ),
                    invoice(invoice_id="f", quantity="99999999999999.9999"),
                ],
            )
        ),
        {
            "lake.raw_invoices": table_of(
                "invoice_id line_number invoice_date quantity",
                ("a", 3, day(5), Decimal("1.0001")),
                ("b", 3, day(5), Decimal("1.0000")),
                ("c", 2147483647, day(5), Decimal(2)),
                ("d", 1, day(4), Decimal(1000)),
                ("e", 1, day(4), Decimal(0)),
                ("f", 1, day(5), Decimal("99999999999999.9999")),
            ),
            "lake.quarantine_invoices": [],
        },
    ),
    Case(
        "unreadable telemetry and entitlement values",
        lake(
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="noon", event_ts="noon"),
                    usage(event_id="hour 25", event_ts="2026-01-05T25:00:00"),
                    usage(event_id="lots", quantity="lots"),
                ],
            ),
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="first", amendment="first"),
                    entitlement(entitlement_id="soon", starts_on="soon"),
                    entitlement(entitlement_id="never", ends_on="never"),
                    entitlement(entitlement_id="many", quantity="many"),
                ],
            ),
        ),
        {
            "lake.raw_telemetry": [],
            "lake.quarantine_telemetry": table_of(
                EVENT_REASONS,
                ("noon", "unreadable_value"),
                ("hour 25", "unreadable_value"),
                ("lots", "unreadable_value"),
            ),
            "lake.quarantine_entitlements": table_of(
                ENTITLEMENT_REASONS,
                ("first", "unreadable_value"),
                ("soon", "unreadable_value"),
                ("never", "unreadable_value"),
                ("many", "unreadable_value"),
            ),
        },
    ),
    Case(
        "timestamps are read as UTC",
        lake(
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="T", event_ts="2026-01-05T06:00:00"),
                    usage(event_id="blank", event_ts="2026-01-05 07:00:00"),
                    usage(event_id="fraction", event_ts="2026-01-05T08:00:00.25"),
                    usage(event_id="date", event_ts="2026-01-05"),
                    usage(event_id="Z", event_ts="2026-01-05T09:00:00Z"),
                    usage(event_id="east", event_ts="2026-01-06T01:00:00+02:00"),
                    usage(event_id="west", event_ts="2026-01-05T23:30:00-01:00"),
                ],
            )
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id event_ts",
                ("T", noon(5, hour=6)),
                ("blank", noon(5, hour=7)),
                ("fraction", noon(5, hour=8).replace(microsecond=250_000)),
                ("date", noon(5, hour=0)),
                ("Z", noon(5, hour=9)),
                ("east", noon(5, hour=23)),
            ),
            "lake.quarantine_telemetry": table_of(EVENT_REASONS, ("west", "wrong_day")),
        },
    ),
]
