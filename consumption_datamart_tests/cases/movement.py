"""Section 8: accounts and products together, and whose band has changed."""

from consumption_datamart_tests.cases.base import (
    Case,
    dump,
    lake,
    settings,
    span,
    table_of,
    used,
)
from consumption_datamart_tests.cases.commitments import used_by
from consumption_datamart_tests.lakes import Row, account, day, entitlement, invoice

ACCOUNT = (
    "top_customer_id product_id customers entitled_30d used_30d used_limited_30d consumption_30d "
    "is_unlimited days_reported band"
)
PORTFOLIO = (
    "product_id customers entitled_30d used_30d used_limited_30d consumption_30d over healthy low "
    "at_risk unused unentitled unlimited no_telemetry"
)
CHANGE = "day customer_id band_before band consumption_before consumption_30d"
SILENT = settings('[silence]\nunknown = ["db"]\n')


def entitled(customer_id: str, **overrides: object) -> Row:
    """An entitlement of a customer to 10."""
    return entitlement(entitlement_id=customer_id, customer_id=customer_id, **overrides)


def below(top: str, *customers: str) -> list[Row]:
    """Accounts of customers below another."""
    return [account(customer_id=name, parent_customer_id=top) for name in customers]


CASES = [
    Case(
        "the customers of an account tree are summed, named as of the day",
        lake(
            dump(
                "invoices",
                6,
                [
                    invoice(customer_id="TOP", invoice_date=day(5), customer_name="Old"),
                    invoice(
                        invoice_id="2",
                        customer_id="TOP",
                        invoice_date=day(6),
                        customer_name="New",
                    ),
                ],
            ),
            dump("accounts", 1, [*below("TOP", "A", "B"), *below("A", "C")]),
            dump("entitlements", 5, [entitled("A"), entitled("B"), entitled("alone")]),
            dump("telemetry", 5, used_by(5, {"A": 8, "C": 1})),
            dump("telemetry", 6, used_by(6, {"A": 5})),
        ),
        {
            "mart.report_account_consumption_daily": table_of(
                "day top_customer_name product_name " + ACCOUNT,
                (
                    *(day(5), "Old", "Database", "TOP", "db", 3),
                    *(20.0, 9.0, 9.0, 0.45, False, 1, "low"),
                ),
                (
                    *(day(6), "New", "Database", "TOP", "db", 3),
                    *(40.0, 14.0, 14.0, 0.35, False, 2, "low"),
                ),
                (
                    *(day(5), "alone", "Database", "alone", "db", 1),
                    *(10.0, 0.0, 0.0, 0.0, False, 0, "unused"),
                ),
                (
                    *(day(6), "alone", "Database", "alone", "db", 1),
                    *(20.0, 0.0, 0.0, 0.0, False, 0, "unused"),
                ),
            )
        },
    ),
    Case(
        "an account is unlimited where all of it is; else sums are of what is limited",
        lake(
            dump("accounts", 5, [*below("MIXED", "A", "B", "C"), *below("ALL", "D", "E")]),
            dump(
                "entitlements",
                5,
                [
                    entitled("A", metering="unlimited"),
                    entitled("B"),
                    entitled("D", metering="unlimited"),
                    entitled("E", metering="unlimited"),
                ],
            ),
            dump("telemetry", 5, used_by(5, {"A": 100, "B": 7, "C": 2, "D": 3, "E": 4})),
        ),
        {
            "mart.report_account_consumption_daily": table_of(
                ACCOUNT,
                ("MIXED", "db", 3, 10.0, 9.0, 9.0, 0.9, False, 1, "healthy"),
                ("ALL", "db", 2, 0.0, 7.0, 0.0, None, True, 1, "unlimited"),
            )
        },
    ),
    Case(
        "an account without telemetry, and one of which only who is unlimited reports",
        lake(
            SILENT,
            dump("accounts", 5, [*below("SILENT", "A", "B"), *below("HEARD", "C", "D")]),
            dump(
                "entitlements",
                5,
                [
                    entitled("A"),
                    entitled("B"),
                    entitled("C", metering="unlimited"),
                    entitled("D"),
                    entitled("A", product_id="cache") | {"entitlement_id": "cache"},
                ],
            ),
            dump("telemetry", 5, used_by(5, {"C": 1, "free": 1})),
        ),
        {
            "mart.report_account_consumption_daily": table_of(
                ACCOUNT,
                ("SILENT", "db", 2, 20.0, 0.0, 0.0, 0.0, False, 0, "no_telemetry"),
                ("SILENT", "cache", 1, 10.0, 0.0, 0.0, 0.0, False, 0, "unused"),
                ("HEARD", "db", 2, 10.0, 0.0, 0.0, 0.0, False, 1, "unused"),
                ("free", "db", 1, 0.0, 1.0, 1.0, None, False, 1, "unentitled"),
            )
        },
    ),
    Case(
        "a product's customers are counted by band",
        lake(
            SILENT,
            dump(
                "entitlements",
                5,
                [
                    *(entitled(name) for name in ("over", "healthy", "low", "at_risk")),
                    *(entitled(name) for name in ("unused", "no_telemetry", "silent")),
                    entitled("unlimited", metering="unlimited"),
                    entitled("all", product_id="cache", metering="unlimited"),
                ],
            ),
            dump(
                "telemetry",
                5,
                [
                    *used_by(5, {"over": 12, "healthy": 7, "low": 3, "at_risk": 2}),
                    *used_by(5, {"unused": 0, "unentitled": 5, "unlimited": 100}),
                    used(5, 1, customer_id="all", product_id="cache"),
                ],
            ),
        ),
        {
            "mart.report_portfolio_daily": table_of(
                "day product_name " + PORTFOLIO,
                (
                    *(day(5), "db", "db", 9, 70.0, 29.0, 29.0, 29 / 70),
                    *(1, 1, 1, 1, 1, 1, 1, 2),
                ),
                (day(5), "cache", "cache", 1, 0.0, 0.0, 0.0, None, 0, 0, 0, 0, 0, 0, 1, 0),
            )
        },
    ),
    Case(
        "whose band is another than 30 days before, or came, or went",
        lake(
            span(1, 31),
            dump(
                "invoices",
                31,
                [
                    invoice(customer_id="less", invoice_date=day(1), customer_name="Old"),
                    invoice(
                        invoice_id="2",
                        customer_id="less",
                        invoice_date=day(31),
                        customer_name="New",
                    ),
                ],
            ),
            dump(
                "entitlements",
                1,
                [
                    *(entitled(name) for name in ("less", "same")),
                    entitled("came", starts_on=day(20)),
                    entitled("went", ends_on=day(2)),
                    entitled("between", starts_on=day(2), ends_on=day(31)),
                    entitled("limited since", metering="unlimited", ends_on=day(31)),
                    entitled("limited since", amendment=1, starts_on=day(31)),
                ],
            ),
            dump("telemetry", 1, used_by(1, {"less": 4, "unentitled": 1, "limited since": 1})),
        ),
        {
            "mart.report_band_changes": table_of(
                CHANGE + " customer_name product_name",
                (day(31), "less", "low", "unused", 0.4, 0.0, "New", "Database"),
                (day(31), "came", "absent", "unused", None, 0.0, "came", "Database"),
                (day(31), "went", "unused", "absent", 0.0, None, "went", "Database"),
                (
                    *(day(31), "unentitled", "unentitled", "absent", None, None),
                    *("unentitled", "Database"),
                ),
                (
                    *(day(31), "limited since", "unlimited", "unused", None, 0.0),
                    *("limited since", "Database"),
                ),
                (day(31), "between", "absent", "unused", None, 0.0, "between", "Database"),
            )
        },
    ),
    Case(
        "a lake of 30 days has no changes",
        lake(
            span(1, 30),
            dump("entitlements", 1, [entitled("came", starts_on=day(20))]),
            dump("telemetry", 1, used_by(1, {"less": 4})),
        ),
        {"mart.report_band_changes": []},
    ),
]
