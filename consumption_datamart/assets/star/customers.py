"""dim_customer: customers and their names over time."""

from datetime import date

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.star.accounts import ATTRIBUTES
from consumption_datamart.schema.codes import flag

BEGINNING = date(1900, 1, 1)
END = date(9999, 12, 31)


def dim_customer(
    raw_invoices: ir.Table,
    raw_entitlements: ir.Table,
    deployment_monthly: ir.Table,
    account_tree: ir.Table,
) -> ir.Table:
    """Customers as slowly changing dimension, type 2 (spec 3), as accounts as of now (spec 7).

    Args:
        raw_invoices: the last line of a day names the customer on that day.
        raw_entitlements: for customers that were never invoiced.
        deployment_monthly: likewise.
        account_tree: likewise; and what accounts belong to.

    Returns:
        One row for each name that a customer had in a row; inferred members are named by their id.
    """
    names = _names_by_day(raw_invoices)
    in_order = ibis.window(group_by=names.customer_id, order_by=names.invoice_date)
    names = names.mutate(name_before=names.customer_name.lag().over(in_order))
    changes = names.filter(names.name_before.isnull() | (names.name_before != names.customer_name))
    in_order = ibis.window(group_by=changes.customer_id, order_by=changes.invoice_date)
    is_first = changes.invoice_date.lag().over(in_order).isnull()
    invoiced = changes.select(
        "customer_id",
        "customer_name",
        valid_from=is_first.ifelse(ibis.literal(BEGINNING), changes.invoice_date),
        valid_to=changes.invoice_date.lead().over(in_order).fill_null(ibis.literal(END)),
        is_inferred=False,
    )
    seen = ibis.union(
        raw_entitlements.select("customer_id"),
        deployment_monthly.select("customer_id"),
        account_tree.select("customer_id"),
        distinct=True,
    )
    unknown = seen.anti_join(raw_invoices, "customer_id")
    inferred = unknown.select(
        "customer_id",
        customer_name=unknown.customer_id,
        valid_from=ibis.literal(BEGINNING),
        valid_to=ibis.literal(END),
        is_inferred=True,
    )
    customers = ibis.union(invoiced, inferred).left_join(account_tree, "customer_id")
    return customers.select(
        "customer_id",
        "customer_name",
        "valid_from",
        "valid_to",
        *ATTRIBUTES,
        top_customer_id=customers.top_customer_id.fill_null(customers.customer_id),
        customer_key=customers.customer_id + "@" + customers.valid_from.cast("string"),
        is_current=customers.valid_to == ibis.literal(END),
        meta__warnings=flag(
            {
                "account_cycle": customers.is_circular,
                "unknown_customer": customers.is_inferred,
            }
        ),
    )


def _names_by_day(invoices: ir.Table) -> ir.Table:
    """The name of each customer on each day it was invoiced: that of the last line."""
    last_first = ibis.row_number().over(
        group_by=[invoices.customer_id, invoices.invoice_date],
        order_by=[invoices[name].desc() for name in ("invoice_id", "line_number", "source")],
    )
    ranked = invoices.select("customer_id", "invoice_date", "customer_name", position=last_first)
    return ranked.filter(ranked.position == 0).drop("position")
