"""Compare two tables as sets of rows, in no order, numbers to 1e-9 relative."""

import math
from collections.abc import Sequence
from decimal import Decimal

Row = dict[str, object]
Tables = dict[str, list[Row]]

RELATIVE_TOLERANCE = 1e-9
NUMBERS = {int, float, Decimal}


def differences(
    actual: Sequence[Row], expected: Sequence[Row], columns: Sequence[str] | None = None
) -> list[str]:
    """Describe how the rows differ in these columns (by default those of the expected rows)."""
    if columns is None:
        columns = list(expected[0]) if expected else []
    if len(actual) != len(expected):
        return [
            f"{len(actual)} rows instead of {len(expected)}",
            *(f"actual: {_only(row, columns) if columns else row}" for row in actual),
            *(f"expected: {_only(row, columns)}" for row in expected),
        ]
    pairs = zip(_ordered(actual, columns), _ordered(expected, columns), strict=True)
    return [
        f"actual {_only(one, columns)} is not expected {_only(other, columns)}"
        for one, other in pairs
        if not all(same_value(one[name], other[name]) for name in columns)
    ]


def differing(actual: Tables, expected: Tables) -> dict[str, list[str]]:
    """Differences of each expected table that is not as expected, or not there."""
    found = {
        name: differences(actual[name], rows) if name in actual else ["is not there"]
        for name, rows in expected.items()
    }
    return {name: texts for name, texts in found.items() if texts}


def same_value(one: object, other: object) -> bool:
    """Tell whether two values are the same; numbers may be of different types."""
    if type(one) in NUMBERS and type(other) in NUMBERS:
        return math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE)
    return type(one) is type(other) and one == other


def _ordered(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """Sort by the values that compare exactly first, so that noise in numbers moves no row."""

    def position(row: Row) -> tuple:
        values = [row[name] for name in columns]
        exact = ["" if type(value) in NUMBERS else repr(value) for value in values]
        return exact, [float(value) for value in values if type(value) in NUMBERS]

    return sorted(rows, key=position)


def _only(row: Row, columns: Sequence[str]) -> Row:
    return {name: row.get(name) for name in columns}
