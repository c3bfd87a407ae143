"""Section 7: what an entitlement's product is worth a year."""

from datetime import date
from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, Write, dump, lake, settings, span, table_of
from consumption_datamart_tests.lakes import Row, bundle, day, entitlement, invoice, rate, usage

OCTOBER = date(2026, 10, 1)
AS_DAY = OCTOBER.isoformat()
VALUE = (
    "entitlement_id amendment product_id annual_value currency annual_value_reporting "
    "meta__warnings"
)


def naming(name: str, invoice_id: str | None = "INV-1", **overrides: object) -> Row:
    """An entitlement that names an invoice, of 125 EUR a year unless told otherwise."""
    return entitlement(entitlement_id=name, invoice_id=invoice_id, **overrides)


def two_currencies(*more: Write) -> Write:
    """Lines of 1000 USD and 1000 EUR, and two entitlements that name their invoice."""
    lines = [
        invoice(
            line_number=number,
            invoice_date=OCTOBER,
            product_id="P1",
            quantity=100,
            unit_price=10,
            currency=currency,
        )
        for number, currency in ((1, "USD"), (2, "EUR"))
    ]
    both = [
        naming(name, product_id="P1", quantity=100, starts_on=OCTOBER, ends_on=ends_on)
        for name, ends_on in (("ENT-1", date(2026, 11, 1)), ("ENT-2", date(2026, 11, 15)))
    ]
    used = usage(event_ts="2026-10-01 08:00:00", product_id="P1", quantity=80.0)
    return lake(
        dump("invoices", AS_DAY, lines),
        dump("entitlements", AS_DAY, both),
        dump("telemetry", AS_DAY, [used]),
        *more,
    )


CASES = [
    Case(
        "lines in two currencies have no value in either",
        two_currencies(),
        {
            "mart.report_renewals": table_of(
                "entitlement_id ends_on annual_value currency annual_value_reporting "
                "meta__warnings",
                ("ENT-1", date(2026, 11, 1), None, None, None, "no_exchange_rate"),
                ("ENT-2", date(2026, 11, 15), None, None, None, "no_exchange_rate"),
            )
        },
    ),
    Case(
        "lines in two currencies have one value in the reporting currency, shared by two",
        two_currencies(dump("exchange_rates", AS_DAY, [rate()])),
        {
            "mart.report_renewals": table_of(
                "entitlement_id annual_value currency annual_value_reporting meta__warnings",
                ("ENT-1", None, None, 1125.0, ""),
                ("ENT-2", None, None, 1125.0, ""),
            )
        },
    ),
    Case(
        "an amendment has the value of the last invoice named, shared by all that have it",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(),
                    invoice(line_number=2, product_id="cache"),
                    invoice(
                        invoice_id="INV-2",
                        quantity=20,
                        unit_price=10,
                        term_months=24,
                        currency="USD",
                    ),
                ],
            ),
            dump("exchange_rates", 5, [rate()]),
            dump(
                "entitlements",
                5,
                [
                    naming("A"),
                    naming("A", None, amendment=1),
                    naming("A", "INV-2", amendment=2, ends_on=day(1)),
                    naming("A", None, amendment=3, product_id="cache"),
                    naming("A", "INV-1", amendment=4, product_id="cache"),
                    naming("B", starts_on=day(100)),
                    naming("C", None),
                    naming("C", "INV-1", amendment=1, product_id="calls"),
                ],
            ),
        ),
        {
            "mart.entitlement_value": table_of(
                VALUE,
                ("A", 0, "db", 62.5, "EUR", 78.125, ""),
                ("A", 1, "db", 62.5, "EUR", 78.125, ""),
                ("A", 2, "db", 100.0, "USD", 100.0, ""),
                ("A", 3, "cache", None, None, None, ""),
                ("A", 4, "cache", 125.0, "EUR", 156.25, ""),
                ("B", 0, "db", 62.5, "EUR", 78.125, ""),
                ("C", 0, "db", None, None, None, ""),
                ("C", 1, "calls", None, None, None, ""),
            )
        },
    ),
    Case(
        "the rate is that of the last day it is valid from, up to last_day",
        lake(
            span(1, 5),
            dump(
                "invoices",
                5,
                [
                    invoice(),
                    invoice(invoice_id="USD", currency="USD"),
                    invoice(invoice_id="CHF", currency="CHF"),
                    invoice(invoice_id="GBP", currency="GBP"),
                    invoice(invoice_id="ONCE", currency="JPY", term_months=0),
                ],
            ),
            dump(
                "exchange_rates",
                9,
                [
                    rate(),
                    rate(valid_from=day(5), rate="1.6"),
                    rate(valid_from=day(6), rate=2),
                    rate(currency="USD", rate=3),
                    rate(currency="CHF", valid_from=day(6)),
                    rate(currency="GBP", valid_from=day(5), rate="0.00000001"),
                ],
            ),
            dump(
                "entitlements",
                5,
                [
                    naming("EUR"),
                    naming("USD", "USD"),
                    naming("CHF", "CHF"),
                    naming("GBP", "GBP"),
                    naming("JPY", "ONCE"),
                ],
            ),
        ),
        {
            "mart.entitlement_value": table_of(
                VALUE,
                ("EUR", 0, "db", 125.0, "EUR", 200.0, ""),
                ("USD", 0, "db", 125.0, "USD", 125.0, ""),
                ("CHF", 0, "db", 125.0, "CHF", None, "no_exchange_rate"),
                ("GBP", 0, "db", 125.0, "GBP", 0.00000125, ""),
                ("JPY", 0, "db", None, None, None, ""),
            )
        },
    ),
    Case(
        "the reporting currency is a setting",
        lake(
            settings('currency = "EUR"\n'),
            dump("invoices", 5, [invoice(), invoice(invoice_id="USD", currency="USD")]),
            dump("entitlements", 5, [naming("EUR"), naming("USD", "USD")]),
        ),
        {
            "mart.entitlement_value": table_of(
                VALUE,
                ("EUR", 0, "db", 125.0, "EUR", 125.0, ""),
                ("USD", 0, "db", 125.0, "USD", None, "no_exchange_rate"),
            )
        },
    ),
    Case(
        "a bundle's value is shared by its entitlements, and then by its components",
        lake(
            dump(
                "invoices",
                5,
                [
                    invoice(product_id="suite", quantity=12, unit_price=10),
                    invoice(line_number=2, product_id="db", quantity=999),
                ],
            ),
            dump("exchange_rates", 5, [rate()]),
            dump("bundles", 5, [bundle(), bundle(product_id="cache", quantity=0)]),
            dump(
                "entitlements",
                5,
                [
                    naming("A", product_id="suite", ends_on=day(30)),
                    naming("B", product_id="suite"),
                ],
            ),
        ),
        {
            "mart.entitlement_value": table_of(
                VALUE,
                *(
                    (name, 0, product, 30.0, "EUR", 37.5, "")
                    for name in ("A", "B")
                    for product in ("db", "cache")
                ),
            ),
            "mart.report_renewals": table_of(
                "entitlement_id product_id quantity annual_value",
                ("A", "db", Decimal(20), 30.0),
            ),
        },
    ),
]
