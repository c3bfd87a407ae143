"""Section 1: CSV in all its shapes."""

from consumption_datamart_tests.cases.base import Case, dump, lake, line, table_of
from consumption_datamart_tests.contract import column_names
from consumption_datamart_tests.lakes import entitlement, invoice, usage

CASES = [
    Case(
        "commas, quotes and line breaks inside quotes",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(line_number=1, customer_name="Acme, Inc."),
                    invoice(line_number=2, customer_name='Acme "the" Inc.'),
                    invoice(line_number=3, customer_name="Acme\nInc."),
                    invoice(line_number=4, customer_name='"Acme"'),
                ],
            )
        ),
        {
            "lake.raw_invoices": table_of(
                "line_number customer_name",
                (1, "Acme, Inc."),
                (2, 'Acme "the" Inc.'),
                (3, "Acme\nInc."),
                (4, '"Acme"'),
            ),
            "lake.quarantine_invoices": [],
        },
    ),
    Case(
        "CRLF line ends and a byte order mark",
        lake(
            dump(
                "invoices",
                5,
                [invoice(line_number=1), invoice(line_number=2, customer_name="Acme, Inc.")],
                crlf=True,
                bom=True,
            )
        ),
        {
            "lake.raw_invoices": table_of(
                "invoice_id line_number customer_name term_months",
                ("INV-1", 1, "Acme", 12),
                ("INV-1", 2, "Acme, Inc.", 12),
            ),
            "lake.quarantine_invoices": [],
        },
    ),
    Case(
        "lines that end now with LF, now with CRLF",
        lake(
            dump(
                "telemetry",
                5,
                [f"{line('a')}\r", line("b"), f"{line('c', unit='')}\r", line("d", unit="")],
            )
        ),
        {
            "lake.raw_telemetry": table_of("event_id unit", ("a", "vCPU"), ("b", "vCPU")),
            "lake.quarantine_telemetry": table_of(
                "event_id unit line reason",
                ("c", None, None, "missing_value"),
                ("d", None, None, "missing_value"),
            ),
        },
    ),
    Case(
        "a comma too many at the end of a line",
        lake(
            dump("telemetry", 5, [line("a") + ",", line("b"), line("c", infrastructure="") + ","])
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id infrastructure unit",
                ("a", "aws_ec2", "vCPU"),
                ("b", "aws_ec2", "vCPU"),
                ("c", None, "vCPU"),
            ),
            "lake.quarantine_telemetry": [],
        },
    ),
    Case(
        "blank lines are no rows",
        lake(dump("telemetry", 5, ["", usage(event_id="one"), "   ", usage(event_id="two"), ""])),
        {
            "lake.raw_telemetry": table_of("event_id", ("one",), ("two",)),
            "lake.quarantine_telemetry": [],
        },
    ),
    Case(
        "a line of commas is a row of nulls",
        lake(dump("telemetry", 5, [",,,,,,,"])),
        {
            "lake.quarantine_telemetry": table_of(
                "event_id line reason", (None, None, "missing_value")
            ),
        },
    ),
    Case(
        "columns in another order, with extra ones",
        lake(
            dump(
                "telemetry",
                5,
                [usage(event_id="reordered")],
                columns=column_names("telemetry")[::-1],
                extra={"region": "eu", "note": "extra, too"},
            )
        ),
        {
            "lake.raw_telemetry": table_of(
                "event_id customer_id deployment_id product_id infrastructure quantity unit",
                ("reordered", "CUST-1", "DEP-1", "db", "aws_ec2", 4.0, "vCPU"),
            )
        },
    ),
    Case(
        "an optional column may be absent",
        lake(
            dump(
                "entitlements",
                5,
                [entitlement()],
                columns=[name for name in column_names("entitlements") if name != "invoice_id"],
            )
        ),
        {"lake.raw_entitlements": table_of("entitlement_id invoice_id", ("ENT-1", None))},
    ),
    Case(
        "strings are kept untouched",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(
                        invoice_id=" INV 1",
                        customer_id="cust-1 ",
                        customer_name="  Müller & Söhne 株式会社 ",
                        product_name="NULLS",
                    )
                ],
            )
        ),
        {
            "lake.raw_invoices": table_of(
                "invoice_id customer_id customer_name product_name",
                ("INV 1", "cust-1", "Müller & Söhne 株式会社", "NULLS"),
            )
        },
    ),
]
