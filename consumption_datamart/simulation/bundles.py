"""The bundles: what is in them, and how those who buy them use it."""

from typing import Any

import pyarrow as pa

from .arrays import decimals
from .market import text
from .products import Products


def bundles(what: Products) -> Any:
    """The lake's table of bundles: a row for each component."""
    bundle, product = what.components["bundle"], what.components["product"]
    return pa.table(
        {
            "bundle_id": text(what.product_id, bundle),
            "product_id": text(what.product_id, product),
            "quantity": decimals(what.components["quantity"]),
            "unit": text(what.unit, product),
            "metering": text(what.metering, product),
        }
    )
