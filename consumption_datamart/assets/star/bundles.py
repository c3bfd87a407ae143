"""Bundles taken apart: what entitlements are to, component by component (spec 7)."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.codes import UNLIMITED
from consumption_datamart.schema.types import PRODUCT, WIDE


def components(raw_entitlements: ir.Table, raw_bundles: ir.Table) -> ir.Table:
    """Amendments by the products that they entitle to, whether they are ever in force or not.

    Returns:
        The columns of entitlements, with the quantity, unit and metering of the component, and
        bundle_id, null where none was sold. One row an amendment and component; a component that
        is a bundle itself is not taken apart.
    """
    rows, bundles = raw_entitlements, composition(raw_bundles)
    parts = bundles.select(
        "bundle_id",
        component_id="product_id",
        component_quantity="quantity",
        component_unit="unit",
        component_metering="metering",
    )
    found = rows.left_join(parts, rows.product_id == parts.bundle_id)
    is_part, is_unlimited = found.bundle_id.notnull(), found.metering == UNLIMITED
    of_part = found.quantity.cast(WIDE) * found.component_quantity.cast(WIDE)
    return found.select(
        "source",
        "entitlement_id",
        "amendment",
        "invoice_id",
        "customer_id",
        "bundle_id",
        "period",
        "starts_on",
        "ends_on",
        product_id=is_part.ifelse(found.component_id, found.product_id),
        quantity=is_part.ifelse(of_part.cast(PRODUCT), found.quantity.cast(PRODUCT)),
        unit=is_part.ifelse(found.component_unit, found.unit),
        metering=(is_part & ~is_unlimited).ifelse(found.component_metering, found.metering),
    )


def composition(raw_bundles: ir.Table) -> ir.Table:
    """What each bundle is made of; where several sources have it, that of the latest dump."""
    last_first = ibis.rank().over(
        group_by=raw_bundles.bundle_id,
        order_by=[raw_bundles.dump_day.desc(), raw_bundles.source.desc()],
    )
    ranked = raw_bundles.mutate(position=last_first)
    return ranked.filter(ranked.position == 0)
