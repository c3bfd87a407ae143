"""dim_entitlement and fact_entitlement_daily: what customers may use, and when."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.codes import UNLIMITED


def dim_entitlement(raw_entitlements: ir.Table) -> ir.Table:
    """Amendments that are ever in force, each with the days on which it is (spec 3).

    An amendment is in force from its starts_on until its ends_on, or until a later amendment of the
    same entitlement has started, whichever is first.
    """
    rows = raw_entitlements
    later = ibis.window(
        group_by=[rows.source, rows.entitlement_id], order_by=rows.amendment, rows=(1, None)
    )
    superseded_on = rows.starts_on.min().over(later)
    days = rows.ends_on.delta(rows.starts_on, unit="day")
    quantity = rows.quantity.cast("float64")
    terms = rows.select(
        "source",
        "entitlement_id",
        "amendment",
        "invoice_id",
        "customer_id",
        "product_id",
        "quantity",
        "unit",
        "metering",
        "ends_on",
        daily_quantity=ibis.cases(
            (rows.metering == "consumable", quantity / days.nullif(0)),
            (rows.metering == UNLIMITED, 0.0),
            else_=quantity,
        ),
        valid_from=rows.starts_on,
        valid_to=ibis.least(rows.ends_on, superseded_on.fill_null(rows.ends_on)),
    )
    return terms.filter(terms.valid_from < terms.valid_to)


def fact_entitlement_daily(days: ir.Table, dim_entitlement: ir.Table) -> ir.Table:
    """What each customer is entitled to use of each product on each day (spec 3).

    Between two days on which any amendment of a customer and product begins or ceases to be in
    force, the sum stays the same; so it is taken once for each such interval, and only then spread
    over the days. Nothing is ever subtracted: sums stay exact where a running sum would drift.

    Args:
        days: the days to give rows for.
        dim_entitlement: amendments and the days on which they are in force.
    """
    owner = ["customer_id", "product_id"]
    terms = dim_entitlement
    bounds = ibis.union(
        terms.select(*owner, day=terms.valid_from),
        terms.select(*owner, day=terms.valid_to),
        distinct=True,
    )
    intervals = bounds.select(
        *owner,
        begins="day",
        ceases=bounds.day.lead().over(
            group_by=[bounds.customer_id, bounds.product_id], order_by=bounds.day
        ),
    )
    in_force = intervals.inner_join(
        terms,
        [
            *owner,
            terms.valid_from <= intervals.begins,
            terms.valid_to >= intervals.ceases,
        ],
    )
    sums = in_force.group_by(*owner, "begins", "ceases").aggregate(
        entitled_quantity=in_force.daily_quantity.sum(), entitlement_count=in_force.count()
    )
    return days.inner_join(sums, [days.day >= sums.begins, days.day < sums.ceases]).select(
        days.day, *owner, "entitled_quantity", "entitlement_count"
    )
