"""A table's rows and the days of their dumps: what was posted or amended on each day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import Array, day_number


@dataclass(frozen=True)
class Posted:
    """Rows in the order of their dumps."""

    rows: Any
    day: Array

    def on(self, day: date) -> Any:
        """The rows of that day's dump."""
        before = int(np.searchsorted(self.day, day_number(day), "left"))
        return self.until(day).slice(before)

    def until(self, day: date) -> Any:
        """The rows of all dumps up to and including that day's."""
        return self.rows.slice(0, int(np.searchsorted(self.day, day_number(day), "right")))


def posted(rows: Any, day: Array, start: date) -> Posted:
    """Rows posted on these days; the first dump holds all that was posted before it, too."""
    day = np.maximum(day, day_number(start))
    order = np.argsort(day, kind="stable")
    return Posted(rows.take(pa.array(order)), day[order])
