"""Figures over time, thinned by the engine: at most so many of each line are drawn."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from consumption_datamart.assets.reports.commitments import used_by_day
from consumption_datamart.schema.dimensions import DimEntitlement, ReportingDay
from consumption_datamart.schema.facts import FactConsumptionDaily
from consumption_datamart.warehouse import Warehouse

POINTS = 132
"""Of a line, at most."""
RUNS = 80
"""Steps of what is entitled that are drawn, at most."""
STEPS = (1, 7, 14, 28)
SPARK_WEEKS = 12
WEEK = 7
Numbers = npt.NDArray[np.float64]
PAIR = ["customer_id", "product_id"]
COMMITMENT = ["source", "entitlement_id", "product_id", "starts_on"]


class Run(NamedTuple):
    """Consecutive days on which as much is entitled.

    Attributes:
        first: day.
        last: day.
        entitled: quantity of each day.
        is_unlimited: whether there is no limit.
    """

    first: date
    last: date
    entitled: float
    is_unlimited: bool


class Usage(NamedTuple):
    """Use over time, by customer and product.

    Attributes:
        step: days of a point.
        used: by pair: position (0: that which ends on the day, counted backwards) and average a day
            of each point on which anything was used.
        entitled: by pair: in order.
        weekly: by pair: used in each of the last 12 weeks, the earliest first.
    """

    step: int
    used: Mapping[tuple[str, str], tuple[Numbers, Numbers]]
    entitled: Mapping[tuple[str, str], Sequence[Run]]
    weekly: Mapping[tuple[str, str], Numbers]


class Burned(NamedTuple):
    """Use of commitments over time.

    Attributes:
        step: days of a point.
        used: by the key of the commitment: position, as of `Usage`, and sum of each point.
    """

    step: int
    used: Mapping[tuple[object, ...], tuple[Numbers, Numbers]]


def step(first: date, last: date) -> int:
    """Days of a point, so that no line has more than some hundred."""
    days = (last - first).days + 1
    fitting = [each for each in STEPS if days / each <= POINTS]
    return fitting[0] if fitting else 28 * -(-days // (28 * POINTS))


def is_shown(day: ir.DateColumn, last: date, step: int) -> ir.BooleanValue:
    """Whether a day is one of those that are shown: the last, and every so many before."""
    age = _age(day, last)
    return (age >= 0) & (age % step == 0)


def usage(warehouse: Warehouse, first: date, last: date, step: int) -> Usage:
    """Use of all customers and products until a day.

    Args:
        warehouse: of which fact_consumption_daily is read.
        first: day of the mart.
        last: day that is shown.
        step: days of a point.
    """
    facts = warehouse.table(FactConsumptionDaily)
    facts = facts.filter(facts.day <= ibis.literal(last))
    used = warehouse.fetch(_in_steps(facts.filter(facts.used_quantity > 0), PAIR, last, step))
    begun = (last - first).days + 1  # the first point may have fewer days
    used["sum"] = steady(used["sum"]) / np.minimum(step, begun - used["point"] * step)
    shown = min(SPARK_WEEKS, begun // WEEK)  # what was before the mart is not nothing
    recent = facts.filter(
        facts.day > ibis.literal(last - timedelta(days=WEEK * shown)), facts.used_quantity > 0
    )
    weeks = warehouse.fetch(_in_steps(recent, PAIR, last, WEEK))
    weekly = {}
    for key, (points, sums) in _grouped(weeks, PAIR, ["point", "sum"]).items():
        line = np.zeros(shown)
        line[shown - 1 - points.astype(int)] = sums
        weekly[key] = line
    found = _grouped(used, PAIR, ["point", "sum"])
    return Usage(step, found, _runs(warehouse, facts), weekly)  # type: ignore[arg-type]


def burned(warehouse: Warehouse, last: date, step: int) -> Burned:
    """Use of all commitments until last_day."""
    rows = used_by_day(
        warehouse.table(ReportingDay),
        warehouse.table(DimEntitlement),
        warehouse.table(FactConsumptionDaily),
    ).rename(used_quantity="used")
    found = warehouse.fetch(_in_steps(rows, COMMITMENT, last, step))
    found["sum"] = steady(found["sum"])
    found["starts_on"] = pd.to_datetime(found["starts_on"]).dt.date
    return Burned(step, _grouped(found, COMMITMENT, ["point", "sum"]))  # type: ignore[arg-type]


def steady(sums: pd.Series) -> pd.Series:
    """Sums to nine digits: an engine adds up in any order, and last bits differ from run to run."""
    return sums.map(lambda each: float(f"{each:.9g}"))


def _in_steps(rows: ir.Table, keys: Sequence[str], last: date, step: int) -> ir.Table:
    """Sums of used_quantity by steps of days, counted backwards from the last."""
    age = _age(rows.day, last)
    rows = rows.mutate(point=((age - age % step) / step).cast("int64"))
    return rows.group_by([*keys, "point"]).aggregate(sum=rows.used_quantity.sum())


def _age(day: ir.DateColumn, last: date) -> ir.IntegerValue:
    return ibis.literal(last).delta(day, unit="day")


def _runs(warehouse: Warehouse, facts: ir.Table) -> Mapping[tuple[str, str], Sequence[Run]]:
    """The first and the last days on which as much is entitled, made to runs."""
    rows = facts.filter((facts.entitled_quantity > 0) | facts.is_unlimited)
    rows = rows.select("day", *PAIR, "entitled_quantity", "is_unlimited")
    window = ibis.window(group_by=[rows[name] for name in PAIR], order_by=rows.day)
    beside = {
        f"{name}_{side}": getattr(rows[name], side)().over(window)
        for name in ("day", "entitled_quantity", "is_unlimited")
        for side in ("lag", "lead")
    }
    wide = rows.mutate(**beside)

    def goes_on(side: str, days: ir.IntegerValue) -> ir.BooleanValue:
        is_same = (
            (wide[f"entitled_quantity_{side}"] == wide.entitled_quantity)
            & (wide[f"is_unlimited_{side}"] == wide.is_unlimited)
            & (days == 1)
        )
        return is_same.fill_null(False)

    begins = ~goes_on("lag", wide.day.delta(wide.day_lag, unit="day"))
    ends = ~goes_on("lead", wide.day_lead.delta(wide.day, unit="day"))
    wide = wide.mutate(begins=begins, ends=ends)
    found = warehouse.fetch(
        wide.filter(wide.begins | wide.ends).select(
            "day", *PAIR, "entitled_quantity", "is_unlimited", "begins", "ends"
        )
    )
    found = found.sort_values([*PAIR, "day"], kind="stable")
    days = pd.to_datetime(found["day"]).dt.date
    runs: dict[tuple[str, str], list[Run]] = {}
    opened: date | None = None
    for customer, product, day, entitled, unlimited, begins_, ends_ in zip(
        found["customer_id"], found["product_id"], days, found["entitled_quantity"],
        found["is_unlimited"], found["begins"], found["ends"], strict=True,
    ):  # fmt: skip
        opened = day if begins_ else opened
        if ends_:
            run = Run(opened or day, day, float(entitled), bool(unlimited))
            runs.setdefault((customer, product), []).append(run)
    return {pair: _thinned(each) for pair, each in runs.items()}


def _thinned(runs: Sequence[Run]) -> Sequence[Run]:
    """At most so many runs: of some in a row the first, for all of their days."""
    size = -(-len(runs) // RUNS)
    if size == 1:
        return runs
    parts = (runs[n : n + size] for n in range(0, len(runs), size))
    return [part[0]._replace(last=part[-1].last) for part in parts]


def _grouped(
    frame: pd.DataFrame, keys: Sequence[str], columns: Sequence[str]
) -> dict[tuple[object, ...], tuple[Numbers, ...]]:
    """Columns as arrays by key, in the order of the first of them."""
    if frame.empty:
        return {}
    frame = frame.sort_values([*keys, columns[0]], kind="stable")
    codes = frame.groupby(list(keys), sort=True).ngroup().to_numpy()
    ends = [*(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(frame)]
    values = [frame[name].to_numpy(dtype=float) for name in columns]
    starts = [0, *ends[:-1]]
    heads = zip(*(frame[name].to_numpy()[starts] for name in keys), strict=True)
    return {
        tuple(head): tuple(each[first:end] for each in values)
        for head, first, end in zip(heads, starts, ends, strict=True)
    }
