"""dim_entitlement and fact_entitlement_daily: what customers may use, and when."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.star.bundles import components
from consumption_datamart.assets.star.periods import periods
from consumption_datamart.schema.codes import UNLIMITED


def dim_entitlement(
    raw_entitlements: ir.Table, raw_bundles: ir.Table, reporting_day: ir.Table
) -> ir.Table:
    """Amendments that are ever in force, by component and period (spec 3 and 7).

    An amendment is in force from its starts_on until its ends_on, or until a later amendment of the
    same entitlement has started, whichever is first.

    Args:
        raw_entitlements: the amendments.
        raw_bundles: of what bundles are made.
        reporting_day: the last of which is last_day: periods that begin later are not yet rows.
    """
    rows = components(_dated(raw_entitlements), raw_bundles)
    dates = _dated(raw_entitlements).select(
        "source", "entitlement_id", "amendment", "ceases_on", "anchor"
    )
    terms = rows.inner_join(dates, ["source", "entitlement_id", "amendment"])
    terms = terms.filter(terms.starts_on < terms.ceases_on)
    terms = terms.mutate(valid_from=terms.starts_on, valid_to=terms.ceases_on)
    is_periodic = (terms.metering == "consumable") & terms.period.notnull()
    last_day = reporting_day.aggregate(day=reporting_day.day.max())
    by_period = periods(terms.filter(is_periodic), last_day)
    whole = terms.filter(~is_periodic)
    whole = whole.mutate(period_starts_on=whole.starts_on, period_ends_on=whole.ends_on)
    both = ibis.union(whole.select(by_period.columns), by_period)
    days = both.period_ends_on.delta(both.period_starts_on, unit="day")
    quantity = both.quantity.cast("float64")
    return both.mutate(
        daily_quantity=ibis.cases(
            (both.metering == "consumable", quantity / days.nullif(0)),
            (both.metering == UNLIMITED, ibis.null("float64")),
            else_=quantity,
        )
    ).drop("anchor")


def _dated(amendments: ir.Table) -> ir.Table:
    """Amendments with the day on which each ceases to be in force, and the anchor of its period."""
    rows = amendments
    later = ibis.window(
        group_by=[rows.source, rows.entitlement_id], order_by=rows.amendment, rows=(1, None)
    )
    superseded_on = rows.starts_on.min().over(later)
    of_period = ibis.window(
        group_by=[rows.source, rows.entitlement_id, rows.period], order_by=rows.amendment
    )
    return rows.mutate(
        ceases_on=ibis.least(rows.ends_on, superseded_on.fill_null(rows.ends_on)),
        anchor=rows.starts_on.first().over(of_period),
    )


def fact_entitlement_daily(days: ir.Table, dim_entitlement: ir.Table) -> ir.Table:
    """What each customer is entitled to use of each product on each day (spec 3 and 7).

    Between two days on which any amendment of a customer and product begins or ceases to be in
    force, the sum stays the same; so it is taken once for each such interval, and only then spread
    over the days. Nothing is ever subtracted: sums stay exact where a running sum would drift.

    Args:
        days: the days to give rows for.
        dim_entitlement: amendments and the days on which they are in force; daily_quantity is null
            of an unlimited one.
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
        entitled_quantity=in_force.daily_quantity.sum().fill_null(0.0),
        is_unlimited=in_force.daily_quantity.isnull().any(),
        entitlement_count=in_force.count(),
    )
    return days.inner_join(sums, [days.day >= sums.begins, days.day < sums.ceases]).select(
        days.day, *owner, "entitled_quantity", "is_unlimited", "entitlement_count"
    )
