"""Rows of every lake table for Hypothesis, and the dirt that is found in them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from consumption_datamart_tests.contract import OPTIONAL
from consumption_datamart_tests.lakes import Row

START = date(2026, 1, 1)

CUSTOMERS = ["CUST-1", "CUST-1", "CUST-1", "CUST-1", "CUST-2", "CUST-2", "CUST-3", "ACME"]
NAMES = ["Acme", "Beta, Inc.", 'The "Gamma"']
GROUPS = ["GROUP", "CUST-9"]
PRODUCTS = ["db", "db", "db", "db", "cache", "calls", "suite"]
BUNDLES = ["suite", "suite", "suite", "calls"]
INVOICES = ["INV-1", "INV-2", "INV-3"]
UNITS = ["vCPU", "GiB", "api_call"]
DEPLOYMENTS = ["DEP-1", "DEP-2", "DEP-3", "DEP-4"]
INFRASTRUCTURES = ["aws_ec2", "on_prem", None]
QUANTITIES = [Decimal(text) for text in ("0", "1", "2", "3", "7", "10", "2.5", "0.25", "2000000")]
TERMS = [0, 1, 12, 24]
PERIODS = [None, None, "month", "month", "month", "quarter", "year"]
METERINGS = ["capacity", "capacity", "consumable", "consumable", "consumable", "unlimited"]
MONTH_ENDS = [date(2025, 8, 31), date(2025, 11, 29), date(2025, 12, 31), date(2026, 1, 30)]
AGES = [0, 1, 3, 10, 25, 40, -1, -5, -40]
SPANS = [0, 1, 2, 7, 10, 30, 45, 60, 90, 90, 365, 365]

DIRT: dict[str, list[tuple[str, object]]] = {
    "invoices": [
        ("line_number", "one"),
        ("line_number", "1.5"),
        ("line_number", " 7 "),
        ("line_number", 0),
        ("invoice_date", "2026-02-30"),
        ("customer_id", None),
        ("customer_name", "  "),
        ("customer_name", "Line\nbreak"),
        ("customer_name", "\u00a0 Acme\u200b"),
        ("customer_name", "n/a"),
        ("customer_name", "\\N"),
        ("invoice_date", "2026-01-05 10:00:00 +0200"),
        ("product_id", ""),
        ("quantity", Decimal(-1)),
        ("quantity", "8.00005"),
        ("unit_price", "nan"),
        ("unit_price", Decimal(-1)),
        ("currency", "euro"),
        ("term_months", -1),
        ("term_months", None),
    ],
    "entitlements": [
        ("entitlement_id", " "),
        ("amendment", "first"),
        ("amendment", -1),
        ("customer_id", None),
        ("quantity", "many"),
        ("period", "week"),
        ("period", " quarter "),
        ("ends_on", "2999-01-01"),
        ("quantity", Decimal(-1)),
        ("unit", ""),
        ("metering", "flat"),
        ("metering", None),
        ("starts_on", "soon"),
        ("starts_on", "2019-07-01T10:30:00"),
        ("ends_on", date(2020, 1, 1)),
        ("ends_on", None),
    ],
    "telemetry": [
        ("event_id", None),
        ("event_ts", "noon"),
        ("event_ts", datetime(2025, 12, 31, 23, 59, 59)),
        ("event_ts", "2026-01-04T23:30:30-01:00"),
        ("event_ts", None),
        ("customer_id", " "),
        ("product_id", None),
        ("quantity", "lots"),
        ("quantity", -1.0),
        ("quantity", float("nan")),
        ("quantity", "1e16"),
        ("event_ts", "2026-01-05T10:00:00.9999999 UTC"),
        ("unit", "#n/a"),
        ("infrastructure", " NULL\u00a0"),
        ("quantity", float("inf")),
        ("unit", None),
    ],
    "bundles": [
        ("bundle_id", None),
        ("product_id", " "),
        ("quantity", Decimal(-1)),
        ("quantity", "half"),
        ("quantity", "0.00005"),
        ("unit", None),
        ("metering", "unlimited"),
        ("metering", "flat"),
        ("metering", None),
    ],
    "accounts": [
        ("customer_id", None),
        ("customer_id", "\u00a0CUST-1 "),
        ("parent_customer_id", " NULL "),
        ("segment", "a, b"),
        ("region", "\\N"),
    ],
    "exchange_rates": [
        ("currency", "euro"),
        ("currency", None),
        ("valid_from", "2026-02-30"),
        ("valid_from", None),
        ("rate", Decimal(0)),
        ("rate", Decimal(-1)),
        ("rate", "0.000000004"),
        ("rate", "1.123456785"),
        ("rate", "10000000000"),
        ("rate", "par"),
        ("rate", None),
    ],
}


def _invoices(dump_day: date) -> st.SearchStrategy[Row]:
    """Invoice lines dated up to 40 days before their dump, or one after it."""
    return st.fixed_dictionaries(
        {
            "invoice_id": st.sampled_from(INVOICES),
            "line_number": st.sampled_from([1, 2, 10]),
            "invoice_date": st.sampled_from([0, 0, 1, 2, 5, 9, 40, -1]).map(
                lambda age: dump_day - timedelta(days=age)
            ),
            "customer_id": st.sampled_from(CUSTOMERS),
            "customer_name": st.sampled_from(NAMES),
            "product_id": st.sampled_from(PRODUCTS),
            "product_name": st.sampled_from(["Database", "Cache", "Calls"]),
            "quantity": st.sampled_from(QUANTITIES),
            "unit_price": st.sampled_from([Decimal(0), Decimal(10), Decimal("12.5")]),
            "currency": st.sampled_from(["EUR", "USD"]),
            "term_months": st.sampled_from(TERMS),
        }
    )


def _entitlements(dump_day: date) -> st.SearchStrategy[Row]:
    """Originals, amendments and cancellations, starting up to 40 days before or after."""
    return st.fixed_dictionaries(
        {
            "entitlement_id": st.sampled_from(["ENT-1", "ENT-2", "ENT-3", "ENT-4"]),
            "amendment": st.sampled_from([0, 0, 0, 1, 2]),
            "invoice_id": st.sampled_from([*INVOICES, None]),
            "customer_id": st.sampled_from(CUSTOMERS),
            "product_id": st.sampled_from(PRODUCTS),
            "quantity": st.sampled_from([*QUANTITIES, Decimal(10), Decimal(15), Decimal(40)]),
            "unit": st.sampled_from(UNITS),
            "metering": st.sampled_from(METERINGS),
            "period": st.sampled_from(PERIODS),
            "starts_on": _days_about(dump_day) | st.sampled_from(MONTH_ENDS),
            "length": st.sampled_from(SPANS),
        }
    ).map(_with_end)


def _with_end(row: Row) -> Row:
    """Turn a length in days into the day an entitlement ends on."""
    kept = {name: value for name, value in row.items() if name != "length"}
    return kept | {"ends_on": row["starts_on"] + timedelta(days=row["length"])}


def _telemetry(dump_day: date) -> st.SearchStrategy[Row]:
    """Usage of the dump's day."""
    midnight = datetime(dump_day.year, dump_day.month, dump_day.day)
    return st.fixed_dictionaries(
        {
            "event_id": st.sampled_from(["EV-1", "EV-2", "EV-3", "EV-4", "EV-5"]),
            "event_ts": st.sampled_from([0, 1, 12 * 3600, 86399]).map(
                lambda seconds: midnight + timedelta(seconds=seconds)
            ),
            "customer_id": st.sampled_from(CUSTOMERS),
            "deployment_id": st.sampled_from(DEPLOYMENTS),
            "product_id": st.sampled_from(PRODUCTS),
            "infrastructure": st.sampled_from(INFRASTRUCTURES),
            "quantity": st.sampled_from([*QUANTITIES, Decimal(4), Decimal(6), Decimal(9)]).map(
                float
            ),
            "unit": st.sampled_from(UNITS),
        }
    )


def _bundles(dump_day: date) -> st.SearchStrategy[Row]:
    """Components, now and then of a bundle in a bundle."""
    return st.fixed_dictionaries(
        {
            "bundle_id": st.sampled_from(BUNDLES),
            "product_id": st.sampled_from(PRODUCTS),
            "quantity": st.sampled_from([Decimal(text) for text in ("1", "2", "0.5", "0")]),
            "unit": st.sampled_from(UNITS),
            "metering": st.sampled_from(["capacity", "consumable"]),
        }
    )


def _accounts(dump_day: date) -> st.SearchStrategy[Row]:
    """Accounts below another, some in circles."""
    return st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from([*CUSTOMERS, *GROUPS]),
            "parent_customer_id": st.sampled_from([None, *CUSTOMERS, *GROUPS, *GROUPS]),
            "segment": st.sampled_from(["enterprise", None]),
            "region": st.sampled_from(["EMEA", "APAC", None]),
            "account_manager": st.sampled_from(["Ada", None]),
        }
    )


def _exchange_rates(dump_day: date) -> st.SearchStrategy[Row]:
    """Rates valid from days before their dump and after it."""
    return st.fixed_dictionaries(
        {
            "currency": st.sampled_from(["EUR", "EUR", "USD", "CHF"]),
            "valid_from": _days_about(dump_day),
            "rate": st.sampled_from([Decimal(text) for text in ("1.25", "0.8", "1.07654321")]),
        }
    )


def _days_about(dump_day: date) -> st.SearchStrategy[date]:
    return st.sampled_from(AGES).map(lambda age: dump_day - timedelta(days=age))


ROWS: dict[str, Callable[[date], st.SearchStrategy[Row]]] = {
    "invoices": _invoices,
    "entitlements": _entitlements,
    "telemetry": _telemetry,
    "bundles": _bundles,
    "accounts": _accounts,
    "exchange_rates": _exchange_rates,
}
ALWAYS = [table for table in ROWS if table not in OPTIONAL]
