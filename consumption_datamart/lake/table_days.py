"""The column of a lake's table that has the day of a row (spec, section 6)."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from consumption_datamart.errors import LakeError

DAY_TYPES = ("date", "string", "timestamp", "timestamp_ntz", "timestamptz")
"""As the two formats call them."""
TEXT = re.compile(r"\d{4}-\d\d-\d\d")
"""How a text begins that says a day: rows are found by it, so that 20260105 would find none."""


def day_type(column: str, types: Mapping[str, str]) -> str:
    """The type of the column that has the day of a row.

    Args:
        column: that is named.
        types: of all columns, by name.

    Raises:
        LakeError: there is no such column, or it is of no type that has days.
    """
    if column not in types:
        raise LakeError(f"day = '{column}': there is no such column; it has {', '.join(types)}")
    if types[column] not in DAY_TYPES:
        raise LakeError(
            f"day = '{column}': {types[column]} has no days; name a date, a moment or a text"
        )
    return types[column]


def day_of(value: object) -> date:
    """The day that a value of a column says.

    Args:
        value: a date, a moment, whose date counts as it is written, or an ISO text of either.

    Raises:
        LakeError: it says none.
    """
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(TEXT.match(str(value))[0])  # type: ignore[index]
    except (TypeError, ValueError) as error:
        raise LakeError(f"{value!r} is no day; it has to be a date, as 2026-01-05") from error
