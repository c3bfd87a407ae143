"""dim_product: products and how their use is metered."""

import ibis
import ibis.expr.types as ir

from consumption_datamart.assets.star.bundles import components, composition
from consumption_datamart.schema.codes import UNLIMITED, flag
from consumption_datamart.schema.raw import SILENCE_UNKNOWN

LINE = ("invoice_date", "invoice_id", "line_number", "source")
TERM = ("starts_on", "entitlement_id", "amendment", "source", "is_component")


def dim_product(
    raw_invoices: ir.Table,
    raw_entitlements: ir.Table,
    raw_bundles: ir.Table,
    deployment_monthly: ir.Table,
    declarations: ir.Table,
) -> ir.Table:
    """All products that any raw table names (spec 3 and 7).

    Args:
        raw_invoices: the last line names the product.
        raw_entitlements: the last one gives its unit and metering.
        raw_bundles: whose components entitlements are to, and which are products, too.
        deployment_monthly: gives the unit of a product without entitlement.
        declarations: of which products missing telemetry says nothing.

    Returns:
        One row a product; one that was never invoiced is named by its id.
    """
    bundles = composition(raw_bundles)
    terms = _terms(raw_entitlements, raw_bundles, bundles)
    limited = terms.filter(terms.metering != UNLIMITED)
    named = _last(raw_invoices, LINE, ["product_name"])
    counted = _last(terms, TERM, ["unit"])
    metered = _last(limited, TERM, ["metering"])
    disagreeing = terms.group_by("product_id").aggregate(
        units=terms.unit.nunique(), meterings=terms.metering.nullif(UNLIMITED).nunique()
    )
    used = deployment_monthly.group_by("product_id").aggregate(
        used_unit=deployment_monthly.unit.min()
    )
    sold = bundles.select(product_id="bundle_id", is_sold=True).distinct()
    part = bundles.select("product_id", is_part=True).distinct()
    silent = declarations.filter(declarations.declaration == SILENCE_UNKNOWN)
    silent = silent.select(product_id="value", is_silent=True)
    tables = (named, counted, used, sold, part)
    products = ibis.union(*(table.select("product_id") for table in tables), distinct=True)
    for table in (named, counted, metered, disagreeing, used, sold, part, silent):
        columns = [name for name in table.columns if name != "product_id"]
        found = products.left_join(table, "product_id")
        products = found.select(*products.columns, *columns)
    is_bundle = products.is_sold.fill_null(False)
    return products.select(
        "product_id",
        product_name=products.product_name.fill_null(products.product_id),
        unit=products.unit.fill_null(products.used_unit),
        metering=products.metering.fill_null("capacity"),
        is_bundle=is_bundle,
        silence_unknown=products.is_silent.fill_null(False),
        meta__warnings=flag(
            {
                "conflicting_metering": (products.units > 1) | (products.meterings > 1),
                "nested_bundle": is_bundle & products.is_part.fill_null(False),
                "never_invoiced": products.product_name.isnull(),
            }
        ),
    )


def _terms(raw_entitlements: ir.Table, raw_bundles: ir.Table, bundles: ir.Table) -> ir.Table:
    """Entitlements after bundles are taken apart, and those to bundles as they were sold."""
    columns = ["product_id", "unit", "metering", *TERM]
    parts = components(raw_entitlements, raw_bundles).mutate(is_component=True)
    whole = raw_entitlements.semi_join(bundles, raw_entitlements.product_id == bundles.bundle_id)
    return ibis.union(parts.select(columns), whole.mutate(is_component=False).select(columns))


def _last(rows: ir.Table, order: tuple[str, ...], columns: list[str]) -> ir.Table:
    """Of each product the columns of its last row."""
    position = ibis.row_number().over(
        group_by=rows.product_id, order_by=[rows[name].desc() for name in order]
    )
    ranked = rows.select("product_id", *columns, position=position)
    return ranked.filter(ranked.position == 0).drop("position")
