"""Sections 3 and 7 of the spec: customers, the names they have had and the accounts above them."""

from datetime import date

from consumption_datamart_tests.oracle_tables import (
    FIRST_VALID_DAY,
    OPEN_END,
    Raw,
    Row,
    codes,
    grouped,
)


def invoice_order(line: Row) -> tuple:
    """Section 3: the order of invoice lines."""
    return (line["invoice_date"], line["invoice_id"], line["line_number"])


def dim_customer(raw: Raw) -> list[Row]:
    """Section 3: one row for each name a customer has had, or one for a customer never invoiced."""
    parents = parents_of(raw)
    accounts = {row["customer_id"]: row for row in raw["accounts"]}
    lines = grouped(raw["invoices"], "customer_id")
    rows: list[Row] = []
    for customer_id in sorted(members(raw)):
        names = names_by_day(lines.get((customer_id,), []))
        account = accounts.get(customer_id, {})
        top = top_of(customer_id, parents)
        changes = name_changes(names) or [(FIRST_VALID_DAY, customer_id)]
        ends = [valid_from for valid_from, _ in changes[1:]] + [OPEN_END]
        for (valid_from, name), valid_to in zip(changes, ends, strict=True):
            rows.append(
                {
                    "customer_key": f"{customer_id}@{valid_from.isoformat()}",
                    "customer_id": customer_id,
                    "customer_name": name,
                    "parent_customer_id": parents.get(customer_id),
                    "segment": account.get("segment"),
                    "region": account.get("region"),
                    "account_manager": account.get("account_manager"),
                    "top_customer_id": customer_id if top is None else top,
                    "valid_from": valid_from,
                    "valid_to": valid_to,
                    "is_current": valid_to == OPEN_END,
                    "meta__warnings": codes(account_cycle=top is None, unknown_customer=not names),
                }
            )
    return rows


def members(raw: Raw) -> set[str]:
    """Sections 3 and 7: customers of any table, also those seen only as a parent."""
    tables = ("invoices", "entitlements", "telemetry", "accounts")
    seen = {row["customer_id"] for table in tables for row in raw[table]}
    return seen | set(parents_of(raw).values())


def parents_of(raw: Raw) -> dict[str, str]:
    """Section 7: the parent of each customer that has one."""
    return {
        row["customer_id"]: row["parent_customer_id"]
        for row in raw["accounts"]
        if row["parent_customer_id"] is not None
    }


def top_of(customer_id: str, parents: dict[str, str]) -> str | None:
    """Section 7: the last customer when parents are followed; None where they lead in a circle."""
    met = {customer_id}
    while customer_id in parents:
        customer_id = parents[customer_id]
        if customer_id in met:
            return None
        met.add(customer_id)
    return customer_id


def names_by_day(lines: list[Row]) -> dict[date, str]:
    """Section 3: the name of each day that has invoice lines; the day's last line counts."""
    return {
        line["invoice_date"]: line["customer_name"] for line in sorted(lines, key=invoice_order)
    }


def name_changes(names: dict[date, str]) -> list[tuple[date, str]]:
    """Section 3: the days on which the name changed; the first name holds from 1900-01-01."""
    changes: list[tuple[date, str]] = []
    for day in sorted(names):
        if not changes:
            changes.append((FIRST_VALID_DAY, names[day]))
        elif changes[-1][1] != names[day]:
            changes.append((day, names[day]))
    return changes
