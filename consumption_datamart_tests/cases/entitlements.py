"""Section 3: fact_entitlement_daily, what is in force on a day and what it entitles to."""

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of
from consumption_datamart_tests.lakes import Row, day, entitlement


def entitled(*rows: tuple[int, float]) -> dict[str, list[Row]]:
    """Expect one entitlement of the default customer and product, by the number of the day."""
    return {
        "mart.fact_entitlement_daily": [
            {
                "day": day(number),
                "customer_id": "CUST-1",
                "product_id": "db",
                "entitled_quantity": quantity,
                "entitlement_count": 1,
            }
            for number, quantity in rows
        ]
    }


def version(amendment: int, first: int, end: int, quantity: float, **overrides: object) -> Row:
    """An amendment in force from a day to the one before its end."""
    return entitlement(
        amendment=amendment,
        starts_on=day(first),
        ends_on=day(end),
        quantity=quantity,
        **overrides,
    )


CASES = [
    Case(
        "in force from its start, on its end no more",
        lake(span(1, 5), dump("entitlements", 1, [version(0, 2, 4, 10)])),
        entitled((2, 10.0), (3, 10.0)),
    ),
    Case(
        "an amendment replaces the original from its start",
        lake(span(1, 6), dump("entitlements", 1, [version(0, 1, 6, 10), version(1, 3, 6, 20)])),
        entitled((1, 10.0), (2, 10.0), (3, 20.0), (4, 20.0), (5, 20.0)),
    ),
    Case(
        "a cancellation ends on its start",
        lake(span(1, 6), dump("entitlements", 1, [version(0, 1, 6, 10), version(1, 3, 3, 0)])),
        entitled((1, 10.0), (2, 10.0)),
    ),
    Case(
        "a cancelled entitlement is taken up again",
        lake(
            span(1, 6),
            dump(
                "entitlements",
                1,
                [version(0, 1, 6, 10), version(1, 2, 2, 10), version(2, 4, 6, 30)],
            ),
        ),
        entitled((1, 10.0), (4, 30.0), (5, 30.0)),
    ),
    Case(
        "an amendment that starts before its original replaces it even after its own end",
        lake(span(1, 7), dump("entitlements", 1, [version(0, 4, 7, 10), version(1, 2, 5, 20)])),
        entitled((2, 20.0), (3, 20.0), (4, 20.0)),
    ),
    Case(
        "a retroactive amendment counts from its start, not its dump",
        lake(
            dump("entitlements", 1, [version(0, 1, 6, 10)]),
            dump("entitlements", 5, [version(1, 2, 6, 20)]),
        ),
        entitled((1, 10.0), (2, 20.0), (3, 20.0), (4, 20.0), (5, 20.0)),
    ),
    Case(
        "of several that have started the highest amendment counts, not the latest start",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [version(0, 1, 9, 10), version(1, 4, 9, 20), version(2, 3, 9, 30)],
            ),
        ),
        entitled((1, 10.0), (2, 10.0), (3, 30.0), (4, 30.0), (5, 30.0)),
    ),
    Case(
        "an amendment whose original never came stands for itself",
        lake(span(1, 3), dump("entitlements", 1, [version(2, 2, 9, 10)])),
        entitled((2, 10.0), (3, 10.0)),
    ),
    Case(
        "an entitlement of no length, and one before and one after the days there are",
        lake(
            span(5, 6),
            dump(
                "entitlements",
                5,
                [
                    version(0, 5, 5, 10, entitlement_id="no length"),
                    version(0, 1, 5, 10, entitlement_id="before"),
                    version(0, 7, 9, 10, entitlement_id="after"),
                ],
            ),
        ),
        entitled(),
    ),
    Case(
        "entitlements that overlap are summed, by customer and product",
        lake(
            span(1, 3),
            dump(
                "entitlements",
                1,
                [
                    version(0, 1, 3, 10, entitlement_id="1"),
                    version(0, 2, 4, 5, entitlement_id="2"),
                    version(0, 2, 3, 7, entitlement_id="3", product_id="cache"),
                    version(0, 2, 3, 8, entitlement_id="4", customer_id="CUST-2"),
                ],
            ),
        ),
        {
            "mart.fact_entitlement_daily": table_of(
                "day customer_id product_id entitled_quantity entitlement_count",
                (day(1), "CUST-1", "db", 10.0, 1),
                (day(2), "CUST-1", "db", 15.0, 2),
                (day(2), "CUST-1", "cache", 7.0, 1),
                (day(2), "CUST-2", "db", 8.0, 1),
                (day(3), "CUST-1", "db", 5.0, 1),
            )
        },
    ),
    Case(
        "a consumable is spread over the days of its own amendment",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [
                    version(0, 1, 5, 10, metering="consumable"),
                    version(1, 3, 9, 9, metering="consumable"),
                ],
            ),
        ),
        entitled((1, 2.5), (2, 2.5), (3, 1.5), (4, 1.5), (5, 1.5)),
    ),
    Case(
        "capacity and consumable of one product are summed, each by its own metering",
        lake(
            span(1, 2),
            dump(
                "entitlements",
                1,
                [
                    version(0, 1, 5, 10, entitlement_id="1", metering="consumable"),
                    version(0, 1, 5, 10, entitlement_id="2"),
                ],
            ),
        ),
        {
            "mart.fact_entitlement_daily": table_of(
                "day entitled_quantity entitlement_count", (day(1), 12.5, 2), (day(2), 12.5, 2)
            )
        },
    ),
    Case(
        "an amendment may be of another customer and product",
        lake(
            span(1, 3),
            dump(
                "entitlements",
                1,
                [
                    version(0, 1, 9, 10),
                    version(1, 2, 9, 20, customer_id="CUST-2", product_id="cache"),
                ],
            ),
        ),
        {
            "mart.fact_entitlement_daily": table_of(
                "day customer_id product_id entitled_quantity",
                (day(1), "CUST-1", "db", 10.0),
                (day(2), "CUST-2", "cache", 20.0),
                (day(3), "CUST-2", "cache", 20.0),
            )
        },
    ),
    Case(
        "an entitlement to nothing has a row of its own, but none of consumption",
        lake(span(1, 1), dump("entitlements", 1, [version(0, 1, 9, 0)])),
        entitled((1, 0.0)) | {"mart.fact_consumption_daily": []},
    ),
]
