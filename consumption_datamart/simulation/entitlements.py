"""The entitlements: the original of each term, and its amendment by an upgrade or cancellation."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Array, decimals, labels
from .market import Market, text
from .posted import Posted, posted
from .products import CAPACITY, CONSUMABLE


def entitlements(market: Market, rows: Array, invoice_of: Array) -> Posted:
    """The entitlements of these terms and amendments; invoice_of tells that of an original."""
    sold = market.of(rows)
    invoice = np.where(rows["amendment"] == 0, invoice_of[rows["entitlement"]], 0)
    by_capacity = market.is_capacity(rows) != sold["legacy"]
    columns = {
        "entitlement_id": labels("ENT-", rows["entitlement"], 6),
        "amendment": pa.array(rows["amendment"], pa.int64()),
        "invoice_id": pc.if_else(
            pa.array(invoice > 0), labels("INV-", invoice, 6), pa.scalar(None, pa.string())
        ),
        "customer_id": text(market.who.customer_id, sold["customer"]),
        "product_id": text(market.what.product_id, sold["product"]),
        "quantity": decimals(rows["quantity"]),
        "unit": text(market.what.unit, sold["product"]),
        "metering": text([CONSUMABLE, CAPACITY], by_capacity.astype(int)),
        "period": pa.nulls(len(rows), pa.string()),
        "starts_on": pa.array(rows["starts_on"]),
        "ends_on": pa.array(rows["ends_on"]),
    }
    return posted(pa.table(columns), rows["posted"], market.start)
