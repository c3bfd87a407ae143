"""The products on sale: half are metered by capacity, half by consumption."""

from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .names import product_names

CAPACITY, CONSUMABLE = "capacity", "consumable"

# what it is, its unit, the usual size of an order, and the price of one unit for a year
_KINDS = {
    CAPACITY: [
        ("Compute", "vCPU", 16, 140.0),
        ("Desk", "seat", 40, 96.0),
        ("Cache", "GiB", 64, 18),
    ],
    CONSUMABLE: [("Gateway", "api_call", 24_000, 0.035), ("Transfer", "GiB", 2_000, 0.6)],
}


@dataclass(frozen=True)
class Products:
    """Columns of products; a product is its position in them."""

    product_id: list[str]
    product_name: list[str]
    unit: list[str]
    metering: list[str]
    size: Array
    price: Array
    sold: int  # products before this position are sold; the last may only be tried out

    @property
    def is_capacity(self) -> Array:
        """Which products are metered by capacity."""
        return np.array([metering == CAPACITY for metering in self.metering])


def products_of(products: int) -> Products:
    """So many products, capacity and consumable in turn."""
    kinds = []
    for number in range(products):
        metering = CONSUMABLE if number % 2 else CAPACITY
        kinds.append((metering, *_KINDS[metering][number // 2 % len(_KINDS[metering])]))
    return Products(
        product_id=[f"PROD-{number + 1:02d}" for number in range(products)],
        product_name=product_names([noun for _, noun, _, _, _ in kinds]),
        unit=[unit for _, _, unit, _, _ in kinds],
        metering=[metering for metering, _, _, _, _ in kinds],
        size=np.array([size for _, _, _, size, _ in kinds], float),
        price=np.array([price for _, _, _, _, price in kinds]),
        sold=products - 1 if products > len(_KINDS) else products,
    )
