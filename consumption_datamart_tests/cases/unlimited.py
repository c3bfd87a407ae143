"""Sections 7 and 8: what is entitled without limit, and products whose silence says nothing."""

from consumption_datamart_tests.cases.base import (
    Case,
    days,
    dump,
    lake,
    settings,
    span,
    table_of,
    used,
)
from consumption_datamart_tests.lakes import Row, day, entitlement

CONSUMPTION = (
    "day entitled_quantity used_quantity consumption_ratio is_unlimited deployment_count "
    "meta__warnings"
)
REPORT = (
    "day entitled_30d used_30d used_limited_30d consumption_30d is_unlimited days_reported band"
)


def unlimited(**overrides: object) -> Row:
    """An entitlement without limit."""
    return entitlement(metering="unlimited", **overrides)


CASES = [
    Case(
        "unlimited beside a quantity: sums are of the days that are not unlimited",
        lake(
            dump(
                "entitlements",
                1,
                [
                    unlimited(entitlement_id="1", quantity=5, ends_on=day(3)),
                    entitlement(entitlement_id="2", quantity=10),
                ],
            ),
            dump("telemetry", 1, [used(1, 4)]),
            dump("telemetry", 3, [used(3, 4), used(3, 3, deployment_id="DEP-2")]),
        ),
        {
            "mart.fact_entitlement_daily": table_of(
                "day entitled_quantity entitlement_count is_unlimited",
                (day(1), 10.0, 2, True),
                (day(2), 10.0, 2, True),
                (day(3), 10.0, 1, False),
            ),
            "mart.fact_consumption_daily": table_of(
                CONSUMPTION,
                (day(1), 10.0, 4.0, None, True, 1, ""),
                (day(2), 10.0, 0.0, None, True, 0, ""),
                (day(3), 10.0, 7.0, 0.7, False, 2, ""),
            ),
            "mart.report_consumption_daily": table_of(
                REPORT,
                (day(1), 0.0, 4.0, 0.0, None, True, 1, "unlimited"),
                (day(2), 0.0, 4.0, 0.0, None, True, 1, "unlimited"),
                (day(3), 10.0, 11.0, 7.0, 0.7, False, 2, "healthy"),
            ),
        },
    ),
    Case(
        "unlimited alone: rows as long as it is, used or not, and no unentitled usage",
        lake(
            span(1, 3),
            dump(
                "entitlements",
                1,
                [
                    unlimited(entitlement_id="1", quantity=0, ends_on=day(3)),
                    unlimited(entitlement_id="2", customer_id="CUST-2", ends_on=day(2)),
                ],
            ),
            dump("telemetry", 1, [used(1, 4, customer_id="CUST-2")]),
        ),
        {
            "mart.fact_consumption_daily": table_of(
                "customer_id " + CONSUMPTION,
                ("CUST-1", day(1), 0.0, 0.0, None, True, 0, ""),
                ("CUST-1", day(2), 0.0, 0.0, None, True, 0, ""),
                ("CUST-2", day(1), 0.0, 4.0, None, True, 1, ""),
            ),
            "mart.report_consumption_daily": table_of(
                "customer_id " + REPORT,
                ("CUST-1", day(1), 0.0, 0.0, 0.0, None, True, 0, "unlimited"),
                ("CUST-1", day(2), 0.0, 0.0, 0.0, None, True, 0, "unlimited"),
                ("CUST-2", day(1), 0.0, 4.0, 0.0, None, True, 1, "unlimited"),
                ("CUST-2", day(2), 0.0, 4.0, 0.0, None, False, 1, "unentitled"),
                ("CUST-2", day(3), 0.0, 4.0, 0.0, None, False, 1, "unentitled"),
            ),
        },
    ),
    Case(
        "used on unlimited days alone is no use of what is limited since, but is not unused",
        lake(
            span(1, 2),
            dump(
                "entitlements",
                1,
                [unlimited(), entitlement(amendment=1, starts_on=day(2))],
            ),
            dump("telemetry", 1, [used(1, 4)]),
        ),
        {
            "mart.report_consumption_daily": table_of(
                REPORT,
                (day(1), 0.0, 4.0, 0.0, None, True, 1, "unlimited"),
                (day(2), 10.0, 4.0, 0.0, 0.0, False, 1, "at_risk"),
            )
        },
    ),
    Case(
        "unlimited is no metering of a product, and no conflict; its unit may be one",
        lake(
            span(1, 1),
            dump(
                "entitlements",
                1,
                [
                    unlimited(entitlement_id="1", product_id="alone", unit="seat"),
                    entitlement(entitlement_id="2", product_id="both", metering="consumable"),
                    unlimited(entitlement_id="3", product_id="both"),
                    entitlement(entitlement_id="4", product_id="units", metering="consumable"),
                    unlimited(entitlement_id="5", product_id="units", unit="seat"),
                ],
            ),
        ),
        {
            "mart.dim_product": table_of(
                "product_id unit metering meta__warnings",
                ("alone", "seat", "capacity", "never_invoiced"),
                ("both", "vCPU", "consumable", "never_invoiced"),
                ("units", "seat", "consumable", "conflicting_metering;never_invoiced"),
            )
        },
    ),
    Case(
        "no telemetry of a product whose silence is unknown is not unused",
        lake(
            settings('[silence]\nunknown = ["db"]\n'),
            span(5, 5),
            dump(
                "entitlements",
                5,
                [
                    entitlement(entitlement_id="1", customer_id="silent"),
                    entitlement(entitlement_id="2", customer_id="nothing"),
                    entitlement(entitlement_id="3", customer_id="low"),
                    entitlement(entitlement_id="4", customer_id="silent", product_id="cache"),
                    unlimited(entitlement_id="5", customer_id="unlimited"),
                ],
            ),
            dump(
                "telemetry",
                5,
                [
                    used(5, 0, customer_id="nothing", deployment_id="1"),
                    used(5, 3, customer_id="low", deployment_id="2"),
                    used(5, 0, customer_id="free", deployment_id="3"),
                ],
            ),
        ),
        {
            "mart.dim_product": table_of(
                "product_id silence_unknown", ("db", True), ("cache", False)
            ),
            "mart.report_consumption_daily": table_of(
                "customer_id product_id days_reported band",
                ("silent", "db", 0, "no_telemetry"),
                ("nothing", "db", 1, "unused"),
                ("low", "db", 1, "low"),
                ("silent", "cache", 0, "unused"),
                ("unlimited", "db", 0, "unlimited"),
            ),
        },
    ),
    Case(
        "telemetry of nothing is heard for 30 days",
        lake(
            settings('[silence]\nunknown = ["db"]\n'),
            span(1, 31),
            dump("entitlements", 1, [entitlement()]),
            dump("telemetry", 1, [used(1, 0)]),
        ),
        {
            "mart.report_consumption_daily": table_of(
                "day days_reported band",
                *((one, 1, "unused") for one in days(1, 30)),
                (day(31), 0, "no_telemetry"),
            )
        },
    ),
]
