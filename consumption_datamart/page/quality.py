"""What the pages of trends and of objectives say."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from consumption_datamart.page import plane
from consumption_datamart.page.reading import Material
from consumption_datamart.report.reading import Record, records
from consumption_datamart.trends import CHARTS

POINTS = 60
"""Of a series that are drawn: of its last days."""


def trends(material: Material) -> dict[str, Any]:
    """The context of the template of trends: charts of CHARTS, each with its series.

    A series has its last number, when it was, the greatest, and a small line of its last points;
    series of nothing are left out.
    """
    found: list[Mapping[str, Any]] = []
    if material.figures is not None:
        for name, chart in CHARTS.items():
            of = material.figures[material.figures["chart"] == name]
            series = [_series(str(key), rows) for key, rows in of.groupby("series")]
            found.append({"about": chart, "series": [each for each in series if each["most"]]})
    return {"charts": found}


def _series(name: str, rows: pd.DataFrame) -> Record:
    numbers = rows["number"].astype(float)
    return {
        "series": name,
        "number": float(numbers.iloc[-1]),
        "at": rows["at"].iloc[-1].date(),
        "most": float(numbers.max()),
        "points": len(rows),
        "spark": plane.spark(numbers.tail(POINTS).tolist()),
    }


def objectives(material: Material) -> dict[str, Any]:
    """The context of the template of objectives, the most missed first."""
    if material.objectives is None:
        return {"rows": []}
    rows = material.objectives.sort_values(["budget_left", "objective_name"])
    return {"rows": records(rows)}
