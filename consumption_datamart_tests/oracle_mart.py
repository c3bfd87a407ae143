"""Section 3 of the spec, sentence by sentence: dimensions and facts."""

import math
from collections.abc import Iterator
from datetime import date, timedelta

Row = dict[str, object]
Raw = dict[str, list[Row]]

FIRST_VALID_DAY = date(1900, 1, 1)
OPEN_END = date(9999, 12, 31)
DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def days_between(first: date, last: date) -> Iterator[date]:
    """Walk the days from first to last, both included."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def least(values: list[str | None]) -> str | None:
    """The least in alphabetical order; null only when there is nothing else."""
    return min((value for value in values if value is not None), default=None)


def distinct(rows: list[Row], *names: str) -> list[tuple]:
    """The distinct combinations of some columns, in order."""
    return sorted({tuple(row[name] for name in names) for row in rows})


def invoice_order(line: Row) -> tuple:
    """Section 3: the order of invoice lines."""
    return (line["invoice_date"], line["invoice_id"], line["line_number"])


def dim_day() -> list[Row]:
    """Section 3: every day of 2020 to 2039."""
    return [
        {
            "day": day,
            "day_of_week": day.isoweekday(),
            "day_name": DAY_NAMES[day.isoweekday() - 1],
            "is_weekend": day.isoweekday() in (6, 7),
            "iso_year": day.isocalendar()[0],
            "iso_week": day.isocalendar()[1],
            "month": day.month,
            "month_name": MONTH_NAMES[day.month - 1],
            "quarter": (day.month + 2) // 3,
            "year": day.year,
            "month_start": date(day.year, day.month, 1),
        }
        for day in days_between(date(2020, 1, 1), date(2039, 12, 31))
    ]


def dim_customer(raw: Raw) -> list[Row]:
    """Section 3: one row for each name a customer has had, or one for a customer never invoiced."""
    every_row = raw["invoices"] + raw["entitlements"] + raw["telemetry"]
    rows: list[Row] = []
    for (customer_id,) in distinct(every_row, "customer_id"):
        names = names_by_day(raw["invoices"], customer_id)
        warning = "" if names else "unknown_customer"
        changes = name_changes(names) or [(FIRST_VALID_DAY, customer_id)]
        ends = [valid_from for valid_from, _ in changes[1:]] + [OPEN_END]
        for (valid_from, name), valid_to in zip(changes, ends, strict=True):
            rows.append(
                {
                    "customer_key": f"{customer_id}@{valid_from.isoformat()}",
                    "customer_id": customer_id,
                    "customer_name": name,
                    "valid_from": valid_from,
                    "valid_to": valid_to,
                    "is_current": valid_to == OPEN_END,
                    "meta__warnings": warning,
                }
            )
    return rows


def names_by_day(invoices: list[Row], customer_id: str) -> dict[date, str]:
    """Section 3: the name of each day that has invoice lines; the day's last line counts."""
    names = {}
    for line in sorted(invoices, key=invoice_order):
        if line["customer_id"] == customer_id:
            names[line["invoice_date"]] = line["customer_name"]
    return names


def name_changes(names: dict[date, str]) -> list[tuple[date, str]]:
    """Section 3: the days on which the name changed; the first name holds from 1900-01-01."""
    changes: list[tuple[date, str]] = []
    for day in sorted(names):
        if not changes:
            changes.append((FIRST_VALID_DAY, names[day]))
        elif changes[-1][1] != names[day]:
            changes.append((day, names[day]))
    return changes


def customer_on(customers: list[Row], customer_id: str, day: date) -> Row:
    """Find the row of a customer that is valid on a day."""
    (found,) = [
        row
        for row in customers
        if row["customer_id"] == customer_id and row["valid_from"] <= day < row["valid_to"]
    ]
    return found


def dim_product(raw: Raw) -> list[Row]:
    """Section 3: every product of any raw table; one never invoiced is named by its id."""
    rows = []
    every_row = raw["invoices"] + raw["entitlements"] + raw["telemetry"]
    for (product_id,) in distinct(every_row, "product_id"):
        lines = [row for row in raw["invoices"] if row["product_id"] == product_id]
        entitlements = [row for row in raw["entitlements"] if row["product_id"] == product_id]
        usage = [row for row in raw["telemetry"] if row["product_id"] == product_id]
        name = max(lines, key=invoice_order)["product_name"] if lines else product_id
        if entitlements:
            last = max(
                entitlements,
                key=lambda row: (row["starts_on"], row["entitlement_id"], row["amendment"]),
            )
            limited = [row for row in entitlements if row["metering"] != "unlimited"]
            unit, metering = last["unit"], "capacity"
            if limited:
                metering = max(
                    limited,
                    key=lambda row: (row["starts_on"], row["entitlement_id"], row["amendment"]),
                )["metering"]
        else:
            unit, metering = least([row["unit"] for row in usage]), "capacity"
        codes = []
        meterings = {row["metering"] for row in entitlements} - {"unlimited"}
        if len(distinct(entitlements, "unit")) > 1 or len(meterings) > 1:
            codes.append("conflicting_metering")
        if not lines:
            codes.append("never_invoiced")
        rows.append(
            {
                "product_id": product_id,
                "product_name": name,
                "unit": unit,
                "metering": metering,
                "meta__warnings": ";".join(codes),
            }
        )
    return rows


def usage_by_unit_daily(raw: Raw) -> list[Row]:
    """Usage of a day, deployment, customer, product and unit."""
    names = ("dump_day", "deployment_id", "customer_id", "product_id", "unit")
    rows = []
    for values in distinct(raw["telemetry"], *names):
        events = [row for row in raw["telemetry"] if tuple(row[n] for n in names) == values]
        quantities = [event["quantity"] for event in events]
        rows.append(
            {
                **dict(zip(("day", *names[1:]), values, strict=True)),
                "infrastructure": least([event["infrastructure"] for event in events]),
                "total_quantity": sum(quantities),
                "peak_quantity": max(quantities),
                "event_count": len(events),
            }
        )
    return rows


def deployment_monthly(raw: Raw) -> list[Row]:
    """Who was seen in a month, as of the last day in it."""
    names = ("month_start", "deployment_id", "customer_id", "product_id")
    readings = [row | {"month_start": row["dump_day"].replace(day=1)} for row in raw["telemetry"]]
    rows = []
    for values in distinct(readings, *names):
        events = [row for row in readings if tuple(row[n] for n in names) == values]
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


def dim_deployment(raw: Raw) -> list[Row]:
    """Section 3: every deployment as it was on the last day it was seen."""
    rows = []
    for (deployment_id,) in distinct(raw["telemetry"], "deployment_id"):
        events = [row for row in raw["telemetry"] if row["deployment_id"] == deployment_id]
        first = min(event["dump_day"] for event in events)
        last = max(event["dump_day"] for event in events)
        on_last_day = [event for event in events if event["dump_day"] == last]
        moved = len(distinct(events, "customer_id")) > 1
        rows.append(
            {
                "deployment_id": deployment_id,
                "customer_id": least([event["customer_id"] for event in on_last_day]),
                "product_id": least([event["product_id"] for event in on_last_day]),
                "infrastructure": least([event["infrastructure"] for event in on_last_day]),
                "first_seen_on": first,
                "last_seen_on": last,
                "meta__warnings": "moved_deployment" if moved else "",
            }
        )
    return rows


def fact_invoice_line(raw: Raw, customers: list[Row]) -> list[Row]:
    """Section 3: every invoice line, its customer as of the invoice's date."""
    return [
        {
            "source": line["source"],
            "invoice_id": line["invoice_id"],
            "line_number": line["line_number"],
            "day": line["invoice_date"],
            "customer_key": customer_on(customers, line["customer_id"], line["invoice_date"])[
                "customer_key"
            ],
            "customer_id": line["customer_id"],
            "product_id": line["product_id"],
            "quantity": line["quantity"],
            "unit_price": line["unit_price"],
            "amount": line["quantity"] * line["unit_price"],
            "currency": line["currency"],
            "term_months": line["term_months"],
        }
        for line in raw["invoices"]
    ]


def fact_usage_daily(raw: Raw) -> list[Row]:
    """Section 3: the usage of a deployment by a customer and of a product, by day."""
    rows = []
    key = ("dump_day", "deployment_id", "customer_id", "product_id")
    for values in distinct(raw["telemetry"], *key):
        events = [row for row in raw["telemetry"] if tuple(row[name] for name in key) == values]
        quantities = [event["quantity"] for event in events]
        rows.append(
            {
                "day": values[0],
                "deployment_id": values[1],
                "customer_id": values[2],
                "product_id": values[3],
                "infrastructure": least([event["infrastructure"] for event in events]),
                "total_quantity": math.fsum(quantities),
                "peak_quantity": max(quantities),
                "event_count": len(events),
            }
        )
    return rows


def in_force(entitlements: list[Row], day: date) -> list[Row]:
    """Section 3: the amendments in force on a day."""
    result = []
    for row in entitlements:
        later_has_started = any(
            other["entitlement_id"] == row["entitlement_id"]
            and other["amendment"] > row["amendment"]
            and other["starts_on"] <= day
            for other in entitlements
        )
        if row["starts_on"] <= day < row["ends_on"] and not later_has_started:
            result.append(row)
    return result


def entitled_a_day(amendment: Row) -> float:
    """Section 3: what an amendment in force entitles to on a day."""
    quantity = float(amendment["quantity"])
    if amendment["metering"] == "unlimited":
        return 0.0
    if amendment["metering"] == "capacity":
        return quantity
    return quantity / (amendment["ends_on"] - amendment["starts_on"]).days


def fact_entitlement_daily(raw: Raw, days: list[date]) -> list[Row]:
    """Section 3: what is entitled on each day, summed over the amendments in force."""
    rows = []
    for day in days:
        amendments = in_force(raw["entitlements"], day)
        for customer_id, product_id in distinct(amendments, "customer_id", "product_id"):
            summed = [
                row
                for row in amendments
                if (row["customer_id"], row["product_id"]) == (customer_id, product_id)
            ]
            rows.append(
                {
                    "day": day,
                    "customer_id": customer_id,
                    "product_id": product_id,
                    "entitled_quantity": math.fsum(entitled_a_day(row) for row in summed),
                    "entitlement_count": len(summed),
                }
            )
    return rows


def fact_consumption_daily(
    entitlements: list[Row], usage: list[Row], products: list[Row]
) -> list[Row]:
    """Section 3: what is used of what is entitled, by day, customer and product."""
    rows = []
    metering = {product["product_id"]: product["metering"] for product in products}
    key = ("day", "customer_id", "product_id")
    for values in distinct(entitlements + usage, *key):
        entitled = [row for row in entitlements if tuple(row[name] for name in key) == values]
        used = [row for row in usage if tuple(row[name] for name in key) == values]
        measure = "peak_quantity" if metering[values[2]] == "capacity" else "total_quantity"
        entitled_quantity = math.fsum(row["entitled_quantity"] for row in entitled)
        used_quantity = math.fsum(row[measure] for row in used)
        if entitled_quantity > 0 or used:
            ratio = used_quantity / entitled_quantity if entitled_quantity > 0 else None
            rows.append(
                {
                    **dict(zip(key, values, strict=True)),
                    "entitled_quantity": entitled_quantity,
                    "used_quantity": used_quantity,
                    "consumption_ratio": ratio,
                    "meta__warnings": "" if entitled_quantity > 0 else "unentitled_usage",
                }
            )
    return rows
