"""Tables as lists of rows, and days: what every part of the oracle is written with."""

from collections.abc import Iterator
from datetime import date, timedelta

Row = dict[str, object]
Raw = dict[str, list[Row]]

FIRST_VALID_DAY = date(1900, 1, 1)
OPEN_END = date(9999, 12, 31)


def days_between(first: date, last: date) -> Iterator[date]:
    """Walk the days from first to last, both included."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def least(values: list[str | None]) -> str | None:
    """The least in alphabetical order; null only when there is nothing else."""
    return min((value for value in values if value is not None), default=None)


def distinct(rows: list[Row], *names: str) -> list[tuple]:
    """The distinct combinations of some columns, in order."""
    return sorted({tuple(row[name] for name in names) for row in rows})


def grouped(rows: list[Row], *names: str) -> dict[tuple, list[Row]]:
    """The rows of each combination of some columns."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def codes(**found: bool) -> str:
    """The warnings that were found, in alphabetical order."""
    return ";".join(sorted(code for code, holds in found.items() if holds))


def customer_on(customers: list[Row], customer_id: str, day: date) -> Row:
    """Find the row of a customer that is valid on a day."""
    (found,) = [
        row
        for row in customers
        if row["customer_id"] == customer_id and row["valid_from"] <= day < row["valid_to"]
    ]
    return found
