"""Section 8: what has a row in report_commitments, and which days are its own."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of, used
from consumption_datamart_tests.cases.commitments import consumable, used_by
from consumption_datamart_tests.lakes import Row, bundle, day, invoice


def monthly(customer_id: str, *amendments: tuple[int, int]) -> list[Row]:
    """Amendments of one consumable of each month: from which day on, and how much."""
    return [
        consumable(customer_id, first, 100, quantity, period="month", amendment=number)
        for number, (first, quantity) in enumerate(amendments)
    ]


CASES = [
    Case(
        "a period is one customer's; another's days in it are not its own",
        lake(
            span(1, 20),
            dump(
                "entitlements",
                1,
                [
                    consumable("A", 1, 100, 31, period="month"),
                    consumable("B", 16, 100, 62, period="month", amendment=1)
                    | {"entitlement_id": "A"},
                ],
            ),
            dump("telemetry", 10, [used(10, 4, customer_id="A")]),
            dump("telemetry", 12, [used(12, 8, customer_id="B")]),
            dump("telemetry", 20, [used(20, 2, customer_id="B")]),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id starts_on ends_on quantity elapsed_days used_to_date peak_used",
                ("B", day(1), day(32), 32.0, 20, 2.0, 2.0),
            )
        },
    ),
    Case(
        "a capacity and a term without periods are of their amendment alone",
        lake(
            span(1, 20),
            dump(
                "entitlements",
                1,
                [
                    consumable("term", 1, 41, 40),
                    consumable("term", 11, 41, 60, amendment=1),
                    consumable("capacity", 1, 41, 10, metering="capacity", period="month"),
                    consumable(
                        "capacity", 11, 41, 20, metering="capacity", period="month", amendment=1
                    ),
                    consumable("cut short", 1, 41, 40),
                    consumable("cut short", 31, 31, 40, amendment=1),
                ],
            ),
        ),
        {
            "mart.report_commitments": table_of(
                "entitlement_id amendment period starts_on ends_on quantity elapsed_days",
                ("term", 1, None, day(11), day(41), 60.0, 10),
                ("capacity", 1, "month", day(11), day(41), 20.0, 10),
                ("cut short", 0, None, day(1), day(31), 30.0, 20),
            )
        },
    ),
    Case(
        "rows are of what is in force on last_day with a quantity; of bundles by component",
        lake(
            span(1, 20),
            dump("invoices", 1, [invoice(invoice_date=day(1), product_id="suite")]),
            dump("bundles", 1, [bundle(), bundle(product_id="none", quantity=0)]),
            dump(
                "entitlements",
                1,
                [
                    consumable("of nothing", 1, 41, 0),
                    consumable("unlimited", 1, 41, 10, metering="unlimited"),
                    consumable("ended", 1, 20, 10),
                    consumable("later", 21, 41, 10),
                    consumable("month", 1, 400, 10, period="month", invoice_id=None),
                    consumable("bundle", 1, 41, 10, product_id="suite"),
                ],
            ),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id product_id metering quantity starts_on ends_on annual_value "
                "annual_value_reporting meta__warnings",
                ("month", "db", "consumable", 10.0, day(1), day(32), None, None, ""),
                (
                    *("bundle", "db", "capacity", Decimal(20), day(1), day(41)),
                    *(62.5, None, "no_exchange_rate"),
                ),
            )
        },
    ),
    Case(
        "nothing is used of what entitles to nothing on a day",
        lake(
            span(1, 30),
            dump(
                "entitlements",
                1,
                [
                    *monthly("A", (1, 31), (11, 0), (21, 62)),
                    *monthly("C", (1, 31), (11, 0), (21, 31)),
                    consumable("A", 1, 100, 31, period="month") | {"entitlement_id": "B"},
                ],
            ),
            dump("telemetry", 15, used_by(15, {"A": 9, "C": 5})),
            dump("telemetry", 30, used_by(30, {"A": 6, "C": 1})),
        ),
        {
            "mart.report_commitments": table_of(
                "entitlement_id amendment starts_on ends_on quantity used_to_date",
                ("A", 2, day(1), day(32), 32.0, 4.0),
                ("B", 0, day(1), day(32), 31.0, 11.0),
                ("C", 2, day(1), day(32), 21.0, 1.0),
            )
        },
    ),
]
