"""report_renewals: what ends soon, how it is used, and what takes over (spec, section 7)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.reports.windows import with_names
from consumption_datamart.schema.codes import UNLIMITED
from consumption_datamart.schema.reports import RENEWAL_DAYS, RENEWED_WITHIN

OWNER = ["customer_id", "product_id"]
TERM = ["source", "entitlement_id", *OWNER]


def report_renewals(
    reporting_day: ir.Table,
    dim_entitlement: ir.Table,
    entitlement_value: ir.Table,
    report_consumption_daily: ir.Table,
    dim_customer: ir.Table,
    dim_product: ir.Table,
) -> ir.Table:
    """Entitlements in force on last_day that end within 90 days, with consumption and value.

    An entitlement ends when the last of its amendments does that entitles to anything, so that one
    that is extended is not up for renewal.

    Args:
        reporting_day: the last of which is last_day.
        dim_entitlement: amendments and the days on which they are in force.
        entitlement_value: what they are invoiced at.
        report_consumption_daily: of last_day, at least.
        dim_customer: for the names, as of last_day.
        dim_product: for the names.
    """
    today = reporting_day.aggregate(day=reporting_day.day.max())
    entitling = dim_entitlement.filter(
        (dim_entitlement.quantity > 0) | (dim_entitlement.metering == UNLIMITED)
    )
    spans = entitling.group_by(TERM).aggregate(
        begins=entitling.valid_from.min(),
        effective_end=entitling.ceases_on.max(),
        last_amendment=entitling.amendment.max(),
    )
    rows = entitling.cross_join(today)
    rows = rows.filter(rows.valid_from <= rows.day, rows.valid_to > rows.day)
    rows = rows.inner_join(spans, TERM)
    rows = rows.mutate(days_left=rows.effective_end.delta(rows.day, unit="day"))
    rows = rows.filter(rows.days_left <= RENEWAL_DAYS).select(
        *TERM,
        "day",
        "days_left",
        "begins",
        "amendment",
        "quantity",
        "unit",
        ends_on="effective_end",
    )
    rows = with_names(rows, dim_customer, dim_product)
    value = entitlement_value.drop("source", "entitlement_id", "amendment", "product_id").columns
    rows = rows.left_join(
        entitlement_value, ["source", "entitlement_id", "amendment", "product_id"]
    ).select(*rows.columns, *value)
    used = report_consumption_daily.select("day", *OWNER, "consumption_30d", "band")
    rows = rows.left_join(used, ["day", *OWNER]).select(*rows.columns, "consumption_30d", "band")
    renewals = _renewals(rows, spans, entitling)
    rows = rows.left_join(renewals, TERM).select(
        *rows.columns, "renewed_by", "renewed_quantity", "renewed_without_limit"
    )
    is_renewed = rows.renewed_without_limit | (rows.renewed_quantity * 2 >= rows.quantity)
    band = rows.band.fill_null("unentitled")
    return rows.mutate(
        band=band,
        at_risk=band.isin(["unused", "at_risk"]) & ~is_renewed.fill_null(False),
        meta__warnings=rows.meta__warnings.fill_null(""),
    )


def _renewals(ending: ir.Table, spans: ir.Table, entitling: ir.Table) -> ir.Table:
    """What takes over from each entitlement that ends, where anything does.

    Args:
        ending: the entitlements, with the day on which they began and that on which they end.
        spans: of all entitlements.
        entitling: their amendments.
    """
    others = spans.rename(
        other_source="source",
        other_id="entitlement_id",
        other_begins="begins",
        other_end="effective_end",
        other_amendment="last_amendment",
    )
    pairs = ending.select(*TERM, "begins", "ends_on").inner_join(
        others, [*OWNER, others.other_begins > ending.begins, others.other_end > ending.ends_on]
    )
    pairs = pairs.filter(
        (pairs.source != pairs.other_source) | (pairs.entitlement_id != pairs.other_id),
        pairs.other_begins.delta(pairs.ends_on, unit="day") <= RENEWED_WITHIN,
    )
    first = ibis.row_number().over(
        group_by=[pairs[name] for name in TERM],
        order_by=[pairs.other_end.desc(), pairs.other_id, pairs.other_source],
    )
    ranked = pairs.mutate(position=first)
    chosen = ranked.filter(ranked.position == 0)
    # the periods of one amendment have its quantity
    last = entitling.group_by([*TERM, "amendment"]).aggregate(
        quantity=entitling.quantity.max(),
        is_unlimited=(entitling.metering == UNLIMITED).any(),
    )
    found = chosen.inner_join(
        last,
        [
            *OWNER,
            chosen.other_source == last.source,
            chosen.other_id == last.entitlement_id,
            chosen.other_amendment == last.amendment,
        ],
    )
    return found.select(
        *TERM,
        renewed_by=found.other_id,
        renewed_quantity=found.is_unlimited.ifelse(
            ibis.null(found.quantity.type()), found.quantity
        ),
        renewed_without_limit=found.is_unlimited,
    )
