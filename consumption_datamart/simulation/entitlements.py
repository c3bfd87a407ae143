"""The entitlements: the original of each term, and its amendment by an upgrade or cancellation."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Array, decimals, labels
from .market import Market, text
from .posted import Posted, posted
from .products import CAPACITY, CONSUMABLE

_METERINGS = [CONSUMABLE, CAPACITY, "unlimited"]
_PERIODS = {0: None, 1: "month", 3: "quarter"}


def entitlements(market: Market, rows: Array, invoice_of: Array) -> Posted:
    """The entitlements of these terms and amendments; invoice_of tells that of an original."""
    sold = market.of(rows)
    invoice = np.where(rows["amendment"] == 0, invoice_of[rows["entitlement"]], 0)
    metering = np.where(sold["unlimited"], 2, market.is_capacity(rows) != sold["legacy"])
    period = np.where(metering == 0, sold["period"], 0)
    of_period = np.ceil(rows["quantity"] * period / sold["months"])
    columns = {
        "entitlement_id": labels("ENT-", rows["entitlement"], 6),
        "amendment": pa.array(rows["amendment"], pa.int64()),
        "invoice_id": pc.if_else(
            pa.array(invoice > 0), labels("INV-", invoice, 6), pa.scalar(None, pa.string())
        ),
        "customer_id": text(market.who.customer_id, sold["customer"]),
        "product_id": text(market.what.product_id, sold["product"]),
        "quantity": decimals(np.where(period > 0, of_period, rows["quantity"])),
        "unit": text(market.what.unit, sold["product"]),
        "metering": text(_METERINGS, metering),
        "period": text([*_PERIODS.values()], np.searchsorted([*_PERIODS], period)),
        "starts_on": pa.array(rows["starts_on"]),
        "ends_on": pa.array(rows["ends_on"]),
    }
    return posted(pa.table(columns), rows["posted"], market.start)
