"""What is unusual of a table: by weekday, not moved by one odd day, a month's end in mind."""

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.evaluation import Watched, evaluate
from consumption_datamart.checks.figures import ROWS, SECONDS, Found, compared
from consumption_datamart.checks.usual import usual
from consumption_datamart.private import latest_checks
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, open_warehouse

LAST = date(2026, 6, 18)
"""A Thursday."""
NOW = datetime(2026, 6, 25, 12, tzinfo=UTC)
TABLE = "mart.fact_usage_daily"
USAGE = "mart/fact_usage_daily"


def thursdays(*numbers: float) -> dict[date, float]:
    """A number of each Thursday before the last, the latest first."""
    return {LAST - timedelta(weeks=1 + week): n for week, n in enumerate(numbers)}


@pytest.mark.parametrize(
    ("numbers", "bounds"),
    [
        ((100, 110, 90, 100), (100, 100)),
        ((100, 100, 100), (100, 100)),
        ((5000, 100, 110, 90), (105, 105)),  # one odd day moves nothing
        ((0, 100, 110, 90), (95, 95)),
        ((100, 100), None),  # on the first days nothing is unusual
        ((), None),
    ],
)
def test_it_is_the_median_of_the_weekday(
    numbers: tuple[float, ...], bounds: tuple[float, float] | None
) -> None:
    sundays = {LAST - timedelta(days=4 + 7 * week): 7.0 for week in range(6)}
    found = usual(thursdays(*numbers) | sundays, LAST)
    assert (found and found[:2]) == bounds


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 5, 31), (date(2026, 4, 30), date(2026, 3, 31), date(2026, 2, 28))),
        (date(2026, 5, 30), (date(2026, 4, 29), date(2026, 3, 30), date(2026, 2, 27))),
        (date(2026, 5, 1), (date(2026, 4, 1), date(2026, 3, 1), date(2026, 2, 1))),
        (date(2026, 5, 29), ()),
        (date(2026, 5, 2), ()),
    ],
)
def test_a_months_end_may_be_as_the_ends_before(day: date, ends: tuple[date, ...]) -> None:
    series = {day - timedelta(weeks=week): 100.0 for week in range(1, 5)}
    for number, end in enumerate(ends):
        series[end] = 900.0 + number
    found = usual(series, day)
    assert found is not None
    assert found.high == (900 + len(ends) - 1 if ends else 100)
    assert found.low == 100
    assert ("ends of" in found.told) == bool(ends)
    assert found.distance(500) == (0 if ends else 400)


class History:
    """Figures of some weeks, written as publications write them."""

    def __init__(self, warehouse: Warehouse, weeks: int) -> None:
        """Each day was published on the next, at noon; at weekends there is less."""
        self.warehouse = warehouse
        days = [LAST - timedelta(days=back) for back in range(weeks * 7, -1, -1)]
        self.append([row for day in days for row in rows(day, 100 if day.weekday() < 5 else 20)])

    def publish(self, day: date, number: float, seconds: float = 10.0) -> None:
        """A publication of the day."""
        self.append(rows(day, number, seconds))

    def append(self, figures: list[tuple[object, ...]]) -> None:
        """Write figures down."""
        with self.warehouse.transaction() as transaction:
            transaction.upgrade(Figure)
            transaction.append(Figure, figures)

    def found(self, now: datetime = NOW) -> dict[tuple[str, str], Found]:
        """What is said of each table."""
        told = compared(self.warehouse, Settings(), now)
        assert told is not None
        return {(each.table, each.name): each for each in told}


def rows(
    day: date, number: float, seconds: float = 10.0, table: str = TABLE
) -> list[tuple[object, ...]]:
    """The figures of a publication of a day."""
    at = datetime.combine(day, datetime.min.time()) + timedelta(days=1, hours=12)
    figures = {"rows": float(number), "seconds": seconds, "warnings": 3.0}
    return [(at, table, day, name, n) for name, n in figures.items()]


@pytest.fixture(params=["duckdb", "sqlite"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    """Such a history, on an engine."""
    return History(open_warehouse(f"{request.param}://{tmp_path}/warehouse.{request.param}"), 5)


def test_rows_are_compared_with_the_weekday(history: History) -> None:
    assert history.found()[TABLE, ROWS].measured == 0
    sunday, monday = LAST + timedelta(days=3), LAST + timedelta(days=4)
    history.publish(sunday, 20)
    assert history.found().pop((TABLE, ROWS)).passed
    history.publish(monday, 20)
    found = history.found()[TABLE, ROWS]
    assert found.measured == pytest.approx(0.8)
    assert found.told == (
        "20 rows on 2026-06-22, where 100 rows are usual on Mondays, the median of 4 weeks"
    )
    history.publish(monday, 90)  # delivered again, whole
    assert history.found()[TABLE, ROWS].passed


def test_a_run_time_is_compared_with_those_of_as_many_days(history: History) -> None:
    history.publish(LAST + timedelta(days=1), 100, seconds=31)
    found = history.found()[TABLE, SECONDS]
    assert found.told == (
        "it took 31 seconds at 2026-06-20 12:00 UTC, where 10 seconds are usual on Saturdays, the"
        " median of 4 weeks"
    )
    assert found.measured == pytest.approx(3.1)
    history.publish(LAST + timedelta(days=2), 100, seconds=25)
    assert history.found()[TABLE, SECONDS].passed


def test_what_was_loaded_is_compared_by_its_own_check(history: History) -> None:
    days = [LAST - timedelta(days=back) for back in range(30)]
    for table in ("lake.raw_telemetry", "lake.files_telemetry"):
        history.append([row for day in days for row in rows(day, 50, table=table)])
    found = history.found()
    assert ("lake.raw_telemetry", ROWS) not in found
    assert ("lake.raw_telemetry", SECONDS) in found
    assert not any(table == "lake.files_telemetry" for table, _ in found)


def test_on_the_first_days_nothing_is_unusual(tmp_path: Path) -> None:
    history = History(open_warehouse(f"duckdb://{tmp_path}/warehouse.duckdb"), 2)
    history.publish(LAST + timedelta(days=1), 0, seconds=1000)
    assert {(each.measured, each.told) for each in history.found().values()} == {(None, "")}
    empty = open_warehouse(f"duckdb://{tmp_path}/none.duckdb")
    assert compared(empty, Settings(), NOW) is None


def test_an_anomaly_is_told_shown_as_its_check_and_over_by_itself(history: History) -> None:
    key = dg.AssetCheckKey(dg.AssetKey.from_user_string(USAGE), ROWS)

    minutes = (NOW + timedelta(minutes=each) for each in range(9))

    def crossed(instance: dg.DagsterInstance) -> list[tuple[str, str, str]]:
        found = evaluate(
            history.warehouse,
            instance,
            Watched([], {}, "build", Settings()),
            AlertSettings(),
            logging.getLogger("test"),
            next(minutes),
        )
        return [(t.alert.signal, t.alert.subject, t.alert.state.value) for t in found]

    with dg.DagsterInstance.ephemeral() as instance:
        assert crossed(instance) == []
        assert latest_checks(instance, [key]) == {}
        history.publish(LAST + timedelta(days=1), 7)
        assert crossed(instance) == [("anomaly", f"{USAGE}: {ROWS}", "warning")]
        shown = latest_checks(instance, [key])[key].evaluation
        assert shown is not None
        assert not shown.passed
        assert shown.severity is dg.AssetCheckSeverity.WARN
        assert (shown.description or "").startswith("7 rows on 2026-06-19, where 100 rows")
        assert crossed(instance) == []
        history.publish(LAST + timedelta(days=2), 20)
        assert crossed(instance) == [("anomaly", f"{USAGE}: {ROWS}", "recovered")]
        over = latest_checks(instance, [key])[key].evaluation
        assert over is not None
        assert over.passed
