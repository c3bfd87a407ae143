"""report_commitments: how far each commitment is, and where it is heading (spec, section 8)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.calendar import with_date
from consumption_datamart.assets.reports.windows import with_names
from consumption_datamart.schema.codes import UNLIMITED, flag, has_code
from consumption_datamart.schema.reports import WINDOW_DAYS

OWNER = ["customer_id", "product_id"]
KEY = ["source", "entitlement_id", *OWNER]
PART = [*KEY, "metering", "part", "period_starts_on"]
AMENDMENT = ["source", "entitlement_id", "amendment", "product_id"]
EPOCH = "1970-01-01"
LAST_BIT = 1e-12


def report_commitments(
    reporting_day: ir.Table,
    dim_entitlement: ir.Table,
    entitlement_value: ir.Table,
    fact_consumption_daily: ir.Table,
    dim_customer: ir.Table,
    dim_product: ir.Table,
) -> ir.Table:
    """Commitments in force on last_day: what is used of each, and where it is heading.

    Args:
        reporting_day: the first and the last of which are first_day and last_day.
        dim_entitlement: amendments by period and the days on which they are in force.
        entitlement_value: what they are invoiced at.
        fact_consumption_daily: what was used, of all days.
        dim_customer: for the names, as of last_day.
        dim_product: for the names, and of which of them silence says nothing.
    """
    terms = _in_parts(dim_entitlement)
    rows = _in_force(terms, reporting_day)
    days = _used_by_day(rows, terms, fact_consumption_daily)
    rows = _with_sums(rows, days)
    rows = _with_owner(rows, fact_consumption_daily)
    value = ("annual_value", "currency", "annual_value_reporting", "meta__warnings")
    rows = rows.left_join(entitlement_value, AMENDMENT).select(*rows.columns, *value)
    rows = with_names(rows, dim_customer, dim_product, "silence_unknown")
    return _with_status(_with_exhaustion(_with_projection(rows)))


def used_by_day(
    reporting_day: ir.Table, dim_entitlement: ir.Table, fact_consumption_daily: ir.Table
) -> ir.Table:
    """What is used of each commitment in force on last_day: used(d) of the specification.

    Returns:
        A row a commitment and day on which anything is used of it: source, entitlement_id,
        product_id, starts_on (the key of report_commitments), day, used.
    """
    terms = _in_parts(dim_entitlement)
    days = _used_by_day(_in_force(terms, reporting_day), terms, fact_consumption_daily)
    key = {name: days[name] for name in ("source", "entitlement_id", "product_id")}
    return days.select(**key, starts_on=days.period_starts_on, day=days.day, used=days.used)


def _in_parts(dim_entitlement: ir.Table) -> ir.Table:
    """Limited terms; those of one `part` and period are one commitment.

    A consumable's amendments in a period go on with what is left; any other is for itself.
    """
    terms = dim_entitlement.filter(dim_entitlement.metering != UNLIMITED)
    is_periodic = (terms.metering == "consumable") & terms.period.notnull()
    part = is_periodic.ifelse(terms.period, terms.amendment.cast("string"))
    return terms.mutate(part=part, days=terms.valid_to.delta(terms.valid_from, unit="day"))


def _in_force(terms: ir.Table, reporting_day: ir.Table) -> ir.Table:
    """The commitments in force on last_day, with their term and how much of it has passed."""
    today = reporting_day.aggregate(day=reporting_day.day.max(), first_day=reporting_day.day.min())
    spans = terms.group_by(PART).aggregate(
        latest=terms.valid_to.max(), total=(terms.daily_quantity * terms.days).sum()
    )
    rows = terms.cross_join(today)
    rows = rows.filter(rows.valid_from <= rows.day, rows.valid_to > rows.day, rows.quantity > 0)
    rows = rows.inner_join(spans, PART)
    rows = rows.select(
        *PART,
        "amendment",
        "unit",
        "period",
        "day",
        "first_day",
        starts_on="period_starts_on",
        ends_on="latest",
        quantity=(rows.metering == "consumable").ifelse(rows.total, rows.quantity.cast("float64")),
    )
    rows = rows.mutate(
        term_days=rows.ends_on.delta(rows.starts_on, unit="day"),
        elapsed_days=rows.day.delta(rows.starts_on, unit="day") + 1,
        observed_days=rows.day.delta(ibis.greatest(rows.starts_on, rows.first_day), unit="day") + 1,
    )
    return rows.mutate(
        remaining_days=rows.term_days - rows.elapsed_days,
        elapsed_pct=rows.elapsed_days.cast("float64") / rows.term_days,
        recent_days=ibis.least(rows.observed_days, ibis.literal(WINDOW_DAYS, "int64")),
    )


def _used_by_day(rows: ir.Table, terms: ir.Table, facts: ir.Table) -> ir.Table:
    """What is used of each commitment on each day: use is shared by what each entitles to."""
    own = rows.select(*PART, "quantity", "recent_days", last_day="day")
    parts = own.inner_join(terms.select(*PART, "valid_from", "valid_to", "daily_quantity"), PART)
    used = facts.filter(facts.used_quantity > 0, facts.entitled_quantity > 0)
    used = used.select("day", *OWNER, "used_quantity", "entitled_quantity")
    days = parts.inner_join(used, [*OWNER, parts.valid_from <= used.day, parts.valid_to > used.day])
    share = days.used_quantity * days.daily_quantity / days.entitled_quantity
    return days.select(*PART, "day", "last_day", "quantity", "recent_days", used=share)


def _with_sums(rows: ir.Table, days: ir.Table) -> ir.Table:
    """Adds what is used in all, at most on a day, and of late; and when all is."""
    age = days.last_day.delta(days.day, unit="day")
    until_then = ibis.window(
        group_by=[days[name] for name in PART], order_by=days.day, rows=(None, 0)
    )
    running = days.mutate(age=age, running=days.used.sum().over(until_then))
    is_up = (running.running / running.quantity).round(9) >= 1
    sums = running.group_by(PART).aggregate(
        used_to_date=running.used.sum(),
        peak_used=running.used.max(),
        recent=running.used.sum(where=running.age < running.recent_days),
        exhausted_on=running.day.min(where=is_up & (running.metering == "consumable")),
    )
    figures = ("used_to_date", "peak_used", "recent")
    joined = rows.left_join(sums, PART).select(*rows.columns, *figures, "exhausted_on")
    return joined.mutate(**{name: joined[name].fill_null(0.0) for name in figures})


def _with_owner(rows: ir.Table, facts: ir.Table) -> ir.Table:
    """Adds what is known of the customer and product besides: unlimited, last reported."""
    reported_on = (facts.deployment_count > 0).ifelse(facts.day, ibis.null("date"))
    seen = facts.group_by(OWNER).aggregate(reported_on=reported_on.max())
    rows = rows.left_join(seen, OWNER).select(*rows.columns, "reported_on")
    unlimited = facts.filter(facts.is_unlimited).select("day", *OWNER, "is_unlimited")
    return rows.left_join(unlimited, ["day", *OWNER]).select(*rows.columns, "is_unlimited")


def _with_projection(rows: ir.Table) -> ir.Table:
    """Adds what will be used in the end, at the rate of the last days."""
    is_consumable = rows.metering == "consumable"
    rows = rows.mutate(
        used_estimated=rows.used_to_date * rows.elapsed_days / rows.observed_days,
        burn_30d=rows.recent / rows.recent_days,
    )
    mean = rows.used_to_date / rows.observed_days
    rows = rows.mutate(
        used_pct=is_consumable.ifelse(rows.used_estimated, mean) / rows.quantity,
        projected=is_consumable.ifelse(
            rows.used_estimated + rows.burn_30d * rows.remaining_days, rows.burn_30d
        ),
    )
    projected_pct = rows.projected / rows.quantity
    above, left = _beyond(projected_pct - 1), _beyond(1 - projected_pct)
    return rows.mutate(
        projected_pct=projected_pct,
        pace=is_consumable.ifelse(rows.used_pct / rows.elapsed_pct, rows.used_pct),
        overage=above * rows.quantity,
        unused=left * rows.quantity,
        unused_value=rows.annual_value_reporting * left,
        overage_value=rows.annual_value_reporting * above,
    )


def _beyond(share: ir.FloatingValue) -> ir.FloatingValue:
    """A share that is left over, 0 at least; what is but the last bit of a sum is nothing."""
    return (share < LAST_BIT).ifelse(0.0, share)


def _with_exhaustion(rows: ir.Table) -> ir.Table:
    """Adds exhausts_on and target_daily, of consumables."""
    is_consumable, nothing = rows.metering == "consumable", ibis.null("int64")
    left = rows.quantity - rows.used_estimated
    lasts = (left / rows.burn_30d.nullif(0)).round(9).ceil()
    # beyond the term it does not matter how long, and may be more than an integer holds
    lasts = ibis.least(ibis.greatest(lasts, 1.0), rows.remaining_days.cast("float64") + 1)
    lasts = lasts.cast("int64")
    is_within = is_consumable & (rows.burn_30d > 0) & (lasts <= rows.remaining_days)
    today = rows.day.delta(ibis.date(EPOCH), unit="day")
    rows = rows.mutate(
        target_daily=is_consumable.ifelse(
            _beyond(left / rows.quantity) * rows.quantity / rows.remaining_days.nullif(0),
            ibis.null("float64"),
        ),
    )
    rows = with_date(rows, "will_exhaust_on", is_within.ifelse(today + lasts, nothing))
    return rows.mutate(exhausts_on=rows.exhausted_on.fill_null(rows.will_exhaust_on))


def _with_status(rows: ir.Table) -> ir.Table:
    """Adds the status, the first that holds, and the warnings."""
    is_up = (rows.used_to_date / rows.quantity).round(9) >= 1
    unreported = rows.day.delta(rows.reported_on, unit="day") >= rows.recent_days
    is_silent = rows.silence_unknown & unreported.fill_null(True)
    is_early = (rows.elapsed_days < WINDOW_DAYS) & (rows.elapsed_days * 3 < rows.term_days)
    projected = rows.projected_pct.round(9)
    status = ibis.cases(
        (rows.is_unlimited.fill_null(False), "covered"),
        ((rows.metering == "consumable") & is_up, "exhausted"),
        (is_silent, "no_telemetry"),
        (is_early, "too_early"),
        (projected >= 1, "overrunning"),
        (projected >= 0.7, "on_track"),
        (projected >= 0.3, "underused"),
        (rows.projected_pct > 0, "at_risk"),
        else_="unused",
    )
    warnings = {
        "before_history": rows.observed_days < rows.elapsed_days,
        "no_exchange_rate": has_code(rows.meta__warnings.fill_null(""), "no_exchange_rate"),
    }
    return rows.mutate(status=status, meta__warnings=flag(warnings))
