"""An alert crosses a line once, whatever its readings are."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.machine import (
    BROKEN,
    ODD,
    Alert,
    Line,
    Reading,
    State,
    Transition,
    observe,
)

NOON = datetime(2026, 1, 1, 12)
LINES = (Line(0.8, State.warning), Line(1.0, State.alarm), Line(1.2, State.alarm))
MARGIN = 0.02


def reading(value: float | None, **how: object) -> Reading:
    """Of one customer's consumption."""
    usual = {"lines": LINES, "margin": MARGIN}
    return Reading("consumption", "CUST-1 db", value, "much", **(usual | how))


def observed(
    readings: Sequence[Reading],
) -> Iterator[tuple[Alert | None, Transition | None]]:
    """What each reading makes of an alert, one a minute."""
    alert = None
    for minute, each in enumerate(readings):
        alert, transition = observe(alert, each, NOON + timedelta(minutes=minute))
        yield alert, transition


def told(*values: float | None, **how: object) -> list[tuple[str, str, int]]:
    """The transitions of readings: before, after, level."""
    found = [each for _, each in observed([reading(value, **how) for value in values])]
    return [(each.before, each.alert.state, each.alert.level) for each in found if each]


WARNS, ALARMS = ("ok", "warning", 1), ("ok", "alarm", 2)
CASES: dict[str, tuple[list[float | None], list[tuple[str, str, int]]]] = {
    "nothing": ([0.0, 0.79, None, 0.5], []),
    "a warning, once": ([0.5, 0.8, 0.9, 0.99, 0.8], [WARNS]),
    "each line of three": (
        [0.85, 1.0, 1.19, 1.2, 7.0],
        [WARNS, ("warning", "alarm", 2), ("alarm", "alarm", 3)],
    ),
    "two lines at once": ([0.5, 1.1], [ALARMS]),
    "down a line": ([1.1, 0.97], [ALARMS, ("alarm", "warning", 1)]),
    "over": ([0.9, 0.77, 0.5], [WARNS, ("warning", "recovered", 0)]),
    "and again": (
        [0.9, 0.5, 0.9],
        [WARNS, ("warning", "recovered", 0), ("recovered", "warning", 1)],
    ),
    "wavering about a line": ([0.79, 0.8, 0.79, 0.8, 0.781], [WARNS]),
    "wavering about two": ([1.0, 0.99, 1.0, 0.981, 1.01], [ALARMS]),
    "unknown for a while": ([0.9, None, None, 0.9], [WARNS]),
    "not a number": ([float("nan")], []),
}


@pytest.mark.parametrize(("values", "expected"), CASES.values(), ids=CASES)
def test_what_is_told(values: list[float | None], expected: list[tuple[str, str, int]]) -> None:
    assert told(*values) == expected


def test_what_recovered_is_ok_thereafter() -> None:
    states = [alert.state for alert, _ in observed([reading(v) for v in (0.9, 0.5, 0.5)]) if alert]
    assert states == ["warning", "recovered", "ok"]


def test_what_is_wrong_from_the_first_is_no_crossing_where_it_must_be_seen() -> None:
    assert told(0.9, 1.5, 0.9, must_cross=True) == []
    assert told(0.9, 0.5, 0.9, must_cross=True) == [WARNS]
    assert told(0.5, 0.9, must_cross=True) == [WARNS]


def test_what_is_not_measured_is_odd_or_broken() -> None:
    values = (0, ODD, BROKEN, 0)
    readings = [Reading("check", "mart/dim_day: model", value, "fails") for value in values]
    states = [each.alert.state for _, each in observed(readings) if each]
    assert states == ["warning", "alarm", "recovered"]


def test_lines_that_were_moved_since() -> None:
    alert, _ = observe(None, reading(1.3), NOON)
    _, transition = observe(alert, reading(1.3, lines=LINES[:1]), NOON)
    assert (transition.alert.state, transition.alert.level) == ("warning", 1)


VALUES = st.one_of(st.none(), st.floats(0, 2), st.sampled_from([0.78, 0.8, 0.98, 1.0, 1.18, 1.2]))


@settings(max_examples=300, derandomize=True, database=None)
@given(st.lists(VALUES, max_size=30))
def test_nothing_is_told_but_crossings(values: list[float | None]) -> None:
    held = 0
    for value, (alert, transition) in zip(
        values, observed([reading(each) for each in values]), strict=True
    ):
        level = alert.level if alert else 0
        assert (transition is not None) == (level != held)
        if value is not None:
            # at or above the line that is held, less its margin; below the next
            assert level == 0 or value >= LINES[level - 1].at - MARGIN
            assert all(value < line.at for line in LINES[level:])
            if transition and level > held:
                assert value >= LINES[level - 1].at
        held = level


@settings(max_examples=100, derandomize=True, database=None)
@given(st.sampled_from(LINES), st.lists(st.floats(-MARGIN, 0.1), max_size=20))
def test_flapping_within_the_margin_tells_nothing(line: Line, offsets: list[float]) -> None:
    crossed = told(line.at)
    assert told(line.at, *(max(line.at + each, line.at - MARGIN) for each in offsets)) == crossed


def test_the_usual_lines_are_those_of_the_settings() -> None:
    consumption = AlertSettings().consumption
    assert consumption.lines == tuple(line.at for line in LINES)
    assert consumption.margin == MARGIN
