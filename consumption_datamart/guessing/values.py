"""What values look like: numbers, days, times, and how they are written."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import NamedTuple

SPACES = " \u00a0\u202f"
MARKS = rf".,'’{SPACES}"
NUMBER = re.compile(rf"[-+]?(\d{{1,3}}([{MARKS}]\d{{3}})+|\d+)([.,]\d+)?([eE][-+]?\d+)?")
INTEGER = re.compile(r"[-+]?\d{1,18}")
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")
REST = re.compile(r"([.,]\d+)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)?$")
"""Fractions and offsets are read whatever the format (spec, section 6)."""
OFFSET = re.compile(r"(?<=\d)\s*([+-]\d\d):?(\d\d)?$")
DAYS = (
    "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y",
)  # fmt: skip
TIMES = (
    " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %I:%M:%S %p", " %I:%M %p", "T%H%M%S", "%H%M%S",
    ":%H:%M:%S", ", %H:%M:%S", ", %H:%M",
)  # fmt: skip
BLANK = {"", "\\N", "null", "n/a", "#n/a"}
"""What the mart takes for blank anyway, in any letter case."""
NULLS = {
    "-", "--", "–", "none", "nil", "nan", "na", "n.a.", "(null)", "(blank)", "k.a.", "k. a.", "?",
    "#nv", "<null>", "undefined",
}  # fmt: skip
UNLIMITED = {
    "unlimited",
    "unbegrenzt",
    "unbeschränkt",
    "unlim",
    "infinite",
    "∞",
    "flatrate",
    "flat",
}
EPOCHS = {10: "s", 13: "ms", 16: "us"}
"""Digits of a time since 1970 → its unit."""
LOOKED_AT = 300


class Kind(StrEnum):
    """What nearly all values of a column are."""

    empty = "empty"
    integer = "integer"
    number = "number"
    day = "day"
    instant = "instant"
    epoch = "epoch"
    flag = "flag"
    text = "text"
    nested = "nested"


class Marks(NamedTuple):
    """How numbers are written.

    Attributes:
        decimal: mark.
        thousands: mark, or none.
        is_sure: false where 1.000 may be a thousand or one.
    """

    decimal: str = "."
    thousands: str = ""
    is_sure: bool = True


def filled(texts: Iterable[str | None]) -> list[str]:
    """The values that are not blank, without white space at both ends."""
    stripped = (text.strip(f"{SPACES}\t\ufeff\u200b") for text in texts if text is not None)
    return [text for text in stripped if text.lower() not in BLANK]


def telling(texts: Iterable[str]) -> list[str]:
    """Some different values, without the words that stand for none or for no limit."""
    words = NULLS | UNLIMITED
    return [text for text in dict.fromkeys(texts) if text.lower() not in words][:LOOKED_AT]


def kind_of(texts: Sequence[str]) -> Kind:
    """What nearly all values are.

    Args:
        texts: as `filled` gives them.
    """
    values = telling(texts)
    if not values:
        return Kind.text if {text.lower() for text in texts} - NULLS else Kind.empty
    is_whole = _most(values, INTEGER.fullmatch)
    if day_formats(values):
        return Kind.day
    if instant_formats(values):
        return Kind.instant
    if is_whole:
        return Kind.epoch if epoch_of(values) else Kind.integer
    if _most(values, NUMBER.fullmatch):
        return Kind.number
    is_flag = {value.lower() for value in values} <= {"true", "false", "yes", "no", "ja", "nein"}
    return Kind.flag if is_flag else Kind.text


def is_number_or_day(text: str) -> bool:
    """Whether a text is a value rather than a column's name."""
    return kind_of(filled([text])) not in {Kind.text, Kind.empty}


def day_formats(values: Sequence[str]) -> list[str]:
    """Formats in which they are days; `''` is ISO's."""
    if _most(values, ISO_DAY.fullmatch):
        return [""]
    return [each for each in DAYS if _most(values, partial(_is, written=each))]


def instant_formats(values: Sequence[str]) -> list[str]:
    """Formats in which they are times; `''` is ISO's. Fractions and offsets do not count."""
    bare = [REST.sub("", value) for value in values]
    if _most(bare, ISO_TIME.fullmatch):
        return [""]
    formats = (day + time for day in DAYS for time in TIMES)
    return [each for each in formats if _most(bare, partial(_is, written=each))]


def epoch_of(values: Sequence[str]) -> str | None:
    """The unit of times since 1970 (s, ms, us); None: they are none between 2001 and 2065."""
    lengths = {len(value) for value in values}
    if len(lengths) != 1 or (length := lengths.pop()) not in EPOCHS:
        return None
    seconds = [int(value) // 10 ** (length - 10) for value in values if value.isdigit()]
    fits = len(seconds) == len(values) and max(seconds) < 3_000_000_000 and min(seconds) >= 10**9
    return EPOCHS[length] if fits else None


def marks_of(values: Iterable[str]) -> Marks:
    """Which marks the numbers have."""
    decimals: Counter[str] = Counter()
    thousands: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    for value in values:
        if not NUMBER.fullmatch(value):
            continue
        found = re.findall(rf"[{MARKS}]", value)
        if not found:
            continue
        last = found[-1]
        if len(set(found)) > 1:
            thousands[found[0]] += 1
            decimals[last] += 1
        elif len(found) > 1 or last not in ".,":
            thousands[last] += 1
        elif re.search(rf"^[-+]?[1-9]\d{{0,2}}[{MARKS}]\d{{3}}$", value):
            unclear[last] += 1
        else:
            decimals[last] += 1
    return _marks(decimals, thousands, unclear)


def _marks(decimals: Counter[str], thousands: Counter[str], unclear: Counter[str]) -> Marks:
    grouping = max(thousands, key=lambda mark: thousands[mark], default="")
    if decimals:
        decimal = max(decimals, key=lambda mark: decimals[mark])
        if not grouping:
            grouping = next((mark for mark in unclear if mark != decimal), "")
        return Marks(decimal, grouping)
    if grouping:
        return Marks("," if grouping == "." else ".", grouping)
    if unclear:  # 1,000 is a thousand more often than one
        return Marks(".", "," if "," in unclear else "", is_sure=False)
    return Marks()


def _most(values: Sequence[str], holds: Callable[[str], object]) -> bool:
    """Whether it holds for nearly all: dumps have a few bad rows."""
    allowed = len(values) // 10
    for value in values:
        if not holds(value):
            allowed -= 1
            if allowed < 0:
                return False
    return bool(values)


def _is(value: str, written: str) -> bool:
    if written.startswith("%Y%m%d") and not re.match(r"(19|20|21)\d{6}(?!\d{3}$)", value):
        return False
    try:
        datetime.strptime(value, written)
    except ValueError:
        return False
    return True


def offset_of(value: str) -> str | None:
    """The offset from UTC at a time's end, as +02:00; None: there is none."""
    found = OFFSET.search(value) if ":" in value else None
    return f"{found[1]}:{found[2] or '00'}" if found else None
