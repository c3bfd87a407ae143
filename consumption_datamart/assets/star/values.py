"""entitlement_value: what entitlements are invoiced at for a year (spec 7)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.star.bundles import components
from consumption_datamart.schema.codes import flag
from consumption_datamart.schema.raw import REPORTING_CURRENCY

AMENDMENT = ["source", "entitlement_id", "amendment"]
SOLD = ["value_invoice_id", "sold_id"]


def entitlement_value(
    raw_entitlements: ir.Table,
    raw_bundles: ir.Table,
    raw_exchange_rates: ir.Table,
    declarations: ir.Table,
    reporting_day: ir.Table,
    fact_invoice_line: ir.Table,
) -> ir.Table:
    """The yearly value of each amendment, in its own and in the reporting currency (spec 7).

    Args:
        raw_entitlements: each names its invoice, or has that of an amendment before it.
        raw_bundles: over whose components a value is shared.
        raw_exchange_rates: to the reporting currency.
        declarations: say which that is.
        reporting_day: the last of which is last_day: the day that rates are taken of.
        fact_invoice_line: what was invoiced.

    Returns:
        One row an amendment and component; values are null where no line says any.
    """
    rates = _rates(raw_exchange_rates, declarations, reporting_day)
    values = _values(fact_invoice_line, rates)
    sold = _with_invoice(raw_entitlements)
    holders = sold.filter(sold.value_invoice_id.notnull())
    holders = holders.select(*SOLD, "source", "entitlement_id").distinct()
    holders = holders.group_by(SOLD).aggregate(holders=holders.count())
    rows = components(raw_entitlements, raw_bundles).select(*AMENDMENT, "product_id")
    rows = rows.inner_join(sold, AMENDMENT).select(*AMENDMENT, "product_id", *SOLD)
    parts = rows.group_by(AMENDMENT).aggregate(parts=rows.count())
    rows = rows.inner_join(parts, AMENDMENT).select(*rows.columns, "parts")
    rows = rows.left_join(holders, SOLD).select(*rows.columns, "holders")
    rows = rows.left_join(values, SOLD).select(
        *rows.columns, "annual_value", "currency", "annual_value_reporting", "lacks_rate"
    )
    share = rows.parts.cast("float64") * rows.holders.cast("float64")
    return rows.select(
        *AMENDMENT,
        "product_id",
        "currency",
        annual_value=rows.annual_value / share,
        annual_value_reporting=rows.annual_value_reporting / share,
        meta__warnings=flag({"no_exchange_rate": rows.lacks_rate}),
    )


def _with_invoice(amendments: ir.Table) -> ir.Table:
    """Amendments with the last invoice that they or earlier ones of the entitlement name."""
    rows = amendments.select(*AMENDMENT, "invoice_id", sold_id="product_id")
    naming = rows.invoice_id.notnull().ifelse(rows.amendment, ibis.null("int64"))
    until_then = ibis.window(
        group_by=[rows.source, rows.entitlement_id], order_by=rows.amendment, rows=(None, 0)
    )
    rows = rows.mutate(named_by=naming.max().over(until_then))
    named = amendments.select(
        "source", "entitlement_id", named_by="amendment", value_invoice_id="invoice_id"
    )
    return rows.left_join(named, ["source", "entitlement_id", "named_by"]).select(*AMENDMENT, *SOLD)


def _values(lines: ir.Table, rates: ir.Table) -> ir.Table:
    """What each invoice asks for a year of each product, by its lines with a term."""
    lines = lines.filter(lines.term_months > 0).left_join(rates, "currency")
    yearly = lines.amount.cast("float64") / lines.term_months * 12
    found = lines.mutate(yearly=yearly, converted=yearly * lines.rate)
    found = found.group_by(value_invoice_id="invoice_id", sold_id="product_id").aggregate(
        yearly=found.yearly.sum(),
        converted=found.converted.sum(),
        least=found.currency.min(),
        currencies=found.currency.nunique(),
        lacks_rate=found.rate.isnull().any(),
    )
    is_one = found.currencies == 1
    return found.select(
        *SOLD,
        "lacks_rate",
        annual_value=is_one.ifelse(found.yearly, ibis.null("float64")),
        currency=is_one.ifelse(found.least, ibis.null("string")),
        annual_value_reporting=found.lacks_rate.ifelse(ibis.null("float64"), found.converted),
    )


def _rates(rates: ir.Table, declarations: ir.Table, reporting_day: ir.Table) -> ir.Table:
    """The rate of each currency as of last_day; that of the reporting currency is 1."""
    own = declarations.filter(declarations.declaration == REPORTING_CURRENCY)
    own = own.select(currency="value", rate=ibis.literal(1.0))
    last_day = reporting_day.aggregate(last_day=reporting_day.day.max())
    known = rates.anti_join(own, "currency").cross_join(last_day)
    known = known.filter(known.valid_from <= known.last_day)
    last_first = ibis.row_number().over(
        group_by=known.currency,
        order_by=[known[name].desc() for name in ("valid_from", "dump_day", "source")],
    )
    ranked = known.select("currency", rate=known.rate.cast("float64"), position=last_first)
    return ibis.union(own, ranked.filter(ranked.position == 0).drop("position"))
