"""dim_product: products and how their use is metered."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.codes import UNLIMITED, flag

LINE = ("invoice_id", "line_number", "source")
AMENDMENT = ("entitlement_id", "amendment", "source")


def dim_product(
    raw_invoices: ir.Table, raw_entitlements: ir.Table, deployment_monthly: ir.Table
) -> ir.Table:
    """All products that any raw table names (spec 3).

    Args:
        raw_invoices: the last line names the product.
        raw_entitlements: the last one gives its unit and metering.
        deployment_monthly: gives the unit of a product without entitlement.

    Returns:
        One row a product; one that was never invoiced is named by its id.
    """
    named = _last(raw_invoices, ["invoice_date", *LINE], ["product_name"])
    counted = _last(raw_entitlements, ["starts_on", *AMENDMENT], ["unit"])
    limited = raw_entitlements.filter(raw_entitlements.metering != UNLIMITED)
    metered = _last(limited, ["starts_on", *AMENDMENT], ["metering"])
    limited_metering = raw_entitlements.metering.nullif(UNLIMITED)
    terms = raw_entitlements.group_by("product_id").aggregate(
        units=raw_entitlements.unit.nunique(), meterings=limited_metering.nunique()
    )
    used = deployment_monthly.group_by("product_id").aggregate(
        used_unit=deployment_monthly.unit.min()
    )
    products = ibis.union(
        *(table.select("product_id") for table in (named, counted, used)), distinct=True
    )
    products = (
        products.left_join(named, "product_id")
        .left_join(counted, "product_id")
        .left_join(metered, "product_id")
        .left_join(terms, "product_id")
        .left_join(used, "product_id")
        .select("product_id", "product_name", "unit", "metering", "units", "meterings", "used_unit")
    )
    return products.select(
        "product_id",
        product_name=products.product_name.fill_null(products.product_id),
        unit=products.unit.fill_null(products.used_unit),
        metering=products.metering.fill_null("capacity"),
        meta__warnings=flag(
            {
                "conflicting_metering": (products.units > 1) | (products.meterings > 1),
                "never_invoiced": products.product_name.isnull(),
            }
        ),
    )


def _last(rows: ir.Table, order: list[str], columns: list[str]) -> ir.Table:
    """Of each product the columns of its last row."""
    position = ibis.row_number().over(
        group_by=rows.product_id, order_by=[rows[name].desc() for name in order]
    )
    ranked = rows.select("product_id", *columns, position=position)
    return ranked.filter(ranked.position == 0).drop("position")
