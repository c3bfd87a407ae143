"""How one value of the lake is read: text in, a value of the contract's type out."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)"
    r"(\.(?P<fraction>[0-9]+))?(?P<zone>Z| UTC| ?[+-][0-9]{2}(:?[0-9]{2})?)?"
)
NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
BLANKS = ("NULL", "N/A", "#N/A")
LARGEST_INT = 2**63 - 1
SMALLEST_INT = -(2**63)
DIGITS = 18

Value = str | int | float | Decimal | date | datetime | None


class Unreadable(ValueError):
    """The text is there but is not a value of the contract's type."""


def as_text(value: object) -> str | None:
    """Spell a value of a file as text; None when it is null or blank.

    A Parquet value becomes the text that a CSV file would hold, so both are read by one rule.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    return None if is_blank(text) else text


def stripped(text: str) -> str:
    """Section 6: a text without white space, also of no width, at both ends."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(NO_WIDTH)
    return text


def is_blank(text: str) -> bool:
    """Section 6: whether a text stands for no value."""
    found = stripped(text)
    return found in ("", "\\N") or found.upper() in BLANKS


def read_value(type_name: str, text: str | None) -> Value:
    """Read a text as a contract type; raise Unreadable when it is not one."""
    if text is None:
        return None
    if type_name == "string":
        return stripped(text)
    return READERS[type_name](stripped(text))


def _read_int(text: str) -> int:
    if not NUMBER.fullmatch(text):
        raise Unreadable(text)
    number = Decimal(text)
    if not SMALLEST_INT <= number <= LARGEST_INT or number != number.to_integral_value():
        raise Unreadable(text)
    return int(number)


def _read_decimal(text: str, places: int = 4) -> Decimal:
    """Read a decimal of 18 digits, rounded half away from zero to these places."""
    if not NUMBER.fullmatch(text):
        raise Unreadable(text)
    try:
        number = Decimal(text).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except InvalidOperation as error:
        raise Unreadable(text) from error
    if abs(number) >= Decimal(10) ** (DIGITS - places):
        raise Unreadable(text)
    return abs(number) if number == 0 else number


def _read_rate(text: str) -> Decimal:
    return _read_decimal(text, places=8)


def _read_double(text: str) -> float:
    if not NUMBER.fullmatch(text) and not NOT_FINITE.fullmatch(text):
        raise Unreadable(text)
    return float(text)


def _read_date(text: str) -> date:
    """Read an ISO date; one followed by a time of day is read as the date it writes."""
    if MOMENT.fullmatch(text):
        _read_timestamp(text)
    elif not DAY.fullmatch(text):
        raise Unreadable(text)
    return read_day(text[:10])


def _read_timestamp(text: str) -> datetime:
    """Read an ISO timestamp as naive UTC; one without an offset is UTC already, a date midnight."""
    if DAY.fullmatch(text):
        return datetime.combine(read_day(text), time())
    match = MOMENT.fullmatch(text)
    if match is None:
        raise Unreadable(text)
    clock = match["time"] if match[3] else match["time"] + ":00"
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    zone = (match["zone"] or "Z").replace("Z", "+00:00").replace(" UTC", "+00:00").strip()
    zone = zone + ":00" if len(zone) == 3 else zone
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{clock}.{fraction}{zone}")
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise Unreadable(text) from error


def read_day(text: str) -> date:
    """Read exactly YYYY-MM-DD; raise Unreadable otherwise."""
    if not DAY.fullmatch(text):
        raise Unreadable(text)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(text) from error


READERS: dict[str, Callable[[str], Value]] = {
    "int": _read_int,
    "decimal": _read_decimal,
    "rate": _read_rate,
    "double": _read_double,
    "date": _read_date,
    "timestamp": _read_timestamp,
}
