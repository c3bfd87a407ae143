"""Checks of the reports: each is counted another way."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.checks.check import number
from consumption_datamart.checks.star import reconciled
from consumption_datamart.schema.codes import ABSENT, BANDS, UNLIMITED
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.reports import RENEWAL_DAYS, WINDOW_DAYS


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
    calendar = _numbered(reporting_day, days)
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
    present = fact.filter(
        (fact.entitled_quantity > 0) | (fact.used_quantity > 0) | fact.is_unlimited
    )
    # days that are no longer reported have facts until these are built anew; not as a semi-join:
    # sqlglot below 30.3 leaves the second such join of a query as it is, which SQLite cannot read
    present = present.filter(present.day.isin(reporting_day.day))
    key = ["day", "customer_id", "product_id"]
    one, none = ibis.literal(1, "int64"), ibis.literal(0, "int64")
    both = ibis.union(
        present.select(*key, there=one, shown=none),
        report_consumption_daily.select(*key, there=none, shown=one),
    )
    found = both.group_by(key).aggregate(there=both.there.max(), shown=both.shown.max())
    lost = found.filter(found.there > found.shown)
    return lost.group_by("day").aggregate(measured=lost.count(), rows=lost.count())


def accounts_add_up(
    report_consumption_daily: ir.Table, report_account_consumption_daily: ir.Table
) -> ir.Table:
    """Of each day: customers and sums of account trees against those of their customers."""
    accounts = report_account_consumption_daily
    return _added_up(report_consumption_daily, accounts, ~accounts.is_unlimited)


def portfolio_adds_up(
    report_consumption_daily: ir.Table, report_portfolio_daily: ir.Table
) -> ir.Table:
    """Of each day: customers, by band, and sums of products against those of their customers."""
    products = report_portfolio_daily
    in_bands = sum((products[band] for band in BANDS), ibis.literal(0))
    uncounted = (products.customers - in_bands).abs()
    return _added_up(report_consumption_daily, products, ibis.literal(True), uncounted.sum())


def _added_up(
    customers: ir.Table,
    totals: ir.Table,
    is_limited: ir.BooleanValue,
    off: ir.IntegerScalar | int = 0,
) -> ir.Table:
    """How far totals are apart from what they sum up; `off` is how many more customers are."""
    limited = ~customers.is_unlimited
    own = customers.entitled_30d + customers.used_30d + customers.used_limited_30d
    theirs = totals.entitled_30d + totals.used_30d + totals.used_limited_30d
    return reconciled(
        customers.group_by("day").aggregate(
            raw=own.sum(where=limited).fill_null(0.0),
            fact=ibis.literal(0.0),
            rows=customers.count(),
        ),
        totals.group_by("day").aggregate(
            raw=ibis.literal(0.0),
            fact=theirs.sum(where=is_limited).fill_null(0.0),
            rows=off - totals.customers.sum(),
        ),
    )


def band_changes_add_up(
    reporting_day: ir.Table,
    report_consumption_daily: ir.Table,
    report_band_changes: ir.Table,
    days: Days | None,
) -> ir.Table:
    """Of each day: customers by which a band has grown in 30 days against changes into and out of.

    Recomputed from how many there were and are, without looking at who they are.
    """
    report, changes = report_consumption_daily, report_band_changes
    first = reporting_day.aggregate(first=reporting_day.day.min())
    calendar = _numbered(reporting_day, days).cross_join(first)
    calendar = calendar.filter(calendar.n >= number(calendar["first"]) + WINDOW_DAYS)
    then = number(report.day)
    counted = [
        report.select("band", n=then, step=ibis.literal(1, "int64")),
        report.select("band", n=then + WINDOW_DAYS, step=ibis.literal(-1, "int64")),
        changes.select("band", n=number(changes.day), step=ibis.literal(-1, "int64")),
        changes.select(band="band_before", n=number(changes.day), step=ibis.literal(1, "int64")),
    ]
    steps = ibis.union(*(each.select("band", "n", "step") for each in counted))
    steps = steps.filter(steps.band != ABSENT).inner_join(calendar, "n")
    off = steps.group_by("day", "band").aggregate(off=steps.step.sum())
    found = off.group_by("day").aggregate(rows=off.off.abs().sum())
    return found.mutate(measured=found["rows"])


def renewals_complete(
    reporting_day: ir.Table, dim_entitlement: ir.Table, report_renewals: ir.Table
) -> ir.Table:
    """Entitlements in force that end soon, and that the report lacks, or has too many of."""
    entitling = dim_entitlement.filter(
        (dim_entitlement.quantity > 0) | (dim_entitlement.metering == UNLIMITED)
    )
    terms = _on_last_day(reporting_day, entitling)
    until = terms.ceases_on.delta(terms["last"], unit="day")
    lasting = terms.filter(until > RENEWAL_DAYS)
    key = ["source", "entitlement_id", "customer_id", "product_id"]
    ending = _in_force(terms).anti_join(lasting, key)
    return _apart(ending, report_renewals, key)


def commitments_complete(
    reporting_day: ir.Table, dim_entitlement: ir.Table, report_commitments: ir.Table
) -> ir.Table:
    """Limited entitlements in force that the report lacks, or has too many of."""
    limited = dim_entitlement.filter(
        dim_entitlement.quantity > 0, dim_entitlement.metering != UNLIMITED
    )
    terms = _in_force(_on_last_day(reporting_day, limited))
    terms = terms.mutate(starts_on=terms.period_starts_on)
    return _apart(
        terms, report_commitments, ["source", "entitlement_id", "product_id", "starts_on"]
    )


def _on_last_day(reporting_day: ir.Table, terms: ir.Table) -> ir.Table:
    return terms.cross_join(reporting_day.aggregate(last=reporting_day.day.max()))


def _in_force(terms: ir.Table) -> ir.Table:
    return terms.filter(terms.valid_from <= terms["last"], terms.valid_to > terms["last"])


def _apart(expected: ir.Table, report: ir.Table, key: list[str]) -> ir.Table:
    """How many rows one of two tables has that the other lacks."""
    both = ibis.union(
        expected.select(*key, step=ibis.literal(1, "int64")),
        report.select(*key, step=ibis.literal(-1, "int64")),
    )
    off = both.group_by(key).aggregate(off=both.step.sum())
    found = off.aggregate(rows=off.off.abs().sum())
    return found.mutate(measured=found["rows"])


def _numbered(reporting_day: ir.Table, days: Days | None) -> ir.Table:
    """The days that are looked at, with their numbers."""
    within = (
        reporting_day if days is None else reporting_day.filter(reporting_day.day.between(*days))
    )
    return within.select("day", n=number(within.day))
