"""Section 3: customers, products and deployments."""

from datetime import date

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of, used
from consumption_datamart_tests.lakes import day, entitlement, invoice, usage

ALWAYS = date(1900, 1, 1)
OPEN = date(9999, 12, 31)
CUSTOMER = "customer_key customer_name valid_from valid_to is_current meta__warnings"
NAMES = "customer_name valid_from valid_to"
PRODUCT = "product_id product_name unit metering meta__warnings"
DEPLOYMENT = (
    "deployment_id customer_id product_id infrastructure first_seen_on last_seen_on meta__warnings"
)


CASES = [
    Case(
        "a customer's first name holds from 1900",
        lake(dump("invoices", 9, [invoice(invoice_date=day(5)), invoice(invoice_id="INV-2")])),
        {
            "mart.dim_customer": table_of(
                CUSTOMER, ("CUST-1@1900-01-01", "Acme", ALWAYS, OPEN, True, "")
            )
        },
    ),
    Case(
        "a customer is renamed, and facts find the name of their day",
        lake(
            dump(
                "invoices",
                9,
                [
                    invoice(invoice_id="INV-1", invoice_date=day(1), customer_name="Acme"),
                    invoice(invoice_id="INV-2", invoice_date=day(3), customer_name="Acme Corp"),
                    invoice(invoice_id="INV-3", invoice_date=day(4), customer_name="Acme Corp"),
                ],
            )
        ),
        {
            "mart.dim_customer": table_of(
                CUSTOMER,
                ("CUST-1@1900-01-01", "Acme", ALWAYS, day(3), False, ""),
                ("CUST-1@2026-01-03", "Acme Corp", day(3), OPEN, True, ""),
            ),
            "mart.fact_invoice_line": table_of(
                "invoice_id customer_key",
                ("INV-1", "CUST-1@1900-01-01"),
                ("INV-2", "CUST-1@2026-01-03"),
                ("INV-3", "CUST-1@2026-01-03"),
            ),
        },
    ),
    Case(
        "a customer is renamed and takes its old name back",
        lake(
            dump("invoices", 1, [invoice(invoice_id="1", invoice_date=day(1), customer_name="A")]),
            dump("invoices", 3, [invoice(invoice_id="2", invoice_date=day(3), customer_name="B")]),
            dump("invoices", 5, [invoice(invoice_id="3", invoice_date=day(5), customer_name="A")]),
        ),
        {
            "mart.dim_customer": table_of(
                NAMES, ("A", ALWAYS, day(3)), ("B", day(3), day(5)), ("A", day(5), OPEN)
            )
        },
    ),
    Case(
        "names follow the invoices' dates, not the dumps'",
        lake(
            dump("invoices", 3, [invoice(invoice_id="1", invoice_date=day(3), customer_name="B")]),
            dump("invoices", 9, [invoice(invoice_id="2", invoice_date=day(1), customer_name="A")]),
        ),
        {"mart.dim_customer": table_of(NAMES, ("A", ALWAYS, day(3)), ("B", day(3), OPEN))},
    ),
    Case(
        "of two names on one day the last line's counts, lines in numerical order",
        lake(
            dump(
                "invoices",
                9,
                [
                    invoice(invoice_id="INV-1", line_number=10, customer_name="ten"),
                    invoice(invoice_id="INV-1", line_number=9, customer_name="nine"),
                    invoice(invoice_id="INV-2", customer_id="CUST-2", customer_name="two"),
                    invoice(
                        invoice_id="INV-1",
                        line_number=99,
                        customer_id="CUST-2",
                        customer_name="one",
                    ),
                ],
            )
        ),
        {
            "mart.dim_customer": table_of(
                "customer_id " + NAMES,
                ("CUST-1", "ten", ALWAYS, OPEN),
                ("CUST-2", "two", ALWAYS, OPEN),
            )
        },
    ),
    Case(
        "a name that does not last its day is no change",
        lake(
            dump(
                "invoices",
                9,
                [
                    invoice(invoice_id="INV-1", invoice_date=day(1), customer_name="A"),
                    invoice(invoice_id="INV-2", invoice_date=day(3), customer_name="B"),
                    invoice(invoice_id="INV-3", invoice_date=day(3), customer_name="A"),
                ],
            )
        ),
        {"mart.dim_customer": table_of(NAMES, ("A", ALWAYS, OPEN))},
    ),
    Case(
        "a superseded or quarantined name never was",
        lake(
            dump("invoices", 5, [invoice(customer_name="Old")]),
            dump("invoices", 6, [invoice(customer_name="New")]),
            dump("invoices", 7, [invoice(customer_name="Bad", unit_price=-1)]),
        ),
        {"mart.dim_customer": table_of(NAMES, ("New", ALWAYS, OPEN))},
    ),
    Case(
        "customers never invoiced are named by their ids",
        lake(
            dump("invoices", 5, [invoice(customer_id="CUST-1")]),
            dump("entitlements", 5, [entitlement(customer_id="CUST-2")]),
            dump("telemetry", 5, [usage(customer_id="ACME")]),
        ),
        {
            "mart.dim_customer": table_of(
                CUSTOMER,
                ("CUST-1@1900-01-01", "Acme", ALWAYS, OPEN, True, ""),
                ("CUST-2@1900-01-01", "CUST-2", ALWAYS, OPEN, True, "unknown_customer"),
                ("ACME@1900-01-01", "ACME", ALWAYS, OPEN, True, "unknown_customer"),
            )
        },
    ),
    Case(
        "a product has the name of its last invoice line and what its last entitlement says",
        lake(
            dump(
                "invoices",
                9,
                [
                    invoice(invoice_id="INV-9", invoice_date=day(1), product_name="first"),
                    invoice(invoice_id="INV-2", invoice_date=day(2), product_name="last"),
                    invoice(invoice_id="INV-1", invoice_date=day(2), product_name="middle"),
                ],
            ),
            dump(
                "entitlements",
                9,
                [
                    entitlement(entitlement_id="ENT-9", starts_on=day(1), unit="seat"),
                    entitlement(entitlement_id="ENT-1", starts_on=day(2), unit="seat"),
                ],
            ),
        ),
        {"mart.dim_product": table_of(PRODUCT, ("db", "last", "seat", "capacity", ""))},
    ),
    Case(
        "entitlements that disagree on a product's unit or metering",
        lake(
            dump("invoices", 9, [invoice(product_id="db"), invoice(line_number=2, product_id="q")]),
            dump(
                "entitlements",
                9,
                [
                    entitlement(amendment=0, unit="vCPU"),
                    entitlement(amendment=1, unit="GiB"),
                    entitlement(entitlement_id="ENT-0", amendment=2, unit="seat"),
                    entitlement(entitlement_id="Q-1", product_id="q", metering="consumable"),
                    entitlement(entitlement_id="Q-2", product_id="q", starts_on=day(0)),
                    entitlement(
                        entitlement_id="f",
                        product_id="free",
                        metering="consumable",
                        starts_on=day(2),
                    ),
                    entitlement(entitlement_id="g", product_id="free", starts_on=day(3)),
                ],
            ),
        ),
        {
            "mart.dim_product": table_of(
                PRODUCT,
                ("db", "Database", "GiB", "capacity", "conflicting_metering"),
                ("q", "Database", "vCPU", "consumable", "conflicting_metering"),
                ("free", "free", "vCPU", "capacity", "conflicting_metering;never_invoiced"),
            )
        },
    ),
    Case(
        "products without entitlements are of capacity, their unit the least of telemetry",
        lake(
            dump("invoices", 5, [invoice(product_id="sold")]),
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="1", product_id="used", unit="vCPU"),
                    usage(event_id="2", product_id="used", unit="GiB"),
                    usage(event_id="3", product_id="entitled", unit="GiB"),
                ],
            ),
            dump("entitlements", 5, [entitlement(product_id="entitled", unit="vCPU")]),
        ),
        {
            "mart.dim_product": table_of(
                PRODUCT,
                ("sold", "Database", None, "capacity", ""),
                ("used", "used", "GiB", "capacity", "never_invoiced"),
                ("entitled", "entitled", "vCPU", "capacity", "never_invoiced"),
            )
        },
    ),
    Case(
        "a deployment is what it was on its last day, and tells if it moved",
        lake(
            dump(
                "telemetry",
                3,
                [
                    used(3, 1, deployment_id="moved", customer_id="CUST-1"),
                    used(3, 1, deployment_id="stays", infrastructure="on_prem", product_id="old"),
                ],
            ),
            dump(
                "telemetry",
                7,
                [
                    used(7, 1, deployment_id="moved", customer_id="CUST-2"),
                    used(7, 0, deployment_id="stays", infrastructure="gcp_gce", product_id="new"),
                ],
            ),
            dump("telemetry", 9),
        ),
        {
            "mart.dim_deployment": table_of(
                DEPLOYMENT,
                ("moved", "CUST-2", "db", "aws_ec2", day(3), day(7), "moved_deployment"),
                ("stays", "CUST-1", "new", "gcp_gce", day(3), day(7), ""),
            )
        },
    ),
    Case(
        "of several on the last day the least, column by column; null only if nothing else",
        lake(
            dump("telemetry", 3, [used(3, 1, deployment_id="nulls", infrastructure="aws_ec2")]),
            dump(
                "telemetry",
                5,
                [
                    usage(event_id="1", deployment_id="several", infrastructure="on_prem"),
                    usage(event_id="2", deployment_id="several", infrastructure="azure_vm"),
                    usage(event_id="3", deployment_id="several", infrastructure=None),
                    usage(event_id="4", deployment_id="nulls", infrastructure=None),
                    usage(event_id="5", deployment_id="two", customer_id="CUST-1", product_id="z"),
                    usage(event_id="6", deployment_id="two", customer_id="CUST-2", product_id="a"),
                ],
            ),
        ),
        {
            "mart.dim_deployment": table_of(
                DEPLOYMENT,
                ("several", "CUST-1", "db", "azure_vm", day(5), day(5), ""),
                ("nulls", "CUST-1", "db", None, day(3), day(5), ""),
                ("two", "CUST-1", "a", "aws_ec2", day(5), day(5), "moved_deployment"),
            )
        },
    ),
]
