"""What a product's page says."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum
from typing import Any

from consumption_datamart.page import charts, names
from consumption_datamart.page.markup import words
from consumption_datamart.page.plane import Chart
from consumption_datamart.page.reading import Material
from consumption_datamart.report.reading import Record, by, records
from consumption_datamart.report.verdict import BANDS

PRODUCT = "product_id"
SHOWN = 10
"""Customers of a list."""


class Products:
    """What all products' pages are made of, by product."""

    def __init__(self, material: Material) -> None:
        """Groups everything once."""
        self.material = material
        self.products = {row["product_id"]: row for row in records(material.products)}
        self.days = by(records(material.portfolio.sort_values("day")), PRODUCT)
        self.active: Mapping[str, dict[date, int]] = defaultdict(dict)
        for row in records(material.active):
            self.active[row["product_id"]][row["day"]] = int(row["customers"])
        customers = records(material.report.listings["customer"].rows)
        self.customers = by(
            (row | {"page": names.of_customer(row["customer_id"])} for row in customers), PRODUCT
        )
        self.today = {
            row["product_id"]: row for row in records(material.report.listings["product"].rows)
        }
        most_first = material.infrastructure.sort_values(
            ["used_30d", "infrastructure"], ascending=[False, True]
        )
        self.infrastructure = by(records(most_first), PRODUCT)

    def page(self, product_id: str) -> dict[str, Any]:
        """The context of the template of a product."""
        rows = [row for row in self.customers[product_id] if row["consumption_30d"] is not None]
        others = [row for row in self.customers[product_id] if row["consumption_30d"] is None]
        others.sort(key=lambda row: -row["used_30d"])
        days, today = self.days[product_id], self.today.get(product_id)
        active = self.active[product_id]
        return {
            "product": self.products[product_id],
            "today": today,
            "active": active.get(self.material.report.day, 0),
            "bands": _bands(days) if days else None,
            "adoption": _adoption(days, active) if days else None,
            "top": rows[:SHOWN],
            "bottom": rows[SHOWN:][-SHOWN:][::-1],
            "others": others[:SHOWN],
            "infrastructure": _shares(self.infrastructure[product_id]),
        }


def _bands(days: Sequence[Record]) -> Chart:
    """Customers by band over time."""
    layers = [(band, words(band), [float(row[band]) for row in days]) for band in BANDS]
    return charts.stacked("Customers by band", "customers", [row["day"] for row in days], layers)


def _adoption(days: Sequence[Record], active: Mapping[date, int]) -> Chart:
    """Customers that have or use it, and those that used it in the 30 days."""
    lines = [
        ("entitled", "entitled or using", [float(row["customers"]) for row in days]),
        ("used", "used it in 30 days", [float(active.get(row["day"], 0)) for row in days]),
    ]
    return charts.lines("Adoption", "customers", [row["day"] for row in days], lines)


def _shares(rows: Sequence[Record]) -> list[Record]:
    """The share of what was used in 30 days by each infrastructure."""
    whole = fsum(row["used_30d"] for row in rows)
    return [row | {"share": row["used_30d"] / whole if whole else None} for row in rows]
