"""Charts as paths for one template: what is drawn where."""

from collections.abc import Sequence
from datetime import date, timedelta

from consumption_datamart.page.plane import LEFT, RIGHT, TOP, WIDTH, Chart, Frame, area, box, line
from consumption_datamart.page.series import Run
from consumption_datamart.report.amounts import units

ZONES = (("at_risk", 0.0, 0.3), ("low", 0.3, 0.7), ("healthy", 0.7, 1.0))
"""Bands as shares of what is entitled (spec, section 4); above is over."""
BANDS = (
    ("zone over", "over"),
    ("zone healthy", "healthy"),
    ("zone low", "low"),
    ("zone at_risk", "at risk"),
)
"""What the background of a chart of use stands for."""

Layer = tuple[str, str, Sequence[float]]
"""Class, word and values."""


def use_over_time(
    title: str, unit: str | None, days: Sequence[date], used: Sequence[float], runs: Sequence[Run]
) -> Chart:
    """What was used, against what was entitled, with the bands as background.

    Args:
        title: of the chart.
        unit: of the product.
        days: on which points end, in order.
        used: average a day, at each point.
        runs: what was entitled.
    """
    entitled = [run.entitled for run in runs if not run.is_unlimited]
    frame = Frame.of(days[0], days[-1], max([*used, *entitled], default=0.0) * 1.05)
    marks: list[tuple[str, str]] = []
    limited = [run for run in runs if not run.is_unlimited and run.last >= frame.first]
    spans = [(frame.x(run.first), frame.x(run.last + timedelta(days=1)), run) for run in limited]
    for name, low, high in ZONES:
        boxes = (
            box(left, right, frame.y(run.entitled * high), frame.y(run.entitled * low))
            for left, right, run in spans
        )
        marks.append((f"zone {name}", "".join(boxes)))
    above = (box(left, right, TOP, frame.y(run.entitled)) for left, right, run in spans)
    marks.append(("zone over", "".join(above)))
    steps = ""
    for n, (left, right, run) in enumerate(spans):
        joins = n > 0 and (run.first - spans[n - 1][2].last).days == 1
        height = f"{frame.y(run.entitled):.1f}"
        steps += f"V{height}H{right:.1f}" if joins else f"M{left:.1f} {height}H{right:.1f}"
    marks.append(("entitled", steps))
    marks.append(("used", _line(frame, days, used)))
    legend = [("used", "used a day")]
    if spans:
        legend += [("entitled", "entitled a day"), *BANDS]
    shown = [(name, path) for name, path in marks if path]
    told = f"{units(unit)} a day".strip()
    return Chart(title, told, shown, frame.rows(), frame.columns(), legend)


def burn_down(
    title: str,
    unit: str,
    quantity: float,
    left: Sequence[tuple[date, float]],
    projected: Sequence[tuple[date, float]],
    ends_on: date,
) -> Chart:
    """What is left of a commitment, and what will be, at the rate of the last days.

    Args:
        title: of the chart.
        unit: of the commitment.
        quantity: that it began with.
        left: days and what was left then, the earliest first.
        projected: likewise, from the last day on; nothing: it is too early to tell.
        ends_on: the day after its last.
    """
    frame = Frame.of(left[0][0], ends_on, quantity)

    def path(points: Sequence[tuple[date, float]]) -> str:
        return line((frame.x(day), frame.y(value)) for day, value in points)

    even = path([(left[0][0], quantity), (ends_on, 0.0)])
    marks = [("even", even), ("used", path(left)), ("projected", path(projected))]
    legend = [("used", "left"), ("even", "left if used evenly")]
    if projected:
        legend.insert(1, ("projected", "at the rate of the last 30 days"))
    shown = [(name, each) for name, each in marks if each]
    return Chart(title, units(unit), shown, frame.rows(), frame.columns(), legend)


def level(
    title: str,
    unit: str,
    quantity: float,
    used: Sequence[tuple[date, float]],
    projected: float | None,
    ends_on: date,
) -> Chart:
    """What is used of a commitment to a capacity, and will be, at the rate of the last days.

    Args:
        title: of the chart.
        unit: of the commitment.
        quantity: that may be used on each day.
        used: days and the average a day until then, the earliest first.
        projected: a day, until the end; None: it is too early to tell.
        ends_on: the day after its last.
    """
    values = [value for _, value in used]
    frame = Frame.of(used[0][0], ends_on, max([quantity, *values, projected or 0.0]))
    whole = f"M{frame.x(used[0][0]):.1f} {frame.y(quantity):.1f}H{frame.x(ends_on):.1f}"
    marks = [("entitled", whole)]
    marks.append(("used", _line(frame, [day for day, _ in used], values)))
    legend = [("used", "used a day"), ("entitled", "committed to")]
    if projected is not None:
        height, left, right = frame.y(projected), frame.x(used[-1][0]), frame.x(ends_on)
        marks.append(("projected", f"M{left:.1f} {height:.1f}H{right:.1f}"))
        legend.append(("projected", "at the rate of the last 30 days"))
    return Chart(title, f"{units(unit)} a day", marks, frame.rows(), frame.columns(), legend)


def lines(
    title: str,
    unit: str,
    days: Sequence[date],
    series: Sequence[Layer],
    *,
    percent: bool = False,
) -> Chart:
    """Lines over the same days: class, word and values of each."""
    greatest = max((value for _, _, values in series for value in values), default=0.0)
    frame = Frame.of(days[0], days[-1], greatest)
    marks = [(name, _line(frame, days, values)) for name, _, values in series]
    legend = [(name, word) for name, word, _ in series]
    return Chart(title, unit, marks, frame.rows(percent), frame.columns(), legend)


def stacked(title: str, unit: str, days: Sequence[date], layers: Sequence[Layer]) -> Chart:
    """Areas on top of each other, the first below; those of nothing are left out."""
    days, layers = _lasting(days, layers)
    some, highest = _piled(layers)
    frame = Frame.of(days[0], days[-1], highest)
    below = [0.0] * len(days)
    marks = []
    places = [frame.x(day) for day in days]
    for name, _, values in some:
        above = [low + value for low, value in zip(below, values, strict=True)]
        upper = list(zip(places, map(frame.y, above), strict=True))
        lower = list(zip(places, map(frame.y, below), strict=True))
        marks.append((f"layer {name}", area(upper, lower)))
        below = above
    legend = [(f"layer {name}", word) for name, word, _ in reversed(some)]
    return Chart(title, unit, marks, frame.rows(), frame.columns(), legend)


def bars(title: str, unit: str, labels: Sequence[str], layers: Sequence[Layer]) -> Chart:
    """Bars beside each other, each of parts on top of each other: class, word, values."""
    some, highest = _piled(layers)
    frame = Frame.of(date.min, date.min + timedelta(days=1), highest)
    wide = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    marks, below = [], [0.0] * len(labels)
    for name, _, values in some:
        path = ""
        for n, value in enumerate(values):
            left = LEFT + wide * (n + 0.15)
            if value > 0:
                upper, lower = frame.y(below[n] + value), frame.y(below[n])
                path += box(left, left + wide * 0.7, upper, lower)
            below[n] += max(value, 0.0)
        marks.append((f"layer {name}", path))
    columns = [(LEFT + wide * (n + 0.5), label) for n, label in enumerate(labels)]
    legend = [(f"layer {name}", word) for name, word, _ in some]
    return Chart(title, unit, marks, frame.rows(), columns, legend)


def _line(frame: Frame, days: Sequence[date], values: Sequence[float]) -> str:
    days, ((_, _, values),) = _lasting(days, [("", "", values)])
    return line(zip(map(frame.x, days), map(frame.y, values), strict=True))


def _lasting(
    days: Sequence[date], layers: Sequence[Layer]
) -> tuple[Sequence[date], Sequence[Layer]]:
    """A day alone lasts until the next, for what is drawn of it to be seen."""
    if len(days) != 1:
        return days, layers
    return [days[0], days[0] + timedelta(days=1)], [
        (name, word, [*values, *values]) for name, word, values in layers
    ]


def _piled(layers: Sequence[Layer]) -> tuple[list[Layer], float]:
    """The layers that have anything, and how high they are on top of each other."""
    some = [layer for layer in layers if any(layer[2])]
    totals = [sum(values) for values in zip(*(values for _, _, values in some), strict=True)]
    return some, max(totals, default=0.0)
