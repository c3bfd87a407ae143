"""Tables of weeks and months: their periods, and how they are refreshed with the mart's."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

import dagster as dg
import ibis.expr.types as ir
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumption_datamart.automation import eager
from consumption_datamart.definitions import build_definitions
from consumption_datamart.partitions import partitions
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import Field, MartTable
from consumption_datamart.schema.types import Day, Real, Text
from consumption_datamart_tests.lakes import day, entitlement, noon, usage, write_dump
from consumption_datamart_tests.mart import tables_of
from consumption_datamart_tests.ticks import Automation

PERIODS = [Grain.DAY, Grain.WEEK, Grain.MONTH]
some_day = st.dates(date(1990, 1, 1), date(2090, 12, 31))
pytestmark = pytest.mark.filterwarnings("ignore:.*in beta:dagster.BetaWarning")


@given(st.sampled_from(PERIODS), some_day)
def test_a_day_is_in_one_period_which_is_followed_by_the_next(grain: Grain, when: date) -> None:
    first = grain.first(when)
    period = grain.period(first)
    assert when in period
    assert grain.shift(first, 1) == period.last + timedelta(days=1)
    assert grain.shift(grain.shift(first, 1), -1) == first
    assert {grain.first(each) for each in period.each()} == {first}


@given(st.sampled_from(PERIODS), some_day, st.integers(0, 400))
def test_the_periods_of_some_days_cover_them_without_a_gap(
    grain: Grain, first: date, length: int
) -> None:
    days = Days(first, first + timedelta(days=length))
    periods = list(grain.each(days))
    (whole,) = grain.ranges(periods)
    assert whole == grain.whole(days)
    assert whole.first <= days.first
    assert days.last <= whole.last
    assert len(periods) == len({grain.first(each) for each in days.each()})


@given(st.sampled_from(PERIODS), some_day, st.integers(1, 13))
def test_a_window_ends_with_its_period(grain: Grain, when: date, window: int) -> None:
    days = grain.period(grain.first(when), window)
    assert days.last == grain.period(grain.first(when)).last
    assert len(list(grain.each(days))) == window


def test_weeks_begin_on_monday() -> None:
    assert Grain.WEEK.first(date(2026, 1, 4)) == date(2025, 12, 29)
    assert date(2025, 12, 29).weekday() == 0


def test_partitions_begin_with_the_period_of_the_first_day_and_end_with_the_current_one() -> None:
    today = date.today()
    for grain, definition in partitions(date(2026, 1, 14)).items():
        keys = definition.get_partition_keys()
        assert keys[0] == grain.first(date(2026, 1, 14)).isoformat()
        assert keys[-1] == grain.first(today).isoformat()


class UsedWeekly(MartTable):
    """What was used of a product in a week and the one before."""

    _day = "week_start"
    _grain = Grain.WEEK
    week_start: Day = Field(description="Monday of the week.")
    product_id: Text
    used: Real = Field(ge=0, description="In the two weeks.")

    class Config:
        """One row a week and product."""

        unique: ClassVar[list[str]] = ["week_start", "product_id"]


class UsedMonthly(MartTable):
    """What was used of a product in a month."""

    _day = "month_start"
    _grain = Grain.MONTH
    month_start: Day
    product_id: Text
    used: Real = Field(ge=0, description="In the month.")

    class Config:
        """One row a month and product."""

        unique: ClassVar[list[str]] = ["month_start", "product_id"]


FACT = dg.AssetKey(["mart", "fact_consumption_daily"])


def used_weekly(context: dg.AssetExecutionContext, fact: pd.DataFrame) -> pd.DataFrame:
    """Each day counts in its week, and in the next."""
    week = pd.to_datetime(fact.day).dt.to_period("W-SUN").dt.start_time
    both = pd.concat([fact.assign(week_start=week + pd.Timedelta(weeks=n)) for n in (0, 1)])
    asked = context.partition_key_range
    both = both[both.week_start.between(asked.start, asked.end)]
    sums = both.groupby(["week_start", "product_id"], as_index=False).used_quantity.sum()
    return sums.rename(columns={"used_quantity": "used"})


def used_monthly(fact: ir.Table) -> ir.Table:
    """The sum over the days of the month."""
    of_month = fact.mutate(month_start=fact.day.truncate("M").cast("date"))
    return of_month.group_by("month_start", "product_id").aggregate(
        used=of_month.used_quantity.sum()
    )


def own_assets() -> list[dg.AssetsDefinition]:
    """A table of weeks, which reads the week before, too, and one of months."""
    with_the_week_before = dg.TimeWindowPartitionMapping(
        start_offset=-1, allow_nonexistent_upstream_partitions=True
    )
    mappings = {Grain.WEEK: with_the_week_before, Grain.MONTH: None}
    return [
        dg.asset(
            compute,
            key=["mart", compute.__name__],
            ins={"fact": dg.AssetIn(FACT, partition_mapping=mappings[grain])},
            partitions_def=partitions(day(1))[grain],
            backfill_policy=dg.BackfillPolicy.single_run(),
            automation_condition=eager(),
        )
        for compute, grain in ((used_weekly, Grain.WEEK), (used_monthly, Grain.MONTH))
    ]


@pytest.fixture
def lake_of_six_weeks(lake: Path) -> Path:
    """Usage of as much as the number of the day, on every third day."""
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in range(1, 43, 3):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number), quantity=number)])
    return lake


@pytest.fixture
def automation(lake_of_six_weeks: Path, warehouse: str) -> Iterator[Automation]:
    """The mart's policies and those of the two tables, on all that has happened."""
    definitions = build_definitions(
        own_assets=own_assets(),
        own_models=[UsedWeekly, UsedMonthly],
        lake=str(lake_of_six_weeks),
        warehouse=warehouse,
        start_day=day(1),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = Automation(definitions, instance)
        found.observe()
        found.settle()
        assert found.failures == []
        yield found


def used(url: str) -> tuple[dict[date, float], dict[date, float]]:
    """By week, and by month."""
    tables = tables_of(url, UsedWeekly, UsedMonthly)
    weekly, monthly = tables["mart.used_weekly"], tables["mart.used_monthly"]
    return (
        {row["week_start"]: row["used"] for row in weekly},
        {row["month_start"]: row["used"] for row in monthly},
    )


def expected(quantities: dict[date, float]) -> tuple[dict[date, float], dict[date, float]]:
    """The same, day by day."""
    weeks: dict[date, float] = {}
    months: dict[date, float] = {}
    last = Grain.WEEK.first(max(quantities))
    for when, quantity in quantities.items():
        month, week = when.replace(day=1), Grain.WEEK.first(when)
        months[month] = months.get(month, 0) + quantity
        for start in (week, week + timedelta(days=7)):
            if start <= last:
                weeks[start] = weeks.get(start, 0) + quantity
    return weeks, months


def test_weeks_and_months_follow_the_days_that_they_are_made_of(
    automation: Automation, lake_of_six_weeks: Path, warehouse: str
) -> None:
    quantities = {day(number): float(number) for number in range(1, 43, 3)}
    assert used(warehouse) == expected(quantities)
    write_dump(lake_of_six_weeks, "telemetry", day(7), [usage(event_ts=noon(7), quantity=100.0)])
    write_dump(lake_of_six_weeks, "telemetry", day(43), [usage(event_ts=noon(43), quantity=5.0)])
    automation.observe()
    asked = automation.settle()
    week, now = Grain.WEEK.first(day(7)), Grain.WEEK.first(day(43))
    assert set(asked["used_weekly"]) == {week, week + timedelta(days=7), now}
    assert set(asked["used_monthly"]) == {day(1), date(2026, 2, 1)}
    assert automation.failures == []
    quantities |= {day(7): 100.0, day(43): 5.0}
    assert used(warehouse) == expected(quantities)
    assert automation.settle() == {}
