"""Section 7: effective ends, and what renews what ends; last_day is day 5, nothing is used."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of
from consumption_datamart_tests.lakes import Row, bundle, day, entitlement

ENDS = "entitlement_id product_id quantity ends_on days_left"
RENEWED = "customer_id entitlement_id renewed_by renewed_quantity at_risk"


def of(customer_id: str, name: str, first: int, end: int, **overrides: object) -> Row:
    """An entitlement of a customer, in force from a day to the one before its end."""
    return entitlement(
        customer_id=customer_id,
        entitlement_id=f"{customer_id}-{name}",
        starts_on=day(first),
        ends_on=day(end),
        **overrides,
    )


def ended(customer_id: str) -> Row:
    """An entitlement to 10 that ends on day 30."""
    return of(customer_id, "0", 1, 30)


CASES = [
    Case(
        "an extension moves the effective end, a cancellation known in advance brings it nearer",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                5,
                [
                    of("A", "extended", 1, 20),
                    of("A", "extended", 20, 40, amendment=1, quantity=20),
                    of("B", "far extended", 1, 20),
                    of("B", "far extended", 20, 200, amendment=1),
                    of("C", "cancelled", 1, 300),
                    of("C", "cancelled", 50, 50, amendment=1),
                    of("D", "to nothing", 1, 300),
                    of("D", "to nothing", 60, 300, amendment=1, quantity=0),
                    of("E", "to another product", 1, 20),
                    of("E", "to another product", 20, 200, amendment=1, product_id="cache"),
                    of("F", "to another customer", 1, 20),
                    of("G", "", 20, 200, amendment=1) | {"entitlement_id": "F-to another customer"},
                    of("H", "with a gap", 1, 20),
                    of("H", "with a gap", 30, 40, amendment=1),
                    of("I", "of nothing, unlimited", 1, 20, quantity=0, metering="unlimited"),
                    of("J", "of nothing", 1, 20, quantity=0),
                    of("J", "of nothing", 6, 20, amendment=1),
                    of("K", "to unlimited", 1, 20),
                    of("K", "to unlimited", 20, 41, amendment=1, quantity=0, metering="unlimited"),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                ENDS,
                ("A-extended", "db", Decimal(10), day(40), 35),
                ("C-cancelled", "db", Decimal(10), day(50), 45),
                ("D-to nothing", "db", Decimal(10), day(60), 55),
                ("E-to another product", "db", Decimal(10), day(20), 15),
                ("F-to another customer", "db", Decimal(10), day(20), 15),
                ("H-with a gap", "db", Decimal(10), day(40), 35),
                ("I-of nothing, unlimited", "db", Decimal(0), day(20), 15),
                ("K-to unlimited", "db", Decimal(10), day(41), 36),
            )
        },
    ),
    Case(
        "what follows within 30 days and ends later renews; at least half of it is enough",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                5,
                [
                    *(ended(customer_id) for customer_id in "ABCDEFGHIJ"),
                    of("A", "half", 30, 300, quantity=5),
                    of("B", "less", 30, 300, quantity="4.9999"),
                    of("C", "after 30 days", 60, 300),
                    of("D", "after 31 days", 61, 300),
                    of("E", "unlimited", 30, 300, quantity=1, metering="unlimited"),
                    of("F", "begun with it", 1, 300),
                    of("G", "ends with it", 10, 30),
                    of("H", "b", 30, 300),
                    of("H", "a", 30, 300, quantity=1),
                    of("H", "9", 30, 299),
                    of("I", "of another product", 30, 300, product_id="cache"),
                    of("J", "of nothing", 30, 300, quantity=0),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                RENEWED,
                ("A", "A-0", "A-half", Decimal(5), False),
                ("B", "B-0", "B-less", Decimal("4.9999"), True),
                ("C", "C-0", "C-after 30 days", Decimal(10), False),
                ("D", "D-0", None, None, True),
                ("E", "E-0", "E-unlimited", None, False),
                ("F", "F-0", None, None, True),
                ("G", "G-0", None, None, True),
                ("H", "H-0", "H-a", Decimal(1), True),
                ("I", "I-0", None, None, True),
                ("J", "J-0", None, None, True),
            )
        },
    ),
    Case(
        "a renewal is what its last amendment in force gives, from its first day with anything",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                5,
                [
                    *(ended(customer_id) for customer_id in "ABCD"),
                    of("A", "reduced", 30, 300),
                    of("A", "reduced", 40, 300, amendment=1, quantity=2),
                    of("A", "reduced", 50, 50, amendment=2, quantity=9),
                    of("B", "from nothing", 1, 300, quantity=0),
                    of("B", "from nothing", 60, 300, amendment=1, quantity=6),
                    of("C", "from nothing too late", 1, 300, quantity=0),
                    of("C", "from nothing too late", 61, 300, amendment=1, quantity=6),
                    of("D", "cancelled", 20, 300),
                    of("D", "cancelled", 30, 30, amendment=1),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                RENEWED,
                ("A", "A-0", "A-reduced", Decimal(2), True),
                ("B", "B-0", "B-from nothing", Decimal(6), False),
                ("C", "C-0", None, None, True),
                ("D", "D-0", None, None, True),
            )
        },
    ),
    Case(
        "a bundle's components end and are renewed each on its own",
        lake(
            span(1, 5),
            dump("bundles", 5, [bundle(quantity=2), bundle(product_id="cache", quantity=3)]),
            dump(
                "entitlements",
                5,
                [
                    of("A", "0", 1, 30, product_id="suite"),
                    of("A", "1", 25, 200, product_id="cache", quantity=12),
                ],
            ),
        ),
        {
            "mart.report_renewals": table_of(
                "product_id quantity unit renewed_by renewed_quantity at_risk",
                ("db", Decimal(20), "vCPU", None, None, True),
                ("cache", Decimal(30), "vCPU", "A-1", Decimal(12), True),
            )
        },
    ),
]
