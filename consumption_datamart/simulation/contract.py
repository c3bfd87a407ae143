"""The columns of the lake's tables and their types."""

import pyarrow as pa

from .arrays import DECIMAL

SCHEMAS = {
    "invoices": pa.schema(
        [
            ("invoice_id", pa.string()),
            ("line_number", pa.int64()),
            ("invoice_date", pa.date32()),
            ("customer_id", pa.string()),
            ("customer_name", pa.string()),
            ("product_id", pa.string()),
            ("product_name", pa.string()),
            ("quantity", DECIMAL),
            ("unit_price", DECIMAL),
            ("currency", pa.string()),
            ("term_months", pa.int64()),
        ]
    ),
    "entitlements": pa.schema(
        [
            ("entitlement_id", pa.string()),
            ("amendment", pa.int64()),
            ("invoice_id", pa.string()),
            ("customer_id", pa.string()),
            ("product_id", pa.string()),
            ("quantity", DECIMAL),
            ("unit", pa.string()),
            ("metering", pa.string()),
            ("starts_on", pa.date32()),
            ("ends_on", pa.date32()),
        ]
    ),
    "telemetry": pa.schema(
        [
            ("event_id", pa.string()),
            ("event_ts", pa.timestamp("us")),
            ("customer_id", pa.string()),
            ("deployment_id", pa.string()),
            ("product_id", pa.string()),
            ("infrastructure", pa.string()),
            ("quantity", pa.float64()),
            ("unit", pa.string()),
        ]
    ),
}
OPTIONAL = {"invoices": [], "entitlements": ["invoice_id"], "telemetry": ["infrastructure"]}
