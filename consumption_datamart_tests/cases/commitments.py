"""Section 8: report_commitments, every figure of it."""

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of, used
from consumption_datamart_tests.lakes import Row, day, entitlement, invoice, rate


def consumable(
    customer_id: str, first: int, end: int, quantity: object, **overrides: object
) -> Row:
    """A consumable of a customer, for the whole term from a day to the one before its end."""
    return entitlement(
        **{
            "entitlement_id": customer_id,
            "customer_id": customer_id,
            "metering": "consumable",
            "quantity": quantity,
            "starts_on": day(first),
            "ends_on": day(end),
            **overrides,
        }
    )


def used_by(number: int, quantities: dict[str, float]) -> list[Row]:
    """Usage of a day by several customers, each on a deployment of its own."""
    return [
        used(number, quantity, customer_id=name, deployment_id=name)
        for name, quantity in quantities.items()
    ]


CASES = [
    Case(
        "a month of a consumable in full, raised in its middle",
        lake(
            span(1, 20),
            dump("invoices", 1, [invoice(invoice_date=day(1))]),
            dump("exchange_rates", 1, [rate()]),
            dump(
                "entitlements",
                1,
                [
                    consumable("CUST-1", 1, 100, 31, period="month"),
                    consumable("CUST-1", 16, 100, 62, period="month", amendment=1),
                ],
            ),
            dump("telemetry", 10, [used(10, 2), used(10, 4, deployment_id="DEP-2")]),
            dump("telemetry", 20, [used(20, 3)]),
        ),
        {
            "mart.report_commitments": [
                {
                    "source": "entitlements",
                    "entitlement_id": "CUST-1",
                    "amendment": 1,
                    "customer_id": "CUST-1",
                    "customer_name": "Acme",
                    "product_id": "db",
                    "product_name": "Database",
                    "period": "month",
                    "unit": "vCPU",
                    "metering": "consumable",
                    "starts_on": day(1),
                    "ends_on": day(32),
                    "quantity": 47.0,
                    "term_days": 31,
                    "elapsed_days": 20,
                    "remaining_days": 11,
                    "elapsed_pct": 20 / 31,
                    "observed_days": 20,
                    "used_to_date": 9.0,
                    "peak_used": 6.0,
                    "used_estimated": 9.0,
                    "used_pct": 9 / 47,
                    "burn_30d": 0.45,
                    "projected": 13.95,
                    "projected_pct": 13.95 / 47,
                    "pace": 279 / 940,
                    "exhausts_on": None,
                    "target_daily": 38 / 11,
                    "overage": 0.0,
                    "unused": 33.05,
                    "annual_value": 125.0,
                    "currency": "EUR",
                    "annual_value_reporting": 156.25,
                    "unused_value": 156.25 * 33.05 / 47,
                    "overage_value": 0.0,
                    "status": "at_risk",
                    "meta__warnings": "",
                }
            ]
        },
    ),
    Case(
        "capacity: two entitlements share what is used in proportion to what each entitles to",
        lake(
            span(1, 40),
            dump(
                "entitlements",
                1,
                [
                    entitlement(entitlement_id="1", ends_on=day(101)),
                    entitlement(
                        entitlement_id="2", quantity=30, starts_on=day(11), ends_on=day(101)
                    ),
                ],
            ),
            dump("telemetry", 5, [used(5, 8)]),
            dump("telemetry", 20, [used(20, 20)]),
            dump("telemetry", 40, [used(40, 8)]),
        ),
        {
            "mart.report_commitments": table_of(
                "entitlement_id starts_on ends_on quantity term_days elapsed_days remaining_days "
                "observed_days used_to_date peak_used used_estimated used_pct burn_30d projected "
                "projected_pct pace exhausts_on target_daily overage unused unused_value status",
                (
                    *("1", day(1), day(101), 10.0, 100, 40, 60, 40, 15.0, 8.0, 15.0, 0.0375),
                    *(7 / 30, 7 / 30, 7 / 300, 0.0375, None, None, 0.0, 293 / 30, None, "at_risk"),
                ),
                (
                    *("2", day(11), day(101), 30.0, 90, 30, 60, 30, 21.0, 15.0, 21.0, 7 / 300),
                    *(0.7, 0.7, 7 / 300, 7 / 300, None, None, 0.0, 29.3, None, "at_risk"),
                ),
            )
        },
    ),
    Case(
        "use before the first day is estimated by use since, with a warning",
        lake(
            span(11, 20),
            dump(
                "entitlements",
                11,
                [
                    consumable("before", 1, 41, 40),
                    consumable("more", 1, 41, 41),
                    consumable("less", 1, 41, 15),
                    consumable("since", 11, 31, 20),
                ],
            ),
            dump("telemetry", 15, used_by(15, {"before": 5, "more": 5, "less": 5, "since": 5})),
            dump("telemetry", 20, used_by(20, {"before": 5, "more": 5, "less": 5, "since": 5})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id observed_days used_to_date used_estimated used_pct burn_30d projected "
                "pace exhausts_on target_daily overage unused status meta__warnings",
                (
                    *("before", 10, 10.0, 20.0, 0.5, 1.0, 40.0, 1.0, day(40)),
                    *(1.0, 0.0, 0.0, "overrunning", "before_history"),
                ),
                (
                    *("more", 10, 10.0, 20.0, 20 / 41, 1.0, 40.0, 40 / 41, None),
                    *(1.05, 0.0, 1.0, "on_track", "before_history"),
                ),
                (
                    *("less", 10, 10.0, 20.0, 20 / 15, 1.0, 40.0, 40 / 15, day(21)),
                    *(0.0, 25.0, 0.0, "overrunning", "before_history"),
                ),
                (
                    *("since", 10, 10.0, 10.0, 0.5, 1.0, 20.0, 1.0, day(30)),
                    *(1.0, 0.0, 0.0, "overrunning", ""),
                ),
            )
        },
    ),
    Case(
        "what is overrun and what is unused have their share of the year's value",
        lake(
            span(1, 40),
            dump(
                "invoices",
                1,
                [
                    invoice(invoice_date=day(1), invoice_id=name, currency=currency)
                    for name, currency in (("over", "USD"), ("under", "USD"), ("no rate", "EUR"))
                ],
            ),
            dump(
                "entitlements",
                1,
                [
                    consumable("over", 1, 81, 40, invoice_id="over"),
                    consumable("under", 1, 81, 140, invoice_id="under"),
                    consumable("no rate", 1, 81, 70, invoice_id="no rate"),
                ],
            ),
            dump("telemetry", 40, used_by(40, {"over": 30, "under": 30, "no rate": 30})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id projected annual_value annual_value_reporting unused_value "
                "overage_value status meta__warnings",
                ("over", 70.0, 125.0, 125.0, 0.0, 93.75, "overrunning", ""),
                ("under", 70.0, 125.0, 125.0, 62.5, 0.0, "underused", ""),
                ("no rate", 70.0, 125.0, None, None, None, "overrunning", "no_exchange_rate"),
            )
        },
    ),
    Case(
        "used up on the day whose sum reaches the quantity, or in as many days as it will last",
        lake(
            span(1, 30),
            dump(
                "entitlements",
                1,
                [
                    consumable("on day 20", 1, 101, 30),
                    consumable("not yet", 1, 101, "30.0001"),
                    consumable("never", 1, 101, 30),
                    consumable("ends today", 1, 31, 60),
                ],
            ),
            dump("telemetry", 10, used_by(10, {"on day 20": 10, "not yet": 10})),
            dump("telemetry", 20, used_by(20, {"on day 20": 20, "not yet": 20, "ends today": 30})),
            dump("telemetry", 30, used_by(30, {"on day 20": 5})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id used_to_date remaining_days exhausts_on target_daily status",
                ("on day 20", 35.0, 70, day(20), 0.0, "exhausted"),
                ("not yet", 30.0, 70, day(31), 0.0001 / 70, "overrunning"),
                ("never", 0.0, 70, None, 30 / 70, "unused"),
                ("ends today", 30.0, 0, None, None, "underused"),
            )
        },
    ),
    Case(
        "a sum that binary fractions put just below the quantity has reached it",
        lake(
            span(1, 30),
            dump("entitlements", 1, [consumable("A", 1, 101, "0.8")]),
            dump("telemetry", 10, used_by(10, {"A": 0.7})),
            dump("telemetry", 20, used_by(20, {"A": 0.1})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id used_to_date exhausts_on status", ("A", 0.8, day(20), "exhausted")
            )
        },
    ),
    Case(
        "days that remain are whole, but noise in their number is no day",
        lake(
            dump(
                "entitlements",
                1,
                [consumable("three", 1, 31, "1.3"), consumable("four", 1, 31, "1.3001")],
            ),
            *(
                dump("telemetry", number, used_by(number, {"three": 0.1, "four": 0.1}))
                for number in range(1, 11)
            ),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id used_to_date burn_30d exhausts_on",
                ("three", 1.0, 0.1, day(13)),
                ("four", 1.0, 0.1, day(14)),
            )
        },
    ),
]
