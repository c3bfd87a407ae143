"""A report as a workbook: a sheet for the verdict, one for the actions, and one for each table."""

import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from consumption_datamart.cli.report_text import STUCK, heading, verdict_of
from consumption_datamart.errors import DatamartError
from consumption_datamart.report import ExecutiveReport, records

WIDEST = 40
"""Characters of a column at most."""


def write_book(report: ExecutiveReport, path: Path) -> None:
    """Writes the workbook; a file that is there is replaced.

    Raises:
        DatamartError: openpyxl is missing, or the file has another ending or cannot be written.
    """
    try:
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE as ILLEGAL  # noqa: PLC0415
    except ImportError as error:
        raise DatamartError(
            "--format xlsx needs openpyxl: pip install 'consumption-datamart[xlsx]'"
        ) from error
    if path.suffix.lower() != ".xlsx":
        raise DatamartError(f"--out {path}: name a file that ends with .xlsx")
    content = io.BytesIO()
    with pd.ExcelWriter(content, engine="openpyxl") as writer:
        for name, rows in sheets(report):
            frame = rows.map(lambda each: ILLEGAL.sub("", each) if isinstance(each, str) else each)
            frame.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
            _lay_out(writer.sheets[name])
    try:
        path.write_bytes(content.getvalue())
    except OSError as error:
        raise DatamartError(f"--out {path}: cannot be written to: {error.strerror}") from error


def sheets(report: ExecutiveReport) -> Iterator[tuple[str, pd.DataFrame]]:
    """The name and the rows of each sheet."""
    lines = [("Report", heading(report)), *(("Caveat", line) for line in report.caveats)]
    lines += [(about, told.replace(STUCK, " ")) for about, told in verdict_of(report)]
    yield "verdict", pd.DataFrame(lines, columns=["about", "verdict"])
    columns = [
        "kind",
        "customer_id",
        "customer_name",
        "product_id",
        "product_name",
        "entitlement_id",
        "reason",
        "days",
        "annual_value",
        "currency",
        "share",
        "at_stake",
    ]
    actions = [asdict(action) for action in report.actions]
    yield "actions", pd.DataFrame(actions, columns=columns)
    for by, listing in report.listings.items():
        # plain values: days without a time of day, nothing where there is nothing
        yield by, pd.DataFrame(records(listing.rows), columns=listing.rows.columns, dtype=object)


def _lay_out(sheet: Any) -> None:
    """Makes columns as wide as what is in them, and texts that begin with `=` no formulas."""
    for column in sheet.columns:
        longest = 0
        for cell in column:
            if cell.data_type == "f":
                cell.data_type = "s"
            longest = max(longest, len(str(cell.value or "")))
        sheet.column_dimensions[column[0].column_letter].width = min(longest, WIDEST) + 2
