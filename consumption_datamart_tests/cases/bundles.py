"""Section 7: bundles, and what they are made of."""

from decimal import Decimal

from consumption_datamart_tests.cases.base import Case, dump, lake, span, table_of
from consumption_datamart_tests.lakes import bundle, day, entitlement, invoice

PRODUCT = "product_id unit metering is_bundle meta__warnings"
CALLS = {"product_id": "calls", "unit": "api_call", "metering": "consumable"}


CASES = [
    Case(
        "an entitlement to a bundle entitles to each of its components",
        lake(
            span(1, 2),
            dump("bundles", 1, [bundle(quantity=2), bundle(quantity=30, **CALLS)]),
            dump(
                "entitlements",
                1,
                [entitlement(product_id="suite", quantity=5, unit="seat", ends_on=day(11))],
            ),
        ),
        {
            "mart.dim_entitlement": table_of(
                "entitlement_id amendment product_id bundle_id quantity unit metering "
                "daily_quantity starts_on ends_on valid_from valid_to",
                (
                    *("ENT-1", 0, "db", "suite", Decimal(10), "vCPU", "capacity"),
                    *(10.0, day(1), day(11), day(1), day(11)),
                ),
                (
                    *("ENT-1", 0, "calls", "suite", Decimal(150), "api_call", "consumable"),
                    *(15.0, day(1), day(11), day(1), day(11)),
                ),
            ),
            "mart.fact_entitlement_daily": table_of(
                "day product_id entitled_quantity entitlement_count is_unlimited",
                (day(1), "db", 10.0, 1, False),
                (day(1), "calls", 15.0, 1, False),
                (day(2), "db", 10.0, 1, False),
                (day(2), "calls", 15.0, 1, False),
            ),
            "mart.dim_product": table_of(
                PRODUCT,
                ("suite", "seat", "capacity", True, "never_invoiced"),
                ("db", "vCPU", "capacity", False, "never_invoiced"),
                ("calls", "api_call", "consumable", False, "never_invoiced"),
            ),
        },
    ),
    Case(
        "a bundle is what its latest dump says, on all days; bad rows supersede nothing",
        lake(
            span(1, 2),
            dump(
                "bundles",
                1,
                [
                    bundle(product_id="db"),
                    bundle(product_id="cache"),
                    bundle(bundle_id="duo", product_id="db"),
                ],
            ),
            dump("bundles", 3, [bundle(product_id="cache", quantity=3)]),
            dump("bundles", 4, [bundle(metering="unlimited"), bundle(bundle_id="duo", unit=None)]),
            dump("entitlements", 1, [entitlement(product_id="suite", quantity=2)]),
        ),
        {
            "lake.raw_bundles": table_of(
                "bundle_id product_id quantity dump_day",
                ("suite", "cache", Decimal(3), day(3)),
                ("duo", "db", Decimal(2), day(1)),
            ),
            "lake.quarantine_bundles": table_of(
                "bundle_id reason dump_day",
                ("suite", "out_of_range", day(4)),
                ("duo", "missing_value", day(4)),
            ),
            "mart.fact_entitlement_daily": table_of(
                "day product_id entitled_quantity", (day(1), "cache", 6.0), (day(2), "cache", 6.0)
            ),
        },
    ),
    Case(
        "a bundle in a bundle is not taken apart",
        lake(
            span(1, 1),
            dump(
                "bundles",
                1,
                [
                    bundle(product_id="db"),
                    bundle(product_id="calls", unit="pack"),
                    bundle(bundle_id="calls", product_id="cache", unit="GiB"),
                ],
            ),
            dump("entitlements", 1, [entitlement(product_id="suite", unit="seat")]),
        ),
        {
            "mart.fact_entitlement_daily": table_of(
                "product_id entitled_quantity", ("db", 20.0), ("calls", 20.0)
            ),
            "mart.dim_product": table_of(
                PRODUCT,
                ("suite", "seat", "capacity", True, "never_invoiced"),
                ("db", "vCPU", "capacity", False, "never_invoiced"),
                ("calls", "pack", "capacity", True, "nested_bundle;never_invoiced"),
                ("cache", None, "capacity", False, "never_invoiced"),
            ),
        },
    ),
    Case(
        "an unlimited entitlement to a bundle is unlimited in each component",
        lake(
            span(1, 1),
            dump("bundles", 1, [bundle(), bundle(**CALLS)]),
            dump("entitlements", 1, [entitlement(product_id="suite", metering="unlimited")]),
        ),
        {
            "mart.dim_entitlement": table_of(
                "product_id bundle_id quantity metering daily_quantity",
                ("db", "suite", Decimal(20), "unlimited", None),
                ("calls", "suite", Decimal(20), "unlimited", None),
            ),
            "mart.fact_entitlement_daily": table_of(
                "product_id entitled_quantity entitlement_count is_unlimited",
                ("db", 0.0, 1, True),
                ("calls", 0.0, 1, True),
            ),
        },
    ),
    Case(
        "what is sold alone and in a bundle is one product, with the unit of the last of both",
        lake(
            span(1, 5),
            dump("invoices", 5, [invoice(), invoice(line_number=2, product_id="suite")]),
            dump("bundles", 1, [bundle(), bundle(product_id="cache", unit="GiB")]),
            dump(
                "entitlements",
                1,
                [
                    entitlement(entitlement_id="1", unit="core", quantity=1),
                    entitlement(entitlement_id="2", product_id="suite", unit="seat"),
                    entitlement(
                        entitlement_id="3", product_id="cache", unit="GiB", starts_on=day(5)
                    ),
                ],
            ),
        ),
        {
            "mart.dim_product": table_of(
                PRODUCT,
                ("db", "vCPU", "capacity", False, "conflicting_metering"),
                ("suite", "seat", "capacity", True, ""),
                ("cache", "GiB", "capacity", False, "never_invoiced"),
            ),
            "mart.fact_entitlement_daily": table_of(
                "day product_id entitled_quantity entitlement_count",
                *((day(number), "db", 21.0, 2) for number in range(1, 6)),
                *((day(number), "cache", 20.0, 1) for number in range(1, 5)),
                (day(5), "cache", 30.0, 2),
            ),
        },
    ),
    Case(
        "a bundle that is its own component has the component's unit",
        lake(
            span(1, 1),
            dump("bundles", 1, [bundle(product_id="suite", unit="unit", metering="consumable")]),
            dump("entitlements", 1, [entitlement(product_id="suite", unit="seat")]),
        ),
        {
            "mart.dim_product": table_of(
                PRODUCT,
                (
                    *("suite", "unit", "consumable", True),
                    "conflicting_metering;nested_bundle;never_invoiced",
                ),
            ),
        },
    ),
    Case(
        "rows of bundles that are set aside, or flagged",
        lake(
            dump(
                "bundles",
                5,
                [
                    bundle(bundle_id="zero", quantity=0),
                    bundle(bundle_id="many", quantity="1000000.0001"),
                    bundle(bundle_id="not too many", quantity=1000000),
                    bundle(bundle_id="less", quantity=-1),
                    bundle(bundle_id="flat", metering="flat"),
                    bundle(bundle_id="text", quantity="two"),
                    bundle(bundle_id="twice", quantity=1, unit="z"),
                    bundle(bundle_id="twice", quantity=2, unit="a"),
                    bundle(bundle_id="same", unit="b", metering="capacity"),
                    bundle(bundle_id="same", unit="a", metering="consumable"),
                ],
            )
        ),
        {
            "lake.raw_bundles": table_of(
                "bundle_id unit meta__warnings",
                ("zero", "vCPU", ""),
                ("many", "vCPU", "unusual_quantity"),
                ("not too many", "vCPU", ""),
                ("twice", "a", ""),
                ("same", "b", ""),
            ),
            "lake.quarantine_bundles": table_of(
                "bundle_id reason",
                ("less", "out_of_range"),
                ("flat", "out_of_range"),
                ("text", "unreadable_value"),
                ("twice", "duplicate_key"),
                ("same", "duplicate_key"),
            ),
        },
    ),
]
