"""Sections 3 and 7 of the spec: products and deployments."""

from consumption_datamart_tests.oracle_accounts import invoice_order
from consumption_datamart_tests.oracle_entitlements import bundle_ids, taken_apart
from consumption_datamart_tests.oracle_tables import Raw, Row, codes, distinct, grouped, least


def dim_product(raw: Raw, silence_unknown: set[str]) -> list[Row]:
    """Section 3: every product of any raw table; one never invoiced is named by its id."""
    bundles = bundle_ids(raw)
    components = {row["product_id"] for row in raw["bundles"]}
    tables = ("invoices", "entitlements", "telemetry", "bundles")
    seen = {row["product_id"] for table in tables for row in raw[table]} | bundles
    lines = grouped(raw["invoices"], "product_id")
    usage = grouped(raw["telemetry"], "product_id")
    entitlements = entitlements_by_product(raw)
    rows = []
    for product_id in sorted(seen):
        named = lines.get((product_id,), [])
        name = max(named, key=invoice_order)["product_name"] if named else product_id
        entitled = entitlements.get(product_id, [])
        limited = [row for row in entitled if row["metering"] != "unlimited"]
        used_units = [row["unit"] for row in usage.get((product_id,), [])]
        conflicting = len(distinct(entitled, "unit")) > 1 or len(distinct(limited, "metering")) > 1
        rows.append(
            {
                "product_id": product_id,
                "product_name": name,
                "unit": entitled[-1]["unit"] if entitled else least(used_units),
                "metering": limited[-1]["metering"] if limited else "capacity",
                "is_bundle": product_id in bundles,
                "silence_unknown": product_id in silence_unknown,
                "meta__warnings": codes(
                    conflicting_metering=conflicting,
                    nested_bundle=product_id in bundles & components,
                    never_invoiced=not named,
                ),
            }
        )
    return rows


def entitlements_by_product(raw: Raw) -> dict[str, list[Row]]:
    """Section 7: the rows that tell a product's unit and metering, the last one last.

    They are those after bundles are taken apart, and of a bundle itself those before.
    """
    bundles = bundle_ids(raw)
    of_bundles = [row for row in raw["entitlements"] if row["product_id"] in bundles]
    ranked = [(*entitlement_order(row), 0, row) for row in of_bundles]
    ranked += [(*entitlement_order(row), 1, row) for row in taken_apart(raw)]
    rows: dict[str, list[Row]] = {}
    for *_, row in sorted(ranked, key=lambda each: each[:-1]):
        rows.setdefault(row["product_id"], []).append(row)
    return rows


def entitlement_order(row: Row) -> tuple:
    """Section 3: the order of entitlements in which the last tells of a product."""
    return (row["starts_on"], row["entitlement_id"], row["amendment"])


def dim_deployment(raw: Raw) -> list[Row]:
    """Section 3: every deployment as it was on the last day it was seen."""
    rows = []
    for (deployment_id,), events in grouped(raw["telemetry"], "deployment_id").items():
        last = max(event["dump_day"] for event in events)
        on_last_day = [event for event in events if event["dump_day"] == last]
        moved = len(distinct(events, "customer_id")) > 1
        rows.append(
            {
                "deployment_id": deployment_id,
                "customer_id": least([event["customer_id"] for event in on_last_day]),
                "product_id": least([event["product_id"] for event in on_last_day]),
                "infrastructure": least([event["infrastructure"] for event in on_last_day]),
                "first_seen_on": min(event["dump_day"] for event in events),
                "last_seen_on": last,
                "meta__warnings": codes(moved_deployment=moved),
            }
        )
    return rows


def deployment_monthly(raw: Raw) -> list[Row]:
    """Who was seen in a month, as of the last day in it."""
    names = ("month_start", "deployment_id", "customer_id", "product_id")
    readings = [row | {"month_start": row["dump_day"].replace(day=1)} for row in raw["telemetry"]]
    rows = []
    for values, events in grouped(readings, *names).items():
        last = max(event["dump_day"] for event in events)
        on_last_day = [event["infrastructure"] for event in events if event["dump_day"] == last]
        rows.append(
            {
                **dict(zip(names, values, strict=True)),
                "infrastructure": least(on_last_day),
                "unit": least([event["unit"] for event in events]),
                "first_seen_on": min(event["dump_day"] for event in events),
                "last_seen_on": last,
            }
        )
    return rows
