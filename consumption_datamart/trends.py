"""Figures over time: warnings, quarantined rows, rows and seconds, by table and code."""

import base64
import html
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from consumption_datamart.errors import DatamartError, WarehouseError
from consumption_datamart.schema.codes import QUARANTINE_REASONS
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, warehouse_of

BY_CODE = "warnings "
"""How the figures of warning codes begin."""
MARKERS = "osD^v<>Pp*Xh8dH"


class Chart(NamedTuple):
    """One chart.

    Attributes:
        title: what it shows.
        unit: of its numbers.
        when: what its time is.
        is_log: whether its numbers are of different magnitudes.
    """

    title: str
    unit: str
    when: str
    is_log: bool = False


ABOUT = "day of the data; of tables without days, when they were built"
CHARTS = {
    "warnings": Chart("Rows with warnings, by table and code", "rows", ABOUT),
    "quarantined": Chart("Rows in quarantine, by table and reason", "rows", ABOUT),
    "rows": Chart("Rows, by table", "rows", ABOUT, is_log=True),
    "seconds": Chart("Time to build, by table", "seconds", "when it was built", is_log=True),
}


def figures(warehouse: Warehouse) -> pd.DataFrame:
    """What was recorded of publications, as series to plot.

    Returns:
        chart (of `CHARTS`), series, at (a day or a time, UTC), number. Of each day of a table its
        last publication counts.

    Raises:
        WarehouseError: nothing was recorded yet.
    """
    rows = warehouse.find(Figure)
    if rows is None:
        raise WarehouseError(
            f"warehouse {warehouse.url}: nothing was recorded yet; run consumption-datamart build"
        )
    rows["published_at"] = pd.to_datetime(rows.published_at)
    rows["at"] = pd.to_datetime(rows.built_day).fillna(rows.published_at)
    # the tables of a load are published together: raw stands for how long they took
    of_load = rows.built_table.str.contains(r"\.(?:files|quarantine)_")
    rows = rows[~(of_load & rows.figure.isin(["rows", "seconds"]))].copy()
    table = rows.built_table.str.split(".").str[-1]
    rows["series"] = table
    is_code, is_reason = (
        rows.figure.str.startswith(BY_CODE), rows.figure.isin(list(QUARANTINE_REASONS)),
    )  # fmt: skip
    named = is_code | is_reason
    rows.loc[named, "series"] = table + ": " + rows.figure.str.removeprefix(BY_CODE)
    rows["chart"] = rows.figure.where(rows.figure.isin(["rows", "seconds"]))
    rows.loc[is_code, "chart"], rows.loc[is_reason, "chart"] = "warnings", "quarantined"
    # shares of one publication are the seconds that it took
    taken = rows[rows.chart == "seconds"].groupby(["chart", "series", "published_at"])
    seconds = taken.number.sum().reset_index().rename(columns={"published_at": "at"})
    others = rows[rows.chart.notna() & (rows.chart != "seconds")].sort_values("published_at")
    latest = others.drop_duplicates(["chart", "series", "at"], keep="last")
    columns = ["chart", "series", "at", "number"]
    return pd.concat([latest[columns], seconds[columns]]).sort_values(columns, ignore_index=True)


class Series(NamedTuple):
    """One series of a chart.

    Attributes:
        name: the table, and the code or the reason.
        numbers: the earliest first.
        at: when the last was.
        most: the greatest.
    """

    name: str
    numbers: Sequence[float]
    at: datetime
    most: float


def series_of(found: pd.DataFrame, chart: str) -> list[Series]:
    """The series of a chart by name; those of nothing are left out.

    Args:
        found: as `figures` gives them.
        chart: of `CHARTS`.
    """
    series = []
    for name, rows in found[found.chart == chart].groupby("series"):
        numbers = rows.number.astype(float).tolist()
        if any(numbers):
            series.append(Series(str(name), numbers, rows["at"].iloc[-1], max(numbers)))
    return series


def draw(found: pd.DataFrame, format: str = "svg", charts: list[str] | None = None) -> bytes:
    """The charts below each other, with titles, units and legends; series of nothing are left out.

    Args:
        found: as `figures` gives them.
        format: svg or png.
        charts: which; by default all.
    """
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415  # it takes a second to load

    names = charts or list(CHARTS)
    canvas = Canvas(figsize=(12, 4.6 * len(names)), layout="constrained")
    for axes, name in zip(canvas.subplots(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        _plot(axes, CHARTS[name], found[found.chart == name])
    written = io.BytesIO()
    canvas.savefig(
        written, format=format, dpi=90, metadata={"Date": None} if format == "svg" else None
    )
    return written.getvalue()


def _plot(axes: Any, chart: Chart, found: pd.DataFrame) -> None:
    axes.set_title(chart.title, loc="left", fontweight="bold")
    axes.set_ylabel(chart.unit)
    axes.set_xlabel(f"{chart.when} (UTC)")
    axes.grid(visible=True, alpha=0.3)
    shown = [(name, rows) for name, rows in found.groupby("series") if rows.number.any()]
    if not shown:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center")
        return
    if chart.is_log:
        axes.set_yscale("symlog", linthresh=1 if chart.unit == "rows" else 0.01)
    for position, (name, rows) in enumerate(shown):
        marker = MARKERS[position % len(MARKERS)]
        color = f"C{position % 10}"
        axes.plot(
            rows["at"], rows.number, label=name, marker=marker, markersize=3, lw=1, color=color
        )
    axes.set_ylim(bottom=0)
    axes.tick_params(axis="x", labelrotation=30)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="x-small", frameon=False)


def recorded(settings: Settings) -> pd.DataFrame:
    """The figures that readers see, as `figures` gives them.

    Raises:
        WarehouseError: the warehouse cannot be opened, or nothing was recorded yet.
    """
    return figures(warehouse_of(settings).released())


def export(settings: Settings, path: Path) -> None:
    """Writes the charts as a page that needs no other file.

    Raises:
        DatamartError: the file cannot be written.
        WarehouseError: the warehouse cannot be opened, or nothing was recorded yet.
    """
    if path.suffix != ".html":
        raise DatamartError(f"--export {path}: name a file that ends with .html")
    warehouse = warehouse_of(settings).released()
    found = figures(warehouse)
    picture = draw(found).decode()
    until = f"{found['at'].max():%Y-%m-%d}" if len(found) else "–"
    page = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Trends of the mart</title>
<style>
body {{ font-family: sans-serif; margin: 2em; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body><h1>Trends</h1>
<p>Recorded by {html.escape(warehouse.url)}, until {until}.</p>
{picture[picture.index("<svg") :]}
</body></html>
"""
    try:
        path.write_text(page)
    except OSError as error:
        raise DatamartError(f"--export {path}: cannot be written to: {error}") from error


def as_markdown(picture: bytes, title: str, kind: str = "png") -> str:
    """A picture, a PNG or of another kind, as Markdown that carries it along."""
    return f"![{title}](data:image/{kind};base64,{base64.b64encode(picture).decode()})"
