"""The two kinds of columns this package computes with: NumPy arrays and Arrow arrays."""

from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

Array: TypeAlias = Any  # of NumPy, whose records and days have no static types


def day_number(day: date) -> np.datetime64:
    """The day as NumPy counts days."""
    return np.datetime64(day, "D")


def add_months(days: Array, months: Array | int) -> Array:
    """The same day of a month so many months later, or that month's last day if it is shorter."""
    month = days.astype("M8[M]")
    target = month + np.asarray(months, "m8[M]")
    length = (target + np.timedelta64(1, "M")).astype("M8[D]") - target.astype("M8[D]")
    offset = np.minimum(days - month.astype("M8[D]"), length - np.timedelta64(1, "D"))
    return target.astype("M8[D]") + offset


def decimals(values: Array, places: int = 4) -> Any:
    """A decimal(18,4) column of these numbers, rounded to four places; or to so many."""
    words = np.empty((len(values), 2), "<i8")
    words[:, 0] = np.rint(np.asarray(values, float) * 10**places)
    words[:, 1] = words[:, 0] >> 63
    decimal = pa.decimal128(18, places)
    return pa.Array.from_buffers(decimal, len(values), [None, pa.py_buffer(words)])


def labels(prefix: str, numbers: Array, width: int) -> Any:
    """Identifiers such as INV-000042, one for each number."""
    return pa.array([f"{prefix}{number:0{width}d}" for number in numbers.tolist()], pa.string())
