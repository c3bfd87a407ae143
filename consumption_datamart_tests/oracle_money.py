"""Section 7 of the spec, money: what an amendment's product is worth a year."""

from datetime import date
from fractions import Fraction

from consumption_datamart_tests.oracle_entitlements import taken_apart
from consumption_datamart_tests.oracle_tables import Raw, Row, codes, distinct, grouped


def entitlement_value(raw: Raw, currency: str, last_day: date) -> list[Row]:
    """Section 7: the value of each amendment and product, after bundles are taken apart."""
    named = named_invoices(raw)
    sharing: dict[tuple, set[str]] = {}
    for row in raw["entitlements"]:
        key = (named[row["entitlement_id"], row["amendment"]], row["product_id"])
        sharing.setdefault(key, set()).add(row["entitlement_id"])
    lines = grouped(raw["invoices"], "invoice_id", "product_id")
    rates = rates_on(raw, currency, last_day)
    apart = taken_apart(raw)
    components = grouped(apart, "entitlement_id", "amendment")
    rows = []
    for row in apart:
        key = (
            named[row["entitlement_id"], row["amendment"]],
            row["bundle_id"] or row["product_id"],
        )
        with_term = [line for line in lines.get(key, []) if line["term_months"] > 0]
        shares = len(sharing[key]) * len(components[row["entitlement_id"], row["amendment"]])
        rows.append(
            {
                "source": row["source"],
                "entitlement_id": row["entitlement_id"],
                "amendment": row["amendment"],
                "product_id": row["product_id"],
                **share_of(with_term, shares, rates),
            }
        )
    return rows


def named_invoices(raw: Raw) -> dict[tuple, str | None]:
    """Section 7: the last invoice that an amendment or an earlier one of its entitlement names."""
    named: dict[tuple, str | None] = {}
    for (entitlement_id,), rows in grouped(raw["entitlements"], "entitlement_id").items():
        last = None
        for row in sorted(rows, key=lambda row: row["amendment"]):
            last = row["invoice_id"] or last
            named[entitlement_id, row["amendment"]] = last
    return named


def rates_on(raw: Raw, currency: str, last_day: date) -> dict[str, Fraction]:
    """Section 7: each currency's rate with the greatest valid_from ≤ last_day."""
    rates: dict[str, Fraction] = {}
    for row in sorted(raw["exchange_rates"], key=lambda row: row["valid_from"]):
        if row["valid_from"] <= last_day:
            rates[row["currency"]] = Fraction(row["rate"])
    return rates | {currency: Fraction(1)}


def share_of(lines: list[Row], shares: int, rates: dict[str, Fraction]) -> Row:
    """Section 7: a share of what lines with a term are worth a year; null without such a line."""
    currencies = [currency for (currency,) in distinct(lines, "currency")]
    unknown = any(currency not in rates for currency in currencies)
    value = reporting = None
    if len(currencies) == 1:
        value = float(sum(a_year(line) for line in lines) / shares)
    if lines and not unknown:
        total = sum(a_year(line) * rates[line["currency"]] for line in lines)
        reporting = float(total / shares)
    return {
        "annual_value": value,
        "currency": currencies[0] if len(currencies) == 1 else None,
        "annual_value_reporting": reporting,
        "meta__warnings": codes(no_exchange_rate=unknown),
    }


def a_year(line: Row) -> Fraction:
    """Section 7: amount ÷ term_months × 12, exactly."""
    return Fraction(line["quantity"] * line["unit_price"]) / line["term_months"] * 12
