"""Where commitments are heading: a sentence and a chart of each."""

from datetime import date, timedelta

from consumption_datamart.page import charts
from consumption_datamart.page.plane import Chart
from consumption_datamart.page.reading import Material
from consumption_datamart.report import reasons
from consumption_datamart.report.amounts import on, percent, with_unit
from consumption_datamart.report.reading import Record

PROJECTED = ("overrunning", "on_track", "underused", "at_risk", "unused")
"""Statuses that say where a commitment is heading."""


class Commitments:
    """Draws commitments."""

    def __init__(self, material: Material) -> None:
        """Of what was read."""
        self.material = material

    def with_chart(self, row: Record) -> Record:
        """A commitment with its sentence, and the chart of what is left, or used, of it."""
        chart = self._burn_down(row) if row["metering"] == reasons.CONSUMABLE else self._level(row)
        return row | {"outlook": outlook(row, self.material.report.last_day), "chart": chart}

    def _burn_down(self, row: Record) -> Chart:
        now = self.material.report.last_day + timedelta(days=1)
        points = self._points(row)
        # what was used before the mart's first day is estimated: it is gone when the line begins
        known = sum(used for _, used in points)
        start = row["quantity"] - max(0.0, row["used_estimated"] - known)
        left = [(self._begins(row), start)]
        for day, used in points:
            left.append((day + timedelta(days=1), left[-1][1] - used))
        left.append((now, left[-1][1]))
        projected: list[tuple[date, float]] = []
        if row["status"] in PROJECTED:
            is_up = row["exhausts_on"] is not None
            end = row["exhausts_on"] if is_up else row["ends_on"]
            projected = [left[-1], (end, 0.0 if is_up else row["quantity"] - row["projected"])]
        return charts.burn_down(
            _title(row),
            row["unit"],
            row["quantity"],
            left,
            projected,
            max(row["ends_on"], now),
        )

    def _level(self, row: Record) -> Chart:
        begins, step = self._begins(row), self.material.burned.step
        used = []
        for day, total in self._points(row):
            days = min(step, (day - begins).days + 1)
            used.append((day, total / max(days, 1)))
        projected = row["projected"] if row["status"] in PROJECTED else None
        last = self.material.report.last_day
        used = used or [(begins, 0.0), (last, 0.0)]
        return charts.level(
            _title(row), row["unit"], row["quantity"], used, projected, max(row["ends_on"], last)
        )

    def _begins(self, row: Record) -> date:
        begins: date = max(row["starts_on"], self.material.first_day)
        return begins

    def _points(self, row: Record) -> list[tuple[date, float]]:
        """Last days of some days each, in order, and what was used of a commitment on these."""
        burned, last = self.material.burned, self.material.report.last_day
        key = row["source"], row["entitlement_id"], row["product_id"], row["starts_on"]
        points, sums = burned.used.get(key, ((), ()))
        known = dict(zip(map(int, points), map(float, sums), strict=True))
        oldest = (last - self._begins(row)).days // burned.step
        return [
            (last - timedelta(days=each * burned.step), known.get(each, 0.0))
            for each in range(oldest, -1, -1)
        ]


def outlook(row: Record, today: date) -> str:
    """Where a commitment is heading: `will have used 94 % by 17 August`.

    Args:
        row: of report_commitments.
        today: last_day.
    """
    end = on(row["ends_on"], today)
    match row["status"]:
        case "covered":
            return "the product is also entitled to without limit"
        case "exhausted":
            up = on(row["exhausts_on"], today)
            return f"all {with_unit(row['quantity'], row['unit'])} used up since {up}"
        case "no_telemetry":
            return "no usage was reported, which says nothing of this product"
        case "too_early":
            passed = f"{row['elapsed_days']} of {row['term_days']} days have passed"
            return f"too early to tell: {passed}"
        case "unused":
            return f"nothing is used; it ends on {end}"
    share = percent(row["projected_pct"], " %")
    if row["metering"] == reasons.CONSUMABLE:
        told = f"will have used {share} by {end}"
        up = row["exhausts_on"]
        return f"{told}; used up on {on(up, today)}" if up else told
    return f"will use {share} a day until {end}"


def _title(row: Record) -> str:
    return f"{row['product_name']}, {row['entitlement_id']}"
