"""Checks of the star: sums agree, and nothing is lost on the way."""

import ibis
import ibis.expr.types as ir

SAME = 1e-9
"""How far two sums may be apart, as a share, that add the same numbers in another order."""


def readings_reconcile(raw_telemetry: ir.Table, usage_by_unit_daily: ir.Table) -> ir.Table:
    """Of each day: readings against their sums, and their number against event_count."""
    raw = raw_telemetry
    return reconciled(
        raw.group_by(day=raw.dump_day).aggregate(
            raw=raw.quantity.sum(), fact=ibis.literal(0.0), rows=raw.count()
        ),
        _usage(usage_by_unit_daily, fact="total_quantity", sign=-1),
    )


def usage_reconciles(usage_by_unit_daily: ir.Table, fact_usage_daily: ir.Table) -> ir.Table:
    """Of each day: usage by unit against usage in the fact, and events against events."""
    return reconciled(
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
    return reconciled(
        raw.aggregate(raw=amount.sum(), fact=ibis.literal(0.0), rows=raw.count()),
        fact.aggregate(
            raw=ibis.literal(0.0), fact=fact.amount.cast("float64").sum(), rows=-fact.count()
        ),
    )


def reconciled(*sums: ir.Table) -> ir.Table:
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
