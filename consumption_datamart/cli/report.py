"""How `report` is written: on the screen, as JSON, as CSV, or as a workbook."""

import csv
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from consumption_datamart.cli.report_book import write_book
from consumption_datamart.cli.report_table import caption_of, table_of, title_of
from consumption_datamart.cli.report_text import actions_of, heading, verdict_of, wrapped
from consumption_datamart.cli.screen import Screen
from consumption_datamart.report import ExecutiveReport, Listing, records

WIDTH = 80
"""Columns that are taken at least: in a narrower terminal lines wrap, and no figure is cut."""


def write(report: ExecutiveReport, format: str, out: Path | None = None) -> None:
    """Writes the report to stdout, or as a workbook to a file.

    What is wrong with the report is written before it on the screen, else to stderr.

    Args:
        report: what was found.
        format: `table`, `json`, `csv` or `xlsx`. CSV is the table alone.
        out: the workbook's file.

    Raises:
        DatamartError: the workbook cannot be written, or the library that writes it is missing.
    """
    notes = Screen(stderr=format != "table")
    for line in report.caveats:
        notes.print(line, style="yellow", highlight=False, soft_wrap=True)
    if format == "xlsx" and out is not None:
        write_book(report, out)
        print(f"Wrote {out}", file=sys.stderr)
        return
    (listing,) = report.listings.values()
    if format == "json":
        print(json.dumps(_document(report, listing), indent=2, default=str))
    elif format == "csv":
        writer = csv.DictWriter(sys.stdout, list(listing.rows.columns))
        writer.writeheader()
        writer.writerows(records(listing.rows))
    else:
        _show(report, listing)


def _document(report: ExecutiveReport, listing: Listing) -> Mapping[str, Any]:
    return {
        "as_of": report.as_of and f"{report.as_of:%Y-%m-%dT%H:%M:%SZ}",
        "day": str(report.day),
        "last_day": str(report.last_day),
        "compared": str(report.compared) if report.compared else None,
        "only": list(report.only),
        "verdict": asdict(report.verdict),
        "actions": [asdict(action) for action in report.actions],
        "by": listing.by,
        "rows": records(listing.rows),
    }


def _show(report: ExecutiveReport, listing: Listing) -> None:
    console = Screen(width=max(WIDTH, Screen().width))

    def say(line: str, style: str | None = None) -> None:
        console.print(line, style=style, highlight=False, soft_wrap=True)

    say(heading(report), "bold")
    for about, told in verdict_of(report):
        is_alarming = about == "At risk" and report.verdict.at_risk.rows
        for line in wrapped(told, console.width, f"{about:<9}"):
            say(line, "bold red" if is_alarming else None)
    say("")
    title, *lines = actions_of(report, console.width)
    say(title, "bold")
    for line in lines:
        say(line)
    say("")
    if listing.rows.empty:
        say("The table has no rows: nothing fits.")
        return
    say(title_of(report, listing), "bold")
    console.print(table_of(report, listing))
    if caption := caption_of(report, listing):
        say(caption, "dim")
    if listing.left_out:
        rows = "row" if listing.left_out == 1 else "rows"
        say(f"{listing.left_out:,} more {rows}: --top 0 shows all.", "dim")
