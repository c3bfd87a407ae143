"""How `report` writes its two tables."""

import csv
import json
import sys
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from consumption_datamart.report import ExecutiveReport

STYLES = {
    "over": "bold magenta",
    "healthy": "green",
    "low": "yellow",
    "at_risk": "red",
    "unused": "bold red",
    "unentitled": "cyan",
}


def write(report: ExecutiveReport, format: str) -> None:
    """Writes the report to stdout as tables, as JSON, or as CSV.

    The CSV has both tables, one below the other; its first column, `section`, tells them apart.
    What is wrong with the report is written before the tables, else to stderr.
    """
    notes = Console(stderr=format != "table")
    for line in report.caveats:
        notes.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if format == "json":
        document = {
            "as_of": report.as_of and f"{report.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "day": str(report.day),
            "consumption": _records(report.consumption),
            "last_day": str(report.last_day),
            "renewals_at_risk": _records(report.renewals),
        }
        print(json.dumps(document, indent=2))
    elif format == "csv":
        sections = {"consumption": report.consumption, "renewal_at_risk": report.renewals}
        columns = [name for frame in sections.values() for name in frame.columns]
        writer = csv.DictWriter(sys.stdout, list(dict.fromkeys(["section", *columns])))
        writer.writeheader()
        for section, frame in sections.items():
            writer.writerows({"section": section, **row} for row in _records(frame))
    else:
        console = Console()
        console.print(_consumption(report))
        console.print(_renewals(report))
        if report.as_of is not None:
            console.print(f"As of {report.as_of:%Y-%m-%d %H:%M} UTC", highlight=False)


def _consumption(report: ExecutiveReport) -> Table:
    title = f"Consumption, 30 days to {report.day}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("customer", no_wrap=True)
    table.add_column("name")
    table.add_column("product")
    for name in ("entitled", "used", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("band", no_wrap=True)
    for row in report.consumption.itertuples():
        table.add_row(
            row.customer_id,
            row.customer_name,
            row.product_name,
            f"{row.entitled_30d:,.0f}",
            f"{row.used_30d:,.0f}",
            _percent(row.consumption_30d),
            row.band,
            style=STYLES[row.band],
        )
    return table


def _renewals(report: ExecutiveReport) -> Table:
    title = f"Renewals at risk, within 90 days of {report.last_day}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in ("name", "product"):
        table.add_column(name)
    for name in ("ends on", "days", "quantity", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("band", no_wrap=True)
    table.add_column("a year", justify="right", no_wrap=True)
    for row in report.renewals.itertuples():
        table.add_row(
            row.customer_name,
            row.product_name,
            str(row.ends_on.date()),
            str(row.days_left),
            f"{float(row.quantity):,.0f} {row.unit}",
            _percent(row.consumption_30d),
            row.band,
            "–" if pd.isna(row.annual_value) else f"{row.annual_value:,.0f} {row.currency}",
            style=STYLES[row.band],
        )
    return table


def _percent(ratio: float) -> str:
    return "–" if pd.isna(ratio) else f"{ratio:.0%}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with days as ISO dates, numbers as numbers, and None for what is not there."""
    records = []
    for row in frame.astype(object).to_dict("records"):
        for name, value in row.items():
            if pd.isna(value):
                row[name] = None
            elif isinstance(value, pd.Timestamp):
                row[name] = str(value.date())
            elif name == "quantity":
                row[name] = float(value)
        records.append(row)
    return records
