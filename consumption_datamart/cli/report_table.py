"""The tables of a report on the screen; in 80 columns no figure is cut."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.table import Table

from consumption_datamart.cli.report_text import STUCK, wrapped
from consumption_datamart.report import VIEWS, ExecutiveReport, Listing, records
from consumption_datamart.report.amounts import NOTHING, money, number, percent, units
from consumption_datamart.report.reading import Record
from consumption_datamart.report.reasons import CONSUMABLE
from consumption_datamart.report.verdict import BANDS
from consumption_datamart.report.windows import entitled_of, has_limit, used_of

STYLES = {
    "over": "bold magenta",
    "overrunning": "bold magenta",
    "exhausted": "bold magenta",
    "healthy": "green",
    "on_track": "green",
    "low": "yellow",
    "underused": "yellow",
    "at_risk": "red",
    "unused": "bold red",
    "unentitled": "cyan",
    "absent": "dim",
}
SUM = "*"
BANDS_WIDTH = 18
UNIT_WIDTH = 12
"""Longer units are broken."""


@dataclass(frozen=True)
class Column:
    """A column on the screen.

    Attributes:
        title: its heading.
        cell: the text of a row.
        is_figure: whether it is set to the right.
        is_text: whether it may be broken.
    """

    title: str
    cell: Callable[[Record], str]
    is_figure: bool = False
    is_text: bool = False

    @property
    def justify(self) -> Literal["left", "right"]:
        """Where its texts begin or end."""
        return "right" if self.is_figure else "left"


def table_of(report: ExecutiveReport, listing: Listing) -> Table:
    """The table of a listing that has rows."""
    rows = records(listing.rows)
    columns = _columns(report, listing, _Names(rows, VIEWS[listing.by].who))
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for column in columns:
        table.add_column(
            column.title,
            justify=column.justify,
            no_wrap=not column.is_text,
            overflow="fold",
        )
    for row in rows:
        style = STYLES.get(row.get("band") or row.get("status") or "")
        table.add_row(*(column.cell(row) for column in columns), style=style)
    return table


def _columns(report: ExecutiveReport, listing: Listing, names: "_Names") -> Sequence[Column]:
    if listing.by == "commitment":
        return _of_commitments(names)
    who = [Column("product", lambda row: one_line(row["product_name"]), is_text=True)]
    if names.who is not None:
        who.insert(0, Column(listing.by, names.of, is_text=True))
    if report.compared is not None:
        return [*who, *_of_comparison(listing)]
    days = report.window_days
    figures = [
        Column("used", lambda row: used(row, days), is_figure=True),
        Column("entitled", lambda row: entitled(row, days), is_figure=True),
        Column("%", lambda row: percent(row["consumption_30d"]), is_figure=True),
    ]
    if listing.by == "product":
        customers = Column("customers", lambda row: f"{row['customers']:,}", is_figure=True)
        return [*who, customers, *figures, Column("in band", _bands)]
    return [*who, *figures, Column("band", lambda row: row["band"])]


def _of_comparison(listing: Listing) -> Sequence[Column]:
    columns = [
        Column("% then → now", _moved, is_figure=True),
        Column("points", _points, is_figure=True),
    ]
    if listing.by == "product":
        return [*columns, Column("customers then → now", _customers, is_figure=True)]
    return [*columns, Column("band then → now", _band)]


def _of_commitments(names: "_Names") -> Sequence[Column]:
    return [
        Column(
            "customer, product",
            lambda row: f"{names.of(row)}\n{one_line(row['product_name'])}",
            is_text=True,
        ),
        Column("quantity", _quantity, is_figure=True),
        Column("used", lambda row: percent(row["used_pct"]), is_figure=True),
        Column("projected", lambda row: percent(row["projected_pct"]), is_figure=True),
        Column("ends on\nused up on", _ends, is_figure=True),
        Column("status", lambda row: row["status"]),
        Column("a year", _value, is_figure=True),
    ]


class _Names:
    """Names of customers, with the id where several have the same."""

    def __init__(self, rows: Sequence[Record], who: tuple[str, str] | None) -> None:
        self.who = who
        self.ids: dict[str, set[str]] = {}
        if who is not None:
            for row in rows:
                self.ids.setdefault(row[who[1]], set()).add(row[who[0]])

    def of(self, row: Record) -> str:
        key, name = self.who or ("", "")
        text = one_line(row[name])
        return f"{text} ({row[key]})" if len(self.ids[row[name]]) > 1 else text


def one_line(name: str) -> str:
    """A name without the ends of lines that are in it."""
    return " ".join(name.split())


def used(row: Record, days: int) -> str:
    """What was used in the 30 days; where nothing limited is entitled with its unit."""
    value = used_of(row, days)
    return number(value) if has_limit(row) else _with_unit(row, value)


def entitled(row: Record, days: int) -> str:
    """What was entitled in the 30 days, likewise, with its unit."""
    if row.get("is_unlimited"):
        return "unlimited"
    return _with_unit(row, entitled_of(row, days)) if row["entitled_30d"] else NOTHING


def _with_unit(row: Record, value: float) -> str:
    text = number(value)
    mark = SUM if row["metering"] == CONSUMABLE else ""
    unit = "\n".join(textwrap.wrap(f"{units(row['unit'], text == '1')}{mark}", UNIT_WIDTH))
    return f"{text} {unit}".rstrip()


def _bands(row: Record) -> str:
    told = ", ".join(f"{row[band]:,}{STUCK}{band}" for band in BANDS if row[band])
    return "\n".join(wrapped(told, BANDS_WIDTH, ""))


def _moved(row: Record) -> str:
    return f"{percent(row['consumption_before'])} → {percent(row['consumption_30d'])}"


def _points(row: Record) -> str:
    before, now = row["consumption_before"], row["consumption_30d"]
    if before is None or now is None:
        return NOTHING
    points = round((now - before) * 100)
    if abs(points) >= 1e6:
        return f"{'+' if points > 0 else '-'}>999,999"
    return f"{points:+,}" if points else "0"


def _band(row: Record) -> str:
    before, now = row["band_before"], row["band"]
    return str(now) if before == now else f"{before} → {now}"


def _customers(row: Record) -> str:
    before, now = row["customers_before"] or 0, row["customers"] or 0
    return f"{before:,.0f} → {now:,.0f}"


def _quantity(row: Record) -> str:
    unit = textwrap.wrap(units(row["unit"]), UNIT_WIDTH)
    return "\n".join([number(row["quantity"]), *unit])


def _ends(row: Record) -> str:
    up = row["exhausts_on"]
    return f"{row['ends_on']}\n{up}" if up else str(row["ends_on"])


def _value(row: Record) -> str:
    if row["annual_value"] is None or row["currency"] is None:
        return NOTHING
    return "\n".join(money(float(row["annual_value"]), row["currency"]).rsplit(" ", 1))


def title_of(report: ExecutiveReport, listing: Listing) -> str:
    """What the table shows, and of when."""
    if listing.by == "commitment":
        return f"Commitments in force on {report.last_day}"
    if report.compared is not None:
        return f"By {listing.by}, 30 days to {report.day} against 30 days to {report.compared}"
    return f"By {listing.by}, 30 days to {report.day}"


def caption_of(report: ExecutiveReport, listing: Listing) -> str | None:
    """What the table's figures are."""
    if listing.by == "commitment":
        return "projected: what will have been used, at the rate of the last 30 days."
    if report.compared is None:
        told = "Averages a day"
        days = "of one day" if report.window_days == 1 else f"sum of the {report.window_days} days"
        has_sums = listing.rows["metering"].eq(CONSUMABLE).any()
        return f"{told}; {SUM} {days}." if has_sums else f"{told}."
    return None
