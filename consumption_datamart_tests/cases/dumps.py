"""Section 1 and 3: which dumps there are, which row of a key counts, first_day and last_day."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, days, dump, lake, table_of, used
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage

DAILY_TABLES = (
    "mart.fact_usage_daily",
    "mart.fact_entitlement_daily",
    "mart.fact_consumption_daily",
    "mart.report_consumption_daily",
    "mart.report_active_customers_by_product_daily",
    "mart.report_renewals",
)

CASES = [
    Case(
        "increments: a later dump supersedes what it has",
        lake(
            dump("invoices", 5, [invoice(line_number=1), invoice(line_number=2)]),
            dump("invoices", 7, [invoice(line_number=2, quantity=20)]),
        ),
        {
            "lake.raw_invoices": table_of(
                "line_number quantity dump_day",
                (1, Decimal(10), day(5)),
                (2, Decimal(20), day(7)),
            ),
            "lake.quarantine_invoices": [],
        },
    ),
    Case(
        "full snapshots: a key absent from a later one stays",
        lake(
            dump(
                "entitlements",
                5,
                [entitlement(entitlement_id="one"), entitlement(entitlement_id="two")],
            ),
            dump(
                "entitlements",
                6,
                [entitlement(entitlement_id="one"), entitlement(entitlement_id="three")],
            ),
        ),
        {
            "lake.raw_entitlements": table_of(
                "entitlement_id dump_day", ("one", day(6)), ("two", day(5)), ("three", day(6))
            )
        },
    ),
    Case(
        "an amendment supersedes no other amendment",
        lake(
            dump("entitlements", 5, [entitlement(amendment=0)]),
            dump("entitlements", 6, [entitlement(amendment=1, quantity=20)]),
        ),
        {
            "lake.raw_entitlements": table_of(
                "amendment quantity dump_day", (0, Decimal(10), day(5)), (1, Decimal(20), day(6))
            )
        },
    ),
    Case(
        "a quarantined row supersedes nothing",
        lake(
            dump("invoices", 5, [invoice(quantity=1)]),
            dump("invoices", 6, [invoice(quantity=-2, unit_price=-2)]),
        ),
        {
            "lake.raw_invoices": table_of("quantity dump_day", (Decimal(1), day(5))),
            "lake.quarantine_invoices": table_of(
                "quantity dump_day reason", ("-2", day(6), "out_of_range")
            ),
        },
    ),
    Case(
        "of a later dump's duplicates the kept one supersedes; duplicates stay in quarantine",
        lake(
            dump("invoices", 5, [invoice(quantity=9), invoice(quantity=8)]),
            dump("invoices", 6, [invoice(quantity=1), invoice(quantity=2)]),
        ),
        {
            "lake.raw_invoices": table_of("quantity dump_day", (Decimal(2), day(6))),
            "lake.quarantine_invoices": table_of(
                "quantity dump_day reason",
                ("8", day(5), "duplicate_key"),
                ("1", day(6), "duplicate_key"),
            ),
        },
    ),
    Case(
        "header-only dumps are days: they set first_day and last_day",
        lake(
            dump("telemetry", 3),
            dump("entitlements", 5, [entitlement()]),
            dump("invoices", 7, format="parquet"),
        ),
        {
            "mart.fact_entitlement_daily": [
                {"day": one, "entitled_quantity": 10.0} for one in days(3, 7)
            ]
        },
    ),
    Case(
        "days that only one table has, and days without dumps in between",
        lake(
            dump("entitlements", 4, [entitlement()]),
            dump("telemetry", 2, [used(2, 4)]),
            dump("telemetry", 6, [used(6, 5)]),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                "day entitled_quantity used_quantity",
                (day(2), 10.0, 4.0),
                (day(3), 10.0, 0.0),
                (day(4), 10.0, 0.0),
                (day(5), 10.0, 0.0),
                (day(6), 10.0, 5.0),
            )
        },
    ),
    Case(
        "an invoice's date is no dump day",
        lake(
            dump("invoices", 5, [invoice(invoice_date=day(1))]),
            dump("entitlements", 5, [entitlement(starts_on=day(1), ends_on=day(20))]),
        ),
        {
            "mart.fact_invoice_line": [{"day": day(1)}],
            "mart.fact_entitlement_daily": [{"day": day(5)}],
        },
    ),
    Case(
        "an empty lake",
        lake(),
        {
            "lake.raw_invoices": [],
            "lake.raw_entitlements": [],
            "lake.raw_telemetry": [],
            "lake.quarantine_invoices": [],
            "lake.quarantine_entitlements": [],
            "lake.quarantine_telemetry": [],
            "mart.dim_customer": [],
            "mart.dim_product": [],
            "mart.dim_deployment": [],
            "mart.fact_invoice_line": [],
            **{table: [] for table in DAILY_TABLES},
        },
    ),
    Case(
        "one table is missing, on a single day",
        lake(
            dump("invoices", 5, [invoice()]),
            dump("entitlements", 5, [entitlement()]),
        ),
        {
            "lake.raw_telemetry": [],
            "mart.dim_deployment": [],
            "mart.fact_usage_daily": [],
            "mart.fact_consumption_daily": table_of(
                "day used_quantity consumption_ratio", (day(5), 0.0, 0.0)
            ),
            "mart.report_consumption_daily": table_of("day band", (day(5), "unused")),
            "mart.report_active_customers_by_product_daily": [],
        },
    ),
    Case(
        "names that are no dump",
        lake(
            dump("telemetry", 5, [usage(event_id="good")]),
            dump("telemetry", "2026-02-30", [usage(event_id="no such day")]),
            dump("telemetry", "20260106", [usage(event_id="no dashes")]),
            dump("telemetry", "latest", [usage(event_id="no day")]),
            dump("telemetry", ".2026-01-07", [usage(event_id="hidden")]),
            dump("telemetry", 8, [usage(event_id="dot", event_ts=noon(8))], part=".part-0"),
            dump("telemetry", 8, [usage(event_id="score", event_ts=noon(8))], part="_part-0"),
            dump("entitlements", 5, [entitlement()]),
        ),
        {
            "lake.raw_telemetry": [{"event_id": "good"}],
            "lake.quarantine_telemetry": [],
            "mart.fact_entitlement_daily": [{"day": day(5)}],
        },
    ),
    Case(
        "part files of both formats and a file of the day are one dump",
        lake(
            dump("telemetry", 5, [usage(event_id="a")], part="part-0"),
            dump("telemetry", 5, [usage(event_id="b")], part="part-1", format="parquet"),
            dump("telemetry", 5, [usage(event_id="c")], part="part-1"),
            dump("telemetry", 5, [usage(event_id="d")], part="_hidden"),
            dump("telemetry", 5, [usage(event_id="e")]),
            dump("telemetry", 5, [usage(event_id="f")], format="parquet"),
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id dump_day",
                ("a", day(5)),
                ("b", day(5)),
                ("c", day(5)),
                ("e", day(5)),
                ("f", day(5)),
            )
        },
    ),
    Case(
        "Parquet with native types, doubles or texts",
        lake(
            dump("invoices", 5, [invoice(invoice_id="native")], format="parquet", part="0"),
            dump(
                "invoices",
                5,
                [invoice(invoice_id="doubles", unit_price=Decimal("0.1"))],
                format="parquet",
                part="1",
                doubles=True,
            ),
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="text", line_number="3.0", customer_name=" Acme "),
                    invoice(invoice_id="bad", line_number="x"),
                    invoice(invoice_id="blank", currency=" "),
                ],
                format="parquet",
                part="2",
                as_text=True,
            ),
        ),
        {
            "lake.raw_invoices": table_of(
                "invoice_id line_number invoice_date customer_name quantity unit_price",
                ("native", 1, day(5), "Acme", Decimal(10), Decimal("12.5")),
                ("doubles", 1, day(5), "Acme", Decimal(10), Decimal("0.1")),
                ("text", 3, day(5), "Acme", Decimal(10), Decimal("12.5")),
            ),
            "lake.quarantine_invoices": table_of(
                "invoice_id line_number currency reason file",
                ("bad", "x", "EUR", "unreadable_value", "invoices/2026-01-05/2.parquet"),
                ("blank", "1", None, "missing_value", "invoices/2026-01-05/2.parquet"),
            ),
        },
    ),
]
