"""Section 7: exchange rates as they come."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, table_of
from consumption_datamart_tests.lakes import day, rate

CASES = [
    Case(
        "of a rate the last dump counts; what is no rate is set aside",
        lake(
            dump("exchange_rates", 4, [rate(), rate(valid_from=day(2))]),
            dump(
                "exchange_rates",
                5,
                [
                    rate(rate="1.123456785"),
                    rate(currency="eur"),
                    rate(currency="AAA", rate=0),
                    rate(currency="BBB", rate="0.000000004"),
                    rate(currency="CCC", rate="0.000000005"),
                    rate(currency="DDD", rate=10**10),
                    rate(currency="EEE", rate=10**10 - 1),
                    rate(currency="FFF", valid_from=day(99)),
                    rate(currency="GGG", valid_from=None),
                    rate(currency="HHH", rate=1),
                    rate(currency="HHH", rate=2),
                ],
            ),
        ),
        {
            "lake.raw_exchange_rates": table_of(
                "currency valid_from rate dump_day meta__warnings",
                ("EUR", day(1), Decimal("1.12345679"), day(5), ""),
                ("EUR", day(2), Decimal("1.25"), day(4), ""),
                ("CCC", day(1), Decimal("0.00000001"), day(5), ""),
                ("EEE", day(1), Decimal(10**10 - 1), day(5), ""),
                ("FFF", day(99), Decimal("1.25"), day(5), ""),
                ("HHH", day(1), Decimal(2), day(5), ""),
            ),
            "lake.quarantine_exchange_rates": table_of(
                "currency reason",
                ("eur", "out_of_range"),
                ("AAA", "out_of_range"),
                ("BBB", "out_of_range"),
                ("DDD", "unreadable_value"),
                ("GGG", "missing_value"),
                ("HHH", "duplicate_key"),
            ),
        },
    ),
]
