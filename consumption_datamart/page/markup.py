"""Figures as HTML: what is told, with the raw value beside it for whoever reads it by program."""

from datetime import date
from typing import Any

from markupsafe import Markup, escape

from consumption_datamart.report.amounts import (
    NOTHING,
    counted,
    money,
    number,
    percent,
    units,
    with_unit,
)
from consumption_datamart.report.reading import Record
from consumption_datamart.report.windows import entitled_of, has_limit, used_of

SIGN = " %"
CONSUMABLE = "consumable"
MISSING = Markup(f'<span class="quiet">{NOTHING}</span>')
MARK = "*"
"""Stands behind what is a sum of the 30 days, and no average a day."""


def figure(column: str, value: object, told: str) -> Markup:
    """A figure: `<data data-column="used_30d" value="12.0">12</data>`.

    Args:
        column: of the table that it is from; a name of ours, which is not escaped.
        value: as it is there; None: there is none, and a dash is told.
        told: how it reads.
    """
    if value is None:
        return MISSING
    raw = str(value).removesuffix(".0")
    return Markup(f'<data data-column="{column}" value="{escape(raw)}">{escape(told)}</data>')


def count(row: Record, column: str, noun: str = "") -> Markup:
    """A whole number, with what it counts."""
    value = row[column]
    if value is None:
        return figure(column, None, "")
    return figure(column, int(value), counted(int(value), noun) if noun else f"{int(value):,}")


def share(row: Record, column: str) -> Markup:
    """A share in whole percent, cut off."""
    return figure(column, row[column], percent(row[column], SIGN))


def quantity(row: Record, column: str) -> Markup:
    """A quantity with the unit of its row."""
    value = row[column]
    return figure(column, value, "" if value is None else with_unit(value, row.get("unit")))


def used(row: Record, days: int, *, is_alone: bool = False) -> Markup:
    """What was used in the 30 days; alone, or where nothing limited is entitled, in its unit."""
    of_limited = has_limit(row) and row["used_limited_30d"] is not None
    column = "used_limited_30d" if of_limited else "used_30d"
    value = used_of(row, days)
    told = number(value) if has_limit(row) and not is_alone else _in_unit(row, value)
    return figure(column, row[column], told)


def entitled(row: Record, days: int) -> Markup:
    """What was entitled in the 30 days, with its unit."""
    if row.get("is_unlimited"):
        return Markup("unlimited")
    if not row["entitled_30d"]:
        return figure("entitled_30d", None, "")
    return figure("entitled_30d", row["entitled_30d"], _in_unit(row, entitled_of(row, days)))


def _in_unit(row: Record, value: float) -> str:
    text = number(value)
    mark = MARK if row["metering"] == CONSUMABLE else ""
    return f"{text} {units(row['unit'], text == '1')}{mark}".strip()


def cash(row: Record, column: str, currency: str | None) -> Markup:
    """An amount of money; a dash where it or its currency is not known."""
    value = row[column]
    if value is None or currency is None:
        return figure(column, None, "")
    return figure(column, float(value), money(float(value), currency))


def day(value: date | None, column: str = "day") -> Markup:
    """`3 May 2026`, as a time."""
    if value is None:
        return figure(column, None, "")
    told = f"{value.day} {value:%b %Y}"
    return Markup(f'<time data-column="{column}" datetime="{value}">{told}</time>')


def band(name: str) -> Markup:
    """A band, or a status, as a badge."""
    return Markup(f'<span class="badge {escape(name)}">{escape(words(name))}</span>')


def breakable(name: str) -> Markup:
    """A name of a table, which may be broken where it has an underscore."""
    return Markup(escape(name).replace("_", Markup("_<wbr>")))


def words(name: str) -> str:
    """A code as words: `at risk`."""
    return name.replace("_", " ")


def name(value: Any) -> Markup:
    """A name that may be written from right to left, and changes the order of nothing else."""
    return Markup(f"<bdi>{escape(value)}</bdi>")
