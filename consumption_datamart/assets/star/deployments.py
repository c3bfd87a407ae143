"""dim_deployment: deployments as they were last seen."""

import ibis.expr.types as ir

from consumption_datamart.schema.codes import flag


def dim_deployment(deployment_monthly: ir.Table) -> ir.Table:
    """Deployments with the customer, product and infrastructure of their last day (spec 3).

    Where the last day has several of one of these, the least in alphabetical order is taken, of
    each by itself; a missing infrastructure counts only when there is no other.
    """
    months = deployment_monthly
    seen = months.group_by("deployment_id").aggregate(
        first_seen_on=months.first_seen_on.min(),
        last_seen_on=months.last_seen_on.max(),
        customers=months.customer_id.nunique(),
    )
    last = months.select(
        "deployment_id", "customer_id", "product_id", "infrastructure", day="last_seen_on"
    )
    last = last.inner_join(seen, ["deployment_id", last.day == seen.last_seen_on])
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
