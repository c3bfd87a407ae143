"""Section 7: accounts, and the customer at their top."""

from datetime import date

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of
from consumption_datamart_tests.lakes import account, day, entitlement, invoice

CUSTOMER = (
    "customer_id customer_name parent_customer_id segment region account_manager top_customer_id "
    "meta__warnings"
)
ALWAYS = date(1900, 1, 1)
TREE = "customer_id parent_customer_id top_customer_id meta__warnings"


CASES = [
    Case(
        "parents are followed to the last, who may be known as a parent only",
        lake(
            dump("invoices", 5, [invoice()]),
            dump(
                "accounts",
                5,
                [
                    account(parent_customer_id="CUST-2"),
                    account(
                        customer_id="CUST-2",
                        parent_customer_id="GROUP",
                        segment=None,
                        region="",
                        account_manager="Bo",
                    ),
                    account(customer_id="CUST-3", account_manager=None),
                ],
            ),
        ),
        {
            "mart.dim_customer": table_of(
                CUSTOMER,
                ("CUST-1", "Acme", "CUST-2", "enterprise", "EMEA", "Ada", "GROUP", ""),
                ("CUST-2", "CUST-2", "GROUP", None, None, "Bo", "GROUP", "unknown_customer"),
                (
                    *("CUST-3", "CUST-3", None, "enterprise", "EMEA", None),
                    *("CUST-3", "unknown_customer"),
                ),
                ("GROUP", "GROUP", None, None, None, None, "GROUP", "unknown_customer"),
            )
        },
    ),
    Case(
        "parents in a circle: each is its own top, also who only leads there",
        lake(
            dump("invoices", 5, [invoice(customer_id="B"), invoice(line_number=2)]),
            dump(
                "accounts",
                5,
                [
                    account(customer_id="A", parent_customer_id="B"),
                    account(customer_id="B", parent_customer_id="A"),
                    account(customer_id="leads", parent_customer_id="A"),
                    account(customer_id="self", parent_customer_id="self"),
                    account(customer_id="no circle", parent_customer_id="CUST-1"),
                ],
            ),
        ),
        {
            "mart.dim_customer": table_of(
                TREE,
                ("A", "B", "A", "account_cycle;unknown_customer"),
                ("B", "A", "B", "account_cycle"),
                ("leads", "A", "leads", "account_cycle;unknown_customer"),
                ("self", "self", "self", "account_cycle;unknown_customer"),
                ("no circle", "CUST-1", "CUST-1", "unknown_customer"),
                ("CUST-1", None, "CUST-1", ""),
            )
        },
    ),
    Case(
        "all versions of a customer have its account as it is now",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(invoice_id="INV-1", invoice_date=day(1), customer_name="Old"),
                    invoice(invoice_id="INV-2", invoice_date=day(3), customer_name="New"),
                ],
            ),
            dump("accounts", 1, [account(parent_customer_id="FIRST"), account(customer_id="X")]),
            dump("accounts", 4, [account(parent_customer_id="LAST", segment=None)]),
            dump("accounts", 5, [account(customer_id=" ", parent_customer_id="BAD")]),
        ),
        {
            "mart.dim_customer": table_of(
                "customer_id customer_name valid_from parent_customer_id segment top_customer_id",
                ("CUST-1", "Old", ALWAYS, "LAST", None, "LAST"),
                ("CUST-1", "New", day(3), "LAST", None, "LAST"),
                ("LAST", "LAST", ALWAYS, None, None, "LAST"),
                ("X", "X", ALWAYS, None, "enterprise", "X"),
            ),
            "lake.quarantine_accounts": table_of(
                "customer_id parent_customer_id reason", (None, "BAD", "missing_value")
            ),
        },
    ),
    Case(
        "accounts that are flagged, or set aside for another of the same dump",
        lake(
            dump(
                "accounts",
                5,
                [
                    account(customer_id="ACME"),
                    account(parent_customer_id=None, segment="z"),
                    account(parent_customer_id="CUST-2", segment="a"),
                    account(customer_id="CUST-3", segment=None, region="z"),
                    account(customer_id="CUST-3", segment="a", region="a"),
                ],
            )
        ),
        {
            "lake.raw_accounts": table_of(
                "customer_id parent_customer_id segment meta__warnings",
                ("ACME", None, "enterprise", "invalid_customer_id"),
                ("CUST-1", "CUST-2", "a", ""),
                ("CUST-3", None, "a", ""),
            ),
            "lake.quarantine_accounts": table_of(
                "customer_id segment reason",
                ("CUST-1", "z", "duplicate_key"),
                ("CUST-3", None, "duplicate_key"),
            ),
        },
    ),
    Case(
        "optional tables make no days",
        lake(
            span(5, 6),
            dump("entitlements", 5, [entitlement()]),
            dump("accounts", 1, [account()]),
            dump("bundles", 9),
            dump("exchange_rates", 10),
        ),
        {"mart.fact_entitlement_daily": table_of("day", (day(5),), (day(6),))},
    ),
]
