"""Checks of the star and the reports: sums agree, and nothing is lost on the way."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import number
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.reports import RENEWAL_DAYS, WINDOW_DAYS

SAME = 1e-9
"""How far two sums may be apart, as a share, that add the same numbers in another order."""


def readings_reconcile(raw_telemetry: ir.Table, usage_by_unit_daily: ir.Table) -> ir.Table:
    """Of each day: readings against their sums, and their number against event_count."""
    raw = raw_telemetry
    return _reconciled(
        raw.group_by(day=raw.dump_day).aggregate(
            raw=raw.quantity.sum(), fact=ibis.literal(0.0), rows=raw.count()
        ),
        _usage(usage_by_unit_daily, fact="total_quantity", sign=-1),
    )


def usage_reconciles(usage_by_unit_daily: ir.Table, fact_usage_daily: ir.Table) -> ir.Table:
    """Of each day: usage by unit against usage in the fact, and events against events."""
    return _reconciled(
        _usage(usage_by_unit_daily, raw="total_quantity"),
        _usage(fact_usage_daily, fact="total_quantity", sign=-1),
    )


def _usage(rows: ir.Table, raw: str = "", fact: str = "", sign: int = 1) -> ir.Table:
    """The usage and the events of each day, as one side of what is to agree."""
    nothing = ibis.literal(0.0)
    return rows.group_by("day").aggregate(
        raw=rows[raw].sum() if raw else nothing,
        fact=rows[fact].sum() if fact else nothing,
        rows=rows.event_count.sum() * sign,
    )


def amounts_reconcile(raw_invoices: ir.Table, fact_invoice_line: ir.Table) -> ir.Table:
    """Amounts in raw against amounts in the fact, and lines against lines."""
    raw, fact = raw_invoices, fact_invoice_line
    amount = raw.quantity.cast("float64") * raw.unit_price.cast("float64")
    return _reconciled(
        raw.aggregate(raw=amount.sum(), fact=ibis.literal(0.0), rows=raw.count()),
        fact.aggregate(
            raw=ibis.literal(0.0), fact=fact.amount.cast("float64").sum(), rows=-fact.count()
        ),
    )


def _reconciled(*sums: ir.Table) -> ir.Table:
    """How far sums are apart, as a share of the greater; at least the difference in rows."""
    both = ibis.union(*(each.mutate(rows=each["rows"].cast("int64")) for each in sums))
    by_day = both.group_by("day") if "day" in both.columns else both
    found = by_day.aggregate(**{name: both[name].sum().fill_null(0) for name in _SUMS})
    apart = (found.raw - found.fact).abs()
    share = apart / ibis.greatest(found.raw.abs(), found.fact.abs()).nullif(0.0)
    missing = found["rows"].abs()
    return found.mutate(
        measured=ibis.greatest(share.fill_null(0.0), missing.cast("float64")), rows=missing
    )


_SUMS = ("raw", "fact", "rows")


def active_customers(
    reporting_day: ir.Table,
    fact_usage_daily: ir.Table,
    report_active_customers_by_product_daily: ir.Table,
    days: Days | None,
) -> ir.Table:
    """Of each day: customers of a product that the report has too many or too few.

    Recomputed without windows of 30 days: usage opens an interval that ends 30 days later, or with
    the next usage; on each day as many customers are active as intervals are open.
    """
    report, used = report_active_customers_by_product_daily, fact_usage_daily
    owner = ["customer_id", "product_id"]
    used = used.filter(used.total_quantity > 0).select("day", *owner).distinct()
    used = used.mutate(n=number(used.day))
    following = used.n.lead().over(group_by=[used[name] for name in owner], order_by=used.n)
    ends = used.n + WINDOW_DAYS
    spans = used.mutate(closes=(following < ends).ifelse(following, ends))
    calendar = (
        reporting_day if days is None else reporting_day.filter(reporting_day.day.between(*days))
    )
    calendar = calendar.select("day", n=number(calendar.day))
    # a product has an answer on days without a step, too
    grid = calendar.cross_join(used.select("product_id").distinct())
    steps = ibis.union(
        spans.select("product_id", n=spans.n, step=ibis.literal(1, "int64")),
        spans.select("product_id", n=spans.closes, step=ibis.literal(-1, "int64")),
        grid.select("product_id", n=grid.n, step=ibis.literal(0, "int64")),
    )
    steps = steps.group_by("product_id", "n").aggregate(step=steps.step.sum())
    until_then = ibis.window(
        group_by=steps.product_id, order_by=steps.n, preceding=None, following=0
    )
    active = steps.mutate(customers=steps.step.sum().over(until_then)).inner_join(calendar, "n")
    shown = report.group_by("product_id", "day").aggregate(customers=-report.count())
    both = ibis.union(
        active.select("product_id", "day", customers=active.customers.cast("int64")),
        shown.select("product_id", "day", customers=shown.customers.cast("int64")),
    )
    off = both.group_by("product_id", "day").aggregate(off=both.customers.sum())
    found = off.group_by("day").aggregate(rows=off.off.abs().sum())
    return found.mutate(measured=found["rows"])


def consumption_complete(
    reporting_day: ir.Table, fact_consumption_daily: ir.Table, report_consumption_daily: ir.Table
) -> ir.Table:
    """Of each day: customers and products of the fact that the report lacks on the same day."""
    fact = fact_consumption_daily
    present = fact.filter((fact.entitled_quantity > 0) | (fact.used_quantity > 0))
    # days that are no longer reported have facts until these are built anew; not as a semi-join:
    # sqlglot below 30.3 leaves the second such join of a query as it is, which SQLite cannot read
    present = present.filter(present.day.isin(reporting_day.day))
    lost = present.anti_join(report_consumption_daily, ["day", "customer_id", "product_id"])
    return lost.group_by("day").aggregate(measured=lost.count(), rows=lost.count())


def renewals_complete(
    reporting_day: ir.Table, dim_entitlement: ir.Table, report_renewals: ir.Table
) -> ir.Table:
    """Entitlements that end soon after the last day, and that the report lacks."""
    last = reporting_day.aggregate(last=reporting_day.day.max())
    terms = dim_entitlement.cross_join(last)
    ending = terms.filter(
        terms.quantity > 0,
        terms.valid_from <= terms["last"],
        terms.valid_to > terms["last"],
        terms.ends_on.delta(terms["last"], unit="day") <= RENEWAL_DAYS,
    )
    lost = ending.anti_join(report_renewals, ["source", "entitlement_id"])
    return lost.aggregate(measured=lost.count(), rows=lost.count())
