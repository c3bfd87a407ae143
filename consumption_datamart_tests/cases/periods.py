"""Section 7: consumables of which there is a quantity for each month, quarter or year."""

from datetime import date
from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of
from consumption_datamart_tests.lakes import Row, bundle, day, entitlement

PERIOD = "amendment period_starts_on period_ends_on valid_from valid_to daily_quantity"


def consumable(**overrides: object) -> Row:
    """A consumable of each month, for all of 2026 from the day on which it starts."""
    return entitlement(**{"metering": "consumable", "period": "month", **overrides})


CASES = [
    Case(
        "months begin on the anchor's day, or on the month's last, up to last_day",
        lake(
            span(1, 61),
            dump(
                "entitlements",
                1,
                [consumable(quantity=310, starts_on=day(31), ends_on=date(2027, 1, 31))],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                PERIOD,
                (0, day(31), date(2026, 2, 28), day(31), date(2026, 2, 28), 310 / 28),
                (0, date(2026, 2, 28), date(2026, 3, 31), day(59), date(2026, 3, 31), 10.0),
            )
        },
    ),
    Case(
        "a period that begins on last_day is told, one that begins the day after is not",
        lake(
            span(1, 32),
            dump(
                "entitlements",
                1,
                [
                    consumable(entitlement_id="today", quantity=31),
                    consumable(entitlement_id="tomorrow", quantity=31, starts_on=day(2)),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                "entitlement_id period_starts_on daily_quantity",
                ("today", day(1), 1.0),
                ("today", day(32), 31 / 28),
                ("tomorrow", day(2), 1.0),
            )
        },
    ),
    Case(
        "of what begins after last_day the first period is told",
        lake(span(1, 5), dump("entitlements", 1, [consumable(quantity=28, starts_on=day(32))])),
        {
            "mart.dim_entitlement": table_of(
                PERIOD, (0, day(32), date(2026, 3, 1), day(32), date(2026, 3, 1), 1.0)
            ),
            "mart.fact_entitlement_daily": [],
        },
    ),
    Case(
        "an amendment within a period entitles to its own quantity for the rest of it",
        lake(
            span(1, 32),
            dump(
                "entitlements",
                1,
                [
                    consumable(quantity=31),
                    consumable(quantity=62, amendment=1, starts_on=day(16), ends_on=day(41)),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                PERIOD,
                (0, day(1), day(32), day(1), day(16), 1.0),
                (1, day(1), day(32), day(16), day(32), 2.0),
                (1, day(32), day(60), day(32), day(41), 62 / 28),
            ),
            "mart.fact_entitlement_daily": table_of(
                "day entitled_quantity",
                *((day(number), 1.0) for number in range(1, 16)),
                *((day(number), 2.0) for number in range(16, 32)),
                (day(32), 62 / 28),
            ),
        },
    ),
    Case(
        "periods are counted from the lowest amendment with that period, also backwards",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [
                    entitlement(amendment=0, ends_on=day(90)),
                    consumable(amendment=1, starts_on=day(20), metering="capacity"),
                    consumable(amendment=2, quantity=31, starts_on=day(5), ends_on=day(40)),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                PERIOD,
                (0, day(1), day(90), day(1), day(5), 10.0),
                (2, date(2025, 12, 20), day(20), day(5), day(20), 1.0),
            )
        },
    ),
    Case(
        "an anchor is of its own period",
        lake(
            span(1, 40),
            dump(
                "entitlements",
                1,
                [
                    consumable(amendment=0, period="quarter", quantity=90, starts_on=day(1)),
                    consumable(amendment=1, period="month", quantity=31, starts_on=day(10)),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                PERIOD,
                (0, day(1), date(2026, 4, 1), day(1), day(10), 1.0),
                (1, day(10), day(41), day(10), day(41), 1.0),
            )
        },
    ),
    Case(
        "quarters and years; a capacity and a term without periods are whole",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [
                    consumable(entitlement_id="quarter", period="quarter", quantity=90),
                    consumable(entitlement_id="year", period="year", quantity=365),
                    consumable(entitlement_id="term", period=None, quantity=7, ends_on=day(8)),
                    consumable(entitlement_id="capacity", metering="capacity", ends_on=day(8)),
                    consumable(entitlement_id="unlimited", metering="unlimited", ends_on=day(8)),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                "entitlement_id period period_starts_on period_ends_on daily_quantity",
                ("quarter", "quarter", day(1), date(2026, 4, 1), 1.0),
                ("year", "year", day(1), date(2027, 1, 1), 1.0),
                ("term", None, day(1), day(8), 1.0),
                ("capacity", "month", day(1), day(8), 10.0),
                ("unlimited", "month", day(1), day(8), None),
            )
        },
    ),
    Case(
        "years from a leap day on",
        lake(
            span(1, 70),
            dump(
                "entitlements",
                1,
                [
                    consumable(
                        period="year",
                        quantity=365,
                        starts_on=date(2024, 2, 29),
                        ends_on=date(2026, 3, 5),
                    )
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                PERIOD,
                *(
                    (0, starts, ends, starts, min(ends, date(2026, 3, 5)), 1.0)
                    for starts, ends in (
                        (date(2024, 2, 29), date(2025, 2, 28)),
                        (date(2025, 2, 28), date(2026, 2, 28)),
                        (date(2026, 2, 28), date(2027, 2, 28)),
                    )
                ),
            )
        },
    ),
    Case(
        "a period of a bundle's component; a period that ends after the last of all days",
        lake(
            span(1, 5),
            dump(
                "bundles",
                1,
                [bundle(product_id="calls", quantity="3.1", metering="consumable")],
            ),
            dump(
                "entitlements",
                1,
                [
                    consumable(product_id="suite", metering="capacity", quantity=10),
                    consumable(
                        entitlement_id="ENT-2",
                        period="year",
                        quantity=305,
                        starts_on=date(9999, 3, 1),
                        ends_on=date(9999, 12, 31),
                    ),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                "product_id quantity period_starts_on period_ends_on daily_quantity",
                ("calls", Decimal(31), day(1), day(32), 1.0),
                ("db", Decimal(305), date(9999, 3, 1), date(9999, 12, 31), 1.0),
            )
        },
    ),
    Case(
        "a period that began before the first of all days",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [
                    consumable(quantity=365, period="year", starts_on=date(2026, 3, 15)),
                    consumable(
                        amendment=1,
                        quantity=730,
                        period="year",
                        starts_on=date(1, 1, 1),
                        ends_on=date(1, 4, 1),
                    ),
                ],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                PERIOD,
                (1, date(1, 1, 1), date(1, 3, 15), date(1, 1, 1), date(1, 3, 15), 10.0),
                (1, date(1, 3, 15), date(2, 3, 15), date(1, 3, 15), date(1, 4, 1), 2.0),
            )
        },
    ),
]
