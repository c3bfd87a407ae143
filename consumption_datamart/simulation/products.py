"""The products on sale: half are metered by capacity, half by consumption; and what is beside them.

Beside the listed products are an appliance, which runs where few of them can report, and bundles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .names import product_names

CAPACITY, CONSUMABLE = "capacity", "consumable"
BUNDLES = 3

# what it is, its unit, the usual size of an order, and the price of one unit for a year
_KINDS = {
    CAPACITY: [
        ("Compute", "vCPU", 16, 140.0),
        ("Desk", "seat", 40, 96.0),
        ("Cache", "GiB", 64, 18),
    ],
    CONSUMABLE: [("Gateway", "api_call", 24_000, 0.035), ("Transfer", "GiB", 2_000, 0.6)],
}
_APPLIANCE = (CAPACITY, "Vault", "node", 3, 2_400.0)
_SUITE = (CAPACITY, "Suite", "suite", 2, 0.0)
_DISCOUNT = 0.85  # of what the components of a bundle cost on their own
_UNITS_ODDLY = {"vCPU": "core", "seat": "user", "GiB": "GB", "api_call": "request", "node": "host"}

COMPONENT = np.dtype([("bundle", "i8"), ("product", "i8"), ("quantity", "f8")])


@dataclass(frozen=True)
class Products:
    """Columns of products; a product is its position in them."""

    product_id: list[str]
    product_name: list[str]
    unit: list[str]
    metering: list[str]
    size: Array
    price: Array
    sold: int  # products before this position are sold; the last listed may only be tried out
    listed: int  # products before this position are listed
    components: Array  # of the bundles

    @property
    def is_capacity(self) -> Array:
        """Which products are metered by capacity."""
        return np.array([metering == CAPACITY for metering in self.metering])

    @property
    def odd_unit(self) -> list[str]:
        """What a unit may be called by those who do not know its name."""
        return [_UNITS_ODDLY.get(unit, unit) for unit in self.unit]

    @property
    def appliance(self) -> int:
        """The position of the appliance, where there is one."""
        return self.listed

    @property
    def bundles(self) -> range:
        """The positions of the bundles: a small one, one that has it in it, and a complete one."""
        return range(min(self.listed + 1, len(self.product_id)), len(self.product_id))


def products_of(products: int, extras: bool = False) -> Products:
    """So many products, capacity and consumable in turn; with extras what is beside them, too."""
    kinds = []
    for number in range(products):
        metering = CONSUMABLE if number % 2 else CAPACITY
        kinds.append((metering, *_KINDS[metering][number // 2 % len(_KINDS[metering])]))
    sold = products - 1 if products > len(_KINDS) else products
    product_id = [f"PROD-{number + 1:02d}" for number in range(products + extras)]
    if extras:
        kinds += [_APPLIANCE] + [_SUITE] * BUNDLES
        product_id += [f"BUND-{number + 1:02d}" for number in range(BUNDLES)]
    size = np.array([size for _, _, _, size, _ in kinds], float)
    price = np.array([price for _, _, _, _, price in kinds])
    components = _components(products + 1, sold, size)[: None if extras else 0]
    for bundle in np.unique(components["bundle"]):  # of which the second has the first
        part = components[components["bundle"] == bundle]
        price[bundle] = np.round(_DISCOUNT * (price[part["product"]] * part["quantity"]).sum(), 2)
    return Products(
        product_id=product_id,
        product_name=product_names([noun for _, noun, _, _, _ in kinds]),
        unit=[unit for _, _, unit, _, _ in kinds],
        metering=[metering for metering, _, _, _, _ in kinds],
        size=size,
        price=price,
        sold=sold,
        listed=products,
        components=components,
    )


def _components(first: int, sold: int, size: Array) -> Array:
    """A quarter of the usual order of two products, or of all; and one bundle in the other."""

    def quarters(bundle: int, products: Sequence[int]) -> list[tuple[int, int, float]]:
        chosen = sorted({product % sold for product in products})
        return [(bundle, product, size[product] / 4) for product in chosen]

    small, large = quarters(first, [0, 1]), quarters(first + 1, [2, 3])
    complete = quarters(first + 2, range(sold))
    return np.array([*small, *large, (first + 1, first, 1.0), *complete], COMPONENT)
