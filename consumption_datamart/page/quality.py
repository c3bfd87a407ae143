"""What the pages of trends and of objectives say."""

from collections.abc import Mapping
from typing import Any

from consumption_datamart.page import plane
from consumption_datamart.page.reading import Material
from consumption_datamart.report.reading import Record, records
from consumption_datamart.trends import CHARTS, Series, series_of

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
            series = [_shown(each) for each in series_of(material.figures, name)]
            found.append({"about": chart, "series": series})
    return {"charts": found}


def _shown(series: Series) -> Record:
    return {
        "series": series.name,
        "number": series.numbers[-1],
        "at": series.at.date(),
        "most": series.most,
        "spark": plane.spark(series.numbers[-POINTS:]),
    }


def objectives(material: Material) -> dict[str, Any]:
    """The context of the template of objectives, the most missed first."""
    if material.objectives is None:
        return {"rows": []}
    rows = material.objectives.sort_values(["budget_left", "objective_name"])
    return {"rows": records(rows)}
