"""A mart for the tests of the page, and its site read back with an HTML parser."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from lxml import html

from consumption_datamart.checks import Inspection
from consumption_datamart.schema.lake import Invoices
from consumption_datamart.schema.monitoring import Objective
from consumption_datamart.warehouse import open_warehouse, publish
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import build_tables, load_table
from consumption_datamart_tests.test_report import write_lake

SCRIPT = "<script>alert(1)</script>"
HOSTILE = {
    "CUST-900": SCRIPT,
    "../../evil\"'<b>": 'Evil & "Sons" <img src=x onerror=alert(2)>',
    "CUST-902": "شركة الاختبار",
    "CUST-903": "Eighty " * 11 + "end",
    "cust-904": "Small",
    "CUST-904": "Capital",
}
NO_UNIT = "<b>nounit</b>"
"""A product that was invoiced, and nobody is entitled to or uses."""


def write_page_lake(lake: Path) -> None:
    """The lake of the report's tests, with customers whose names and ids are out to do harm."""
    write_lake(lake)
    lines, terms = [], []
    for number, (customer_id, name) in enumerate(HOSTILE.items()):
        of = {"customer_id": customer_id, "invoice_id": f"INV-9{number}"}
        lines.append(invoice(**of, customer_name=name, invoice_date=day(2)))
        terms.append(entitlement(**of, entitlement_id=f"ENT-9{number}", quantity=Decimal(10)))
    once = {"invoice_id": "INV-99", "product_id": NO_UNIT, "product_name": NO_UNIT}
    lines.append(invoice(**once, customer_id="CUST-900", customer_name=SCRIPT, invoice_date=day(2)))
    # an amendment: a step in what is entitled
    more = {"entitlement_id": "ENT-90", "customer_id": "CUST-900", "amendment": 1}
    terms.append(entitlement(**more, invoice_id=None, quantity=Decimal(30), starts_on=day(20)))
    write_dump(lake, "invoices", day(3), lines)
    write_dump(lake, "entitlements", day(3), terms)


def write_old_lake(lake: Path) -> None:
    """One customer, ten years of days, and usage on three of them."""
    ids = {"customer_id": "CUST-1", "invoice_id": "INV-1"}
    write_dump(lake, "invoices", day(-3600), [invoice(**ids, invoice_date=day(-3600))])
    term = entitlement(**ids, starts_on=day(-3600), ends_on=day(400))
    write_dump(lake, "entitlements", day(-3600), [term])
    for number in (-3600, -1000, 40):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])


def build_mart(folder: Path) -> str:
    """Builds the lake of a folder, with figures and objectives as a build records them."""
    url = f"duckdb://{folder}/warehouse.duckdb"
    build_tables(folder / "lake", url)
    warehouse = open_warehouse(url)
    load_table(warehouse, Invoices, folder / "lake", inspect=Inspection([]))
    kept = {"objective_table": "mart.report_renewals", "kind": "correctness", "target": 0.99}
    rows = [
        {"objective_name": "kept", "days_good": 20, "days_measured": 20, "budget_left": 1.0},
        {"objective_name": "missed", "days_good": 18, "days_measured": 20, "budget_left": -9.0},
        {"objective_name": "open", "days_good": 0, "days_measured": 0, "budget_left": 1.0},
    ]
    publish(warehouse, Objective, pd.DataFrame([kept | {"burn_rate": 0.0} | row for row in rows]))
    warehouse.release()
    return url


@dataclass(frozen=True)
class Told:
    """A figure of a page: the table and row that it stands in, its column, raw value and text."""

    table: str
    key: str
    column: str
    value: str
    text: str


class Read:
    """A site, read back."""

    def __init__(self, folder: Path) -> None:
        """Of the folder that it lies in."""
        self.folder = folder

    @cached_property
    def names(self) -> list[str]:
        """Files of pages, relative to the site."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.html"))

    @cached_property
    def pages(self) -> Mapping[str, Any]:
        """The trees of all pages."""
        return {name: html.fromstring(self.text(name)) for name in self.names}

    def text(self, name: str) -> str:
        """A page as it is written."""
        return (self.folder / name).read_text()

    def titled(self, title: str) -> Any:
        """The page with this heading."""
        (found,) = (page for page in self.pages.values() if heading(page) == title)
        return found

    def figures(self, name: str) -> Iterator[Told]:
        """All figures of a page."""
        for node in self.pages[name].xpath("//data | //time[@data-column]"):
            table = node.xpath("string(ancestor::*[@data-table][1]/@data-table)")
            key = node.xpath("string(ancestor::*[@data-key][1]/@data-key)")
            value = node.get("value") if node.tag == "data" else node.get("datetime")
            yield Told(table, key, node.get("data-column"), value, node.text_content())


def heading(page: Any) -> str:
    """What stands above a page."""
    return str(page.xpath("string(//h1)"))


def ask(url: str, sql: str, *values: object) -> list[dict[str, Any]]:
    """What the warehouse says, by the engine's own client."""
    with duckdb.connect(url.removeprefix("duckdb://"), read_only=True) as connection:
        rows = connection.execute(sql, values).fetchall()
        names = [column[0] for column in connection.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def plain(value: Any) -> str | float | None:
    """A value of the warehouse as it stands on a page."""
    if value is None or isinstance(value, str | float):
        return value
    if isinstance(value, datetime):
        return value.date().isoformat()
    return float(value) if isinstance(value, int | Decimal) else str(value)
