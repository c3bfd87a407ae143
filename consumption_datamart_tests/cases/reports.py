"""Section 4: the 30-day reports, their windows and bands."""

from consumption_datamart_tests.cases.base import Case, days, dump, lake, span, table_of, used
from consumption_datamart_tests.lakes import Row, day, entitlement, invoice

REPORT = "day entitled_30d used_30d consumption_30d band"


def customers_using(**quantities: float | None) -> list[Row]:
    """Usage of day 5 by customers named as the keywords, each on a deployment of its own."""
    return [
        used(5, quantity, customer_id=name, deployment_id=name)
        for name, quantity in quantities.items()
        if quantity is not None
    ]


def customers_entitled(*names: str) -> list[Row]:
    """An entitlement to 10 for each of these customers."""
    return [entitlement(entitlement_id=name, customer_id=name) for name in names]


CASES = [
    Case(
        "sums over 30 days: absent days count 0, the 31st day back counts no more",
        lake(
            span(1, 32),
            dump("entitlements", 1, [entitlement(starts_on=day(1), ends_on=day(3))]),
            dump("telemetry", 1, [used(1, 4)]),
        ),
        {
            "mart.report_consumption_daily": [
                *table_of(REPORT, (day(1), 10.0, 4.0, 0.4, "low")),
                *(
                    row
                    for one in days(2, 30)
                    for row in table_of(REPORT, (one, 20.0, 4.0, 0.2, "at_risk"))
                ),
                *table_of(REPORT, (day(31), 10.0, 0.0, 0.0, "unused")),
            ]
        },
    ),
    Case(
        "usage without entitlement stays for 30 days; usage of nothing never comes",
        lake(
            span(1, 31),
            dump("telemetry", 1, [used(1, 4), used(1, 0, customer_id="CUST-2", event_id="0")]),
            dump("telemetry", 31, [used(31, 0)]),
        ),
        {
            "mart.report_consumption_daily": [
                {
                    "day": one,
                    "customer_id": "CUST-1",
                    "entitled_30d": 0.0,
                    "used_30d": 4.0,
                    "consumption_30d": None,
                    "band": "unentitled",
                }
                for one in days(1, 30)
            ]
        },
    ),
    Case(
        "days before first_day count nothing, though entitlements began long before",
        lake(span(5, 6), dump("entitlements", 6, [entitlement(starts_on=day(-100))])),
        {
            "mart.report_consumption_daily": table_of(
                REPORT, (day(5), 10.0, 0.0, 0.0, "unused"), (day(6), 20.0, 0.0, 0.0, "unused")
            )
        },
    ),
    Case(
        "names: the customer's as of the day, the product's the last",
        lake(
            dump(
                "invoices",
                3,
                [
                    invoice(
                        invoice_id="INV-1",
                        invoice_date=day(1),
                        customer_name="Old",
                        product_name="DB 1",
                    ),
                    invoice(
                        invoice_id="INV-2",
                        invoice_date=day(2),
                        customer_name="New",
                        product_name="DB 2",
                    ),
                ],
            ),
            dump("telemetry", 1, [used(1, 4)]),
        ),
        {
            "mart.report_consumption_daily": table_of(
                "day customer_id customer_name product_id product_name",
                (day(1), "CUST-1", "Old", "db", "DB 2"),
                (day(2), "CUST-1", "New", "db", "DB 2"),
                (day(3), "CUST-1", "New", "db", "DB 2"),
            ),
            "mart.report_active_customers_by_product_daily": table_of(
                "day product_id product_name customer_id customer_name",
                (day(1), "db", "DB 2", "CUST-1", "Old"),
                (day(2), "db", "DB 2", "CUST-1", "New"),
                (day(3), "db", "DB 2", "CUST-1", "New"),
            ),
        },
    ),
    Case(
        "every band and its threshold",
        lake(
            dump(
                "telemetry",
                5,
                customers_using(
                    above=12,
                    full=10,
                    nearly=9.99,
                    healthy=7,
                    under=6.99,
                    low=3,
                    risky=2.99,
                    zero=0,
                    nobody=5,
                ),
            ),
            dump(
                "entitlements",
                5,
                customers_entitled(
                    *("above", "full", "nearly", "healthy", "under", "low", "risky", "zero"),
                    "absent",
                ),
            ),
        ),
        {
            "mart.report_consumption_daily": table_of(
                "customer_id consumption_30d band",
                ("above", 1.2, "over"),
                ("full", 1.0, "over"),
                ("nearly", 0.999, "healthy"),
                ("healthy", 0.7, "healthy"),
                ("under", 0.699, "low"),
                ("low", 0.3, "low"),
                ("risky", 0.299, "at_risk"),
                ("zero", 0.0, "unused"),
                ("absent", 0.0, "unused"),
                ("nobody", None, "unentitled"),
            )
        },
    ),
    Case(
        "a ratio that binary fractions put just below its threshold has reached it",
        lake(
            dump(
                "telemetry",
                5,
                [
                    used(5, 0.1, deployment_id="1", customer_id="tenths"),
                    used(5, 0.1, deployment_id="2", customer_id="tenths"),
                    used(5, 0.1, deployment_id="3", customer_id="tenths"),
                    used(5, 2.01, deployment_id="4", customer_id="low"),
                    used(5, 5.81, deployment_id="5", customer_id="healthy"),
                ],
            ),
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="1", customer_id="tenths", quantity=1),
                    entitlement(entitlement_id="2", customer_id="low", quantity="6.7"),
                    entitlement(entitlement_id="3", customer_id="healthy", quantity="8.3"),
                ],
            ),
        ),
        {
            "mart.report_consumption_daily": table_of(
                "customer_id consumption_30d band",
                ("tenths", 0.3, "low"),
                ("low", 0.3, "low"),
                ("healthy", 0.7, "healthy"),
            )
        },
    ),
    Case(
        "active for 30 days from a day of usage; usage of nothing is none",
        lake(
            span(1, 32),
            dump("telemetry", 1, [used(1, 0.25)]),
            dump("telemetry", 2, [used(2, 0), used(2, 0, customer_id="CUST-2", event_id="0")]),
        ),
        {
            "mart.report_active_customers_by_product_daily": [
                {"day": one, "product_id": "db", "customer_id": "CUST-1"} for one in days(1, 30)
            ]
        },
    ),
    Case(
        "active once, whatever the number of deployments, by product",
        lake(
            dump(
                "telemetry",
                5,
                [
                    used(5, 1, deployment_id="1"),
                    used(5, 1, deployment_id="2"),
                    used(5, 0, deployment_id="3"),
                    used(5, 1, deployment_id="1", product_id="cache"),
                    used(5, 1, deployment_id="4", customer_id="CUST-2"),
                ],
            )
        ),
        {
            "mart.report_active_customers_by_product_daily": table_of(
                "day product_id customer_id",
                (day(5), "db", "CUST-1"),
                (day(5), "cache", "CUST-1"),
                (day(5), "db", "CUST-2"),
            )
        },
    ),
]
