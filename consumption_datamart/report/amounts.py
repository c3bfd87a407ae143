"""How quantities, shares, money and days are written in words."""

import math
import re
from datetime import date
from typing import Any

NOTHING = "–"
"""Stands where there is no figure."""


def number(value: float) -> str:
    """A quantity: in whole numbers, below 100 with a decimal, from ten million on shortened."""
    size = abs(value)
    if size >= 1e18:
        return f"{value:.1e}"
    if 0 < size < 0.05:
        return "<0.1" if value > 0 else "-0"
    if size < 99.95:
        return f"{value:.1f}".removesuffix(".0")
    for least, unit in ((1e12, "tn"), (1e9, "bn"), (1e7, "M")):
        if size >= least:
            scale = {"tn": 1e12, "bn": 1e9, "M": 1e6}[unit]
            return f"{value / scale:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{value:,.0f}"


def with_unit(value: float, unit: str | None) -> str:
    """A quantity with its unit: `400 seats`, `1 seat`, `64 vCPU`."""
    text = number(value)
    return f"{text} {units(unit, text == '1')}".rstrip()


def units(unit: str | None, is_one: bool = False) -> str:
    """A unit as it follows a number: words in small letters are in the plural, signs stay."""
    if not unit:
        return ""
    if is_one or not re.fullmatch(r"[a-z][a-z_ ]{2,}[a-rt-z]", unit):
        return unit
    return re.sub(r"(?<![aeiou])y$", "ie", unit) + "s"


def percent(ratio: float | None, sign: str = "%") -> str:
    """A share in whole percent, cut off: what is below a band's bound never looks as if it were on.

    Args:
        ratio: 1 is all; None: there is none.
        sign: what follows the number.
    """
    if ratio is None or math.isnan(ratio):
        return NOTHING
    if 0 < ratio < 0.01:
        return f"<1{sign}"
    if ratio >= 100:
        return f">9,999{sign}"
    return f"{math.floor(round(ratio * 100, 7)):,}{sign}"


def money(value: float, currency: str) -> str:
    """`36,480 GBP`; below 100 with cents, from a billion on shortened."""
    if abs(value) < 100 and not value.is_integer():
        return f"{value:,.2f} {currency}"
    text = f"{value:,.0f}" if abs(value) < 1e9 else number(value)
    return f"{text} {currency}"


def on(day: date, today: date) -> str:
    """`3 May`, with the year where it is not this year's."""
    return f"{day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def days(count: int) -> str:
    """`1 day`, `50 days`."""
    return counted(count, "day")


def counted(count: int, noun: str) -> str:
    """`1 customer`, `1,200 customers`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def has(value: Any) -> bool:
    """Whether there is a figure, and it is more than nothing."""
    return value is not None and value > 0
