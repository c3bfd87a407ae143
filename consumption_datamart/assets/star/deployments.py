"""dim_deployment: deployments as they were last seen."""

import ibis.expr.types as ir

from consumption_datamart.schema.codes import flag


def dim_deployment(fact_usage_daily: ir.Table) -> ir.Table:
    """Deployments with the customer, product and infrastructure of their last day (spec 3).

    Where the last day has several of one of these, the least in alphabetical order is taken, of
    each by itself; a missing infrastructure counts only when there is no other.
    """
    usage = fact_usage_daily
    seen = usage.group_by("deployment_id").aggregate(
        first_seen_on=usage.day.min(),
        last_seen_on=usage.day.max(),
        customers=usage.customer_id.nunique(),
    )
    last = usage.inner_join(seen, ["deployment_id", usage.day == seen.last_seen_on])
    return (
        last.group_by("deployment_id", "first_seen_on", "last_seen_on", "customers")
        .aggregate(
            customer_id=last.customer_id.min(),
            product_id=last.product_id.min(),
            infrastructure=last.infrastructure.min(),
        )
        .mutate(meta__warnings=lambda rows: flag({"moved_deployment": rows.customers > 1}))
        .drop("customers")
    )
