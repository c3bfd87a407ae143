"""account_tree and dim_account: which customers belong together (spec 7)."""

from collections.abc import Mapping

import ibis.expr.types as ir
import pandas as pd

ATTRIBUTES = ("parent_customer_id", "segment", "region", "account_manager")


def account_tree(raw_accounts: pd.DataFrame) -> pd.DataFrame:
    """Accounts, and customers that are only named as a parent, each with the top of its tree.

    Args:
        raw_accounts: one row a source and customer; of several sources the latest dump counts.

    Returns:
        One row a customer; where parents lead in a circle the customer itself is the top, and
        is_circular.
    """
    rows = raw_accounts.sort_values(["dump_day", "source"]).drop_duplicates(
        "customer_id", keep="last"
    )
    named = rows[["customer_id", *ATTRIBUTES]].astype(object)
    named = named.where(named.notna(), None).set_index("customer_id")
    parents: dict[str, str] = named.parent_customer_id.dropna().to_dict()
    named = named.reindex(named.index.union(sorted(set(parents.values())))).astype(object)
    named = named.where(named.notna(), None)
    tops = top_of_trees(parents)
    customers = named.index.to_series()
    return named.assign(
        top_customer_id=customers.map(lambda each: tops.get(each) or each),
        is_circular=customers.map(lambda each: tops.get(each, each) is None).astype(bool),
    ).reset_index(names="customer_id")


def top_of_trees(parents: Mapping[str, str]) -> dict[str, str | None]:
    """Of each customer with a parent the last of its parents; None: they go in a circle."""
    tops: dict[str, str | None] = {}
    for customer in parents:
        way: dict[str, None] = {}
        each = customer
        while each in parents and each not in way and each not in tops:
            way[each] = None
            each = parents[each]
        top = None if each in way else tops.get(each, each)
        tops.update(dict.fromkeys(way, top))
    return tops


def dim_account(dim_customer: ir.Table) -> ir.Table:
    """The top of each customer's tree, with the names that it had over time.

    Returns:
        One row a customer and name of its top; a customer without a tree is its own.
    """
    customers = dim_customer.filter(dim_customer.is_current)
    tops = dim_customer.select(
        "customer_name", "valid_from", "valid_to", top_id=dim_customer.customer_id
    )
    found = customers.select("customer_id", "top_customer_id").inner_join(
        tops, tops.top_id == customers.top_customer_id
    )
    return found.select(
        "customer_id",
        "top_customer_id",
        "valid_from",
        "valid_to",
        top_customer_name=found.customer_name,
    )
