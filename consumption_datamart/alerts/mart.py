"""Readings of what the warehouse holds: dumps that stay away, burnt budgets, consumption."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.machine import Line, Reading, State
from consumption_datamart.lateness import Lateness, Limits, all_lateness
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import Objective
from consumption_datamart.schema.reports import ReportCommitments, ReportConsumptionDaily
from consumption_datamart.warehouse import Warehouse


def dump_readings(warehouse: Warehouse, limits: Limits, today: date) -> Iterator[Reading] | None:
    """How many days ago the last dump of each source was; of an archive that is no news.

    Returns:
        None, where no dump is known.
    """
    found = all_lateness(warehouse, limits, today)
    return (_of_source(each) for each in found) if found else None


def _of_source(each: Lateness) -> Reading:
    last = "it never had a dump" if each.last is None else f"its last dump is of {each.last}"
    return Reading(
        "dump",
        each.name,
        each.idle,
        f"{each.name} is {each.idle} days without a dump, {each.allowed} are usual: {last}",
        (Line(each.allowed + 1, State.alarm),),
        must_cross=each.is_archive,
    )


def budget_readings(warehouse: Warehouse, settings: AlertSettings) -> Iterator[Reading] | None:
    """The share of each objective's error budget that is used up.

    Returns:
        None, where objectives were never measured.
    """
    objectives = warehouse.find(Objective)
    return None if objectives is None else _of_objectives(objectives, settings)


def _of_objectives(objectives: pd.DataFrame, settings: AlertSettings) -> Iterator[Reading]:
    limits = settings.budget
    for row in objectives.itertuples():
        yield Reading(
            "budget",
            row.objective_name,
            1 - row.budget_left,
            f"{row.objective_table}: {row.days_good} of {row.days_measured} days were good,"
            f" {row.target:.1%} should be; {max(row.budget_left, 0):.0%} of the budget is left",
            (Line(limits.warning, State.warning), Line(limits.alarm, State.alarm)),
            limits.margin,
            # as of the lake: it may have been late when it was first seen
            must_cross=row.kind == "freshness",
        )


def consumption_readings(
    warehouse: Warehouse, settings: AlertSettings, today: date
) -> Iterator[Reading] | None:
    """The share that each customer uses of what it is entitled to, on the last day.

    Who is below all lines is left out.

    Returns:
        None, where the last day lies in the past.
    """
    span = _current(warehouse, settings, today)
    if span is None:
        return None
    limits = settings.consumption
    lowest = min(limits.lines) - limits.margin
    rows = warehouse.table(ReportConsumptionDaily)
    found = warehouse.fetch(rows.filter(rows.day == span.last, rows.consumption_30d >= lowest))
    lines = tuple(
        Line(at, State.alarm if at >= limits.alarm else State.warning)
        for at in sorted(limits.lines)
    )
    return (
        Reading(
            "consumption",
            f"{row.customer_id} {row.product_id}",
            row.consumption_30d,
            f"{row.customer_name} uses {row.consumption_30d:.0%} of what it is entitled to of"
            f" {row.product_name}, 30 days to {span.last}",
            lines,
            limits.margin,
        )
        for row in found.itertuples()
    )


def commitment_readings(
    warehouse: Warehouse, settings: AlertSettings, today: date
) -> Iterator[Reading] | None:
    """Days since each commitment was used up, below 0 where it will be; others are left out.

    Returns:
        None, where the last day lies in the past, or the warehouse is of an earlier version.
    """
    span = _current(warehouse, settings, today)
    if span is None or not warehouse.exists(ReportCommitments):
        return None
    rows = warehouse.table(ReportCommitments)
    lines = (Line(-settings.commitment.within_days, State.warning), Line(0, State.alarm))
    found = warehouse.fetch(rows.filter(rows.exhausts_on.notnull(), rows.status != "covered"))
    return (
        Reading(
            "commitment",
            f"{row.customer_id} {row.product_id} {row.entitlement_id}",
            (span.last - pd.Timestamp(row.exhausts_on).date()).days,
            f"{row.customer_name} {'has' if row.status == 'exhausted' else 'will have'} used up"
            f" {row.quantity:,.0f} {row.unit} of {row.product_name} on {row.exhausts_on:%Y-%m-%d};"
            f" it ends on {row.ends_on:%Y-%m-%d}",
            lines,
        )
        for row in found.itertuples()
    )


def _current(warehouse: Warehouse, settings: AlertSettings, today: date) -> Days | None:
    """The days of the mart; None, where the last lies in the past."""
    span = warehouse.span(ReportConsumptionDaily, "day")
    is_past = span is not None and (today - span.last).days > settings.consumption.current_days
    return None if is_past else span
