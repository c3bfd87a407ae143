"""Usage: summed up once from the readings, and what the facts and dimensions make of the sums."""

import ibis.expr.types as ir


def usage_by_unit_daily(raw_telemetry: ir.Table) -> ir.Table:
    """Readings summed up by day, deployment, customer, product and unit.

    All else that is about usage is made of it, so that readings are read once.
    """
    events = raw_telemetry
    return events.group_by(
        "deployment_id", "customer_id", "product_id", "unit", day=events.dump_day
    ).aggregate(
        infrastructure=events.infrastructure.min(),
        total_quantity=events.quantity.sum(),
        peak_quantity=events.quantity.max(),
        event_count=events.count(),
    )


def deployment_monthly(usage_by_unit_daily: ir.Table) -> ir.Table:
    """Who was seen in each month: the dimensions, which are about all days, read months of it.

    Returns:
        One row a month, deployment, customer and product. infrastructure is that of the last day
        that it was seen, unit that of any day, each the least in alphabetical order.
    """
    usage = usage_by_unit_daily.mutate(month_start=usage_by_unit_daily.day.truncate("M"))
    usage = usage.mutate(month_start=usage.month_start.cast("date"))
    key = ["month_start", "deployment_id", "customer_id", "product_id"]
    seen = usage.group_by(key).aggregate(
        unit=usage.unit.min(), first_seen_on=usage.day.min(), last_seen_on=usage.day.max()
    )
    last = usage.inner_join(seen, [*key, usage.day == seen.last_seen_on], rname="{name}_seen")
    return last.group_by(*key, "first_seen_on", "last_seen_on").aggregate(
        infrastructure=last.infrastructure.min(), unit=last.unit_seen.min()
    )


def fact_usage_daily(usage_by_unit_daily: ir.Table) -> ir.Table:
    """Usage of each product by each deployment on each day (spec 3)."""
    usage = usage_by_unit_daily
    return usage.group_by("day", "deployment_id", "customer_id", "product_id").aggregate(
        infrastructure=usage.infrastructure.min(),
        unit=usage.unit.min(),
        unit_count=usage.count(),
        total_quantity=usage.total_quantity.sum(),
        peak_quantity=usage.peak_quantity.max(),
        event_count=usage.event_count.sum(),
    )
