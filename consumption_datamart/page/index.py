"""What the index says, and the list of customers."""

from collections import defaultdict
from collections.abc import Mapping
from math import fsum
from typing import Any

import pandas as pd

from consumption_datamart.page import charts, names, plane
from consumption_datamart.page.figures import NO_TELEMETRY, figures, values_of_pairs
from consumption_datamart.page.markup import words
from consumption_datamart.page.plane import Chart
from consumption_datamart.page.reading import Material
from consumption_datamart.report.reading import Record, by, records
from consumption_datamart.report.verdict import BANDS
from consumption_datamart.schema.codes import ABSENT

ACTIONS = 10
ORDER = (*BANDS, ABSENT)
Context = dict[str, Any]


def index(material: Material, search: list[list[str]]) -> Context:
    """The context of the template of the index.

    Args:
        material: what was read.
        search: name, id and page of each customer and product.
    """
    report = material.report
    return {
        "figures": figures(material),
        "verdict": report.verdict,
        "objectives": objectives_of(material),
        "actions": _actions(material),
        "actions_left": max(0, len(report.actions) - ACTIONS),
        "movements": _movements(material),
        "renewals": renewals(material),
        "products": products(material),
        "other_products": _others(material),
        "overview": overview(material),
        "set_aside": records(material.set_aside.sort_values(["lake_table", "reason"])),
        "search": search,
    }


def overview(material: Material) -> Chart:
    """Pairs of a customer and product by band over time."""
    sums = material.portfolio.groupby("day")[list(BANDS)].sum().sort_index()
    days = [pd.Timestamp(each).date() for each in sums.index]
    layers = [(band, words(band), sums[band].astype(float).tolist()) for band in BANDS]
    return charts.stacked("Customer × product pairs by band", "pairs", days, layers)


def objectives_of(material: Material) -> Record | None:
    """How many objectives are met, of how many that were measured; None: none was."""
    if material.objectives is None:
        return None
    measured = material.objectives[material.objectives["days_measured"] > 0]
    met = int((measured["budget_left"] >= 0).sum())
    return {"met": met, "measured": len(measured), "all": len(material.objectives)}


def _actions(material: Material) -> list[Record]:
    currency = material.report.verdict.currency
    found = []
    for action in material.report.actions[:ACTIONS]:
        row = dict(vars(action))
        value, of = (row["at_stake"], currency)
        if value is None and row["annual_value"] is not None:
            value, of = row["annual_value"] * row["share"], row["currency"]
        weekly = material.usage.weekly.get((row["customer_id"], row["product_id"]))
        line = [] if weekly is None else [float(each) for each in weekly]
        found.append(
            row
            | {"stake": value, "of": of, "weekly": line, "spark": plane.spark(line)}
            | {"page": names.of_customer(row["customer_id"])}
        )
    return found


def _movements(material: Material) -> list[Record] | None:
    """From which band to which: pairs of a customer and product, and what they are worth."""
    if material.movements is None:
        return None
    worth = values_of_pairs(material.report.listings["commitment"].rows)
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in records(material.movements):
        pair = row["customer_id"], row["product_id"]
        found[row["band_before"], row["band"]].append(pair)
    rows: list[Record] = []
    for (before, now), pairs in found.items():
        known = [worth[pair] for pair in pairs if pair in worth]
        value = fsum(known) if known else None
        rows.append({"before": before, "band": now, "customers": len(pairs), "value": value})
    rows.sort(key=lambda row: (-row["customers"], ORDER.index(row["before"]), row["band"]))
    return rows


STANDINGS = ("at risk", "open", "renewed")


def renewals(material: Material, rows: pd.DataFrame | None = None) -> Context:
    """Renewals by month and by where they stand.

    Returns:
        rows: a month and standing each, with renewals, value and unknown; chart: of values, or of
        numbers where there is no money.
    """
    found = records(material.renewals if rows is None else rows)
    sums: dict[tuple[str, str], Record] = {}
    for row in sorted(found, key=lambda row: row["ends_on"]):
        standing = "at risk" if row["at_risk"] else "renewed" if row["renewed_by"] else "open"
        key = f"{row['ends_on']:%Y-%m}", standing
        each = sums.setdefault(key, {"renewals": 0, "values": [], "unknown": 0})
        each["renewals"] += 1
        if row["annual_value_reporting"] is None:
            each["unknown"] += 1
        else:
            each["values"].append(float(row["annual_value_reporting"]))
    for each in sums.values():
        known = each.pop("values")
        each["value"] = fsum(known) if known else None
    months = list(dict.fromkeys(month for month, _ in sums))
    column = "value" if material.is_priced else "renewals"
    layers = [
        (
            standing.replace(" ", "_"),
            standing,
            [float(sums.get((month, standing), {}).get(column) or 0) for month in months],
        )
        for standing in STANDINGS
    ]
    unit = material.report.verdict.currency or "" if material.is_priced else "renewals"
    chart = charts.bars("Renewals by month and risk", unit, [*map(_month, months)], layers)
    listed = [
        {"month": month, "told": _month(month), "standing": standing} | sums[month, standing]
        for month in months
        for standing in STANDINGS
        if (month, standing) in sums
    ]
    return {"rows": listed, "chart": chart if months else None}


def _month(month: str) -> str:
    return f"{pd.Timestamp(month):%b %Y}"


def products(material: Material) -> list[Record]:
    """Each product of the day, with its active customers and a line of its consumption."""
    day = pd.Timestamp(material.report.day)
    active = _by_product(material.active[pd.to_datetime(material.active["day"]) == day])
    lines: Mapping[str, list[float]] = defaultdict(list)
    for row in records(material.portfolio.sort_values("day")):
        lines[row["product_id"]].append(float(row["consumption_30d"] or 0.0))
    return [
        row
        | {
            "active": active.get(row["product_id"], 0),
            "spark": plane.spark(lines[row["product_id"]]),
            "page": names.of_product(row["product_id"]),
        }
        for row in records(material.report.listings["product"].rows)
    ]


def _others(material: Material) -> list[Record]:
    """Products that have no row in the report of the day."""
    known = set(material.report.listings["product"].rows["product_id"])
    rows = material.products[~material.products["product_id"].isin(known)]
    found = records(rows.sort_values(["product_name", "product_id"]))
    return [row | {"page": names.of_product(row["product_id"])} for row in found]


def _by_product(active: pd.DataFrame) -> dict[str, int]:
    return dict(zip(active["product_id"], active["customers"].astype(int), strict=True))


def customers(material: Material) -> list[Record]:
    """A row a customer: bands of its products, mean share, value and next end."""
    listings = material.report.listings
    of_customer = by(records(listings["customer"].rows), "customer_id")
    commitments = by(records(listings["commitment"].rows), "customer_id")
    found = []
    for customer in records(material.customers.sort_values(["customer_name", "customer_id"])):
        own = of_customer[customer["customer_id"]]
        shares = [
            min(1.0, share)
            for row in own
            if (share := row["consumption_30d"]) is not None and row["band"] != NO_TELEMETRY
        ]
        terms = commitments[customer["customer_id"]]
        values = [row["annual_value_reporting"] for row in terms]
        known = [value for value in values if value is not None]
        found.append(
            customer
            | {
                "page": names.of_customer(customer["customer_id"]),
                "bands": [band for band in BANDS if any(r["band"] == band for r in own)],
                "share": fsum(shares) / len(shares) if shares else None,
                "value": fsum(known) if known else None,
                "ends_on": min((r["ends_on"] for r in terms), default=None),
            }
        )
    return found
