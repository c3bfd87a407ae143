"""The lake's contract as the spec's sections 1 and 7 state it, written down once for the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One contract column: its name, its type and whether a value is required."""

    name: str
    type: str
    required: bool = True


# A decimal has 18 digits, four of them behind the point; a rate has eight behind it.
CONTRACT: dict[str, tuple[Column, ...]] = {
    "invoices": (
        Column("invoice_id", "string"),
        Column("line_number", "int"),
        Column("invoice_date", "date"),
        Column("customer_id", "string"),
        Column("customer_name", "string"),
        Column("product_id", "string"),
        Column("product_name", "string"),
        Column("quantity", "decimal"),
        Column("unit_price", "decimal"),
        Column("currency", "string"),
        Column("term_months", "int"),
    ),
    "entitlements": (
        Column("entitlement_id", "string"),
        Column("amendment", "int"),
        Column("invoice_id", "string", required=False),
        Column("customer_id", "string"),
        Column("product_id", "string"),
        Column("quantity", "decimal"),
        Column("unit", "string"),
        Column("metering", "string"),
        Column("period", "string", required=False),
        Column("starts_on", "date"),
        Column("ends_on", "date"),
    ),
    "telemetry": (
        Column("event_id", "string"),
        Column("event_ts", "timestamp"),
        Column("customer_id", "string"),
        Column("deployment_id", "string"),
        Column("product_id", "string"),
        Column("infrastructure", "string", required=False),
        Column("quantity", "double"),
        Column("unit", "string"),
    ),
    "bundles": (
        Column("bundle_id", "string"),
        Column("product_id", "string"),
        Column("quantity", "decimal"),
        Column("unit", "string"),
        Column("metering", "string"),
    ),
    "accounts": (
        Column("customer_id", "string"),
        Column("parent_customer_id", "string", required=False),
        Column("segment", "string", required=False),
        Column("region", "string", required=False),
        Column("account_manager", "string", required=False),
    ),
    "exchange_rates": (
        Column("currency", "string"),
        Column("valid_from", "date"),
        Column("rate", "rate"),
    ),
}

OPTIONAL = ("bundles", "accounts", "exchange_rates")

KEYS: dict[str, tuple[str, ...]] = {
    "invoices": ("invoice_id", "line_number"),
    "entitlements": ("entitlement_id", "amendment"),
    "telemetry": ("event_id",),
    "bundles": ("bundle_id", "product_id"),
    "accounts": ("customer_id",),
    "exchange_rates": ("currency", "valid_from"),
}


def column_names(table: str) -> list[str]:
    """Name the contract columns of a lake table, in contract order."""
    return [column.name for column in CONTRACT[table]]
