"""Subscriptions to bundles: of a bundle itself nothing is used, but of its components."""

import numpy as np

from .arrays import Array
from .products import Products
from .subscriptions import used_while_entitled


def with_components(rows: Array, products: Products) -> Array:
    """The subscriptions, and of those to a bundle the use of what is in it.

    That is at first the bundle's share of use of each component, and ever less of the later ones.
    """
    is_bundle = np.isin(rows["product"], products.bundles)
    bought, parts = rows[is_bundle], []
    used_while_entitled(bought, linger=0)
    for place, part in enumerate(products.components):
        if part["product"] in products.bundles:
            continue  # what nobody runs, nobody uses
        used = bought[bought["product"] == part["bundle"]].copy()
        used["product"], used["terms"] = part["product"], 0
        used["quantity"] *= part["quantity"]
        used["ratio"] *= 1 - 0.3 * (place % 2)
        parts.append(used)
    rows = rows.copy()
    rows["ratio"] = np.where(is_bundle, 0.0, rows["ratio"])
    return np.concatenate([rows, *parts])
