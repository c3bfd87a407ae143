"""The state machine of an alert: pure, the same for every signal.

A reading has a value, and lines that it may cross: each makes of it a warning or an alarm. A line
that is crossed is left again only when the value has fallen below it by the margin, so that a value
which wavers about a line crosses it once. Every change of level is one transition; it is what is
told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What an alert can be; see `schema.alerts.STATES`."""

    ok = "ok"
    warning = "warning"
    alarm = "alarm"
    recovered = "recovered"


class Line(NamedTuple):
    """A value from which on something is wrong, and how much so."""

    at: float
    state: State


ODD, BROKEN = 1.0, 2.0
"""Values of what is not measured: it is odd, or it is broken."""
LINES = (Line(ODD, State.warning), Line(BROKEN, State.alarm))


@dataclass(frozen=True)
class Reading:
    """What a signal says of a subject now.

    Attributes:
        signal: one of `schema.alerts.SIGNALS`.
        subject: what it is about.
        value: measured in the signal's own unit; None: unknown, all stays as it is.
        summary: what is the matter, in a sentence.
        lines: in ascending order.
        margin: by how much the value has to fall below a line to leave it.
        must_cross: whether what is wrong when it is first seen is no news: a lake that lies in the
            past was never late.
    """

    signal: str
    subject: str
    value: float | None
    summary: str
    lines: Sequence[Line] = LINES
    margin: float = 0.0
    must_cross: bool = False


@dataclass(frozen=True)
class Alert:
    """What is known of a subject.

    Attributes:
        level: how many lines are crossed.
        since: when the last was.
    """

    signal: str
    subject: str
    state: State
    level: int
    since: datetime
    summary: str

    @property
    def is_open(self) -> bool:
        """Whether anything is wrong."""
        return self.level > 0


@dataclass(frozen=True)
class Transition:
    """The crossing of a line.

    Attributes:
        before: what the alert was.
        alert: what it has become.
        reading: the value that did it.
    """

    before: State
    alert: Alert
    reading: float


def observe(
    alert: Alert | None, reading: Reading, now: datetime
) -> tuple[Alert | None, Transition | None]:
    """What becomes of an alert by a reading.

    Args:
        alert: what is known; None: nothing yet.
        reading: of the same signal and subject.
        now: in UTC.

    Returns:
        What is known then; and the crossing, if the reading has crossed a line.
    """
    if reading.value is None:
        return alert, None
    held = alert.level if alert else 0
    reached = _level(reading, reading.value, held)
    if reached == held:
        return _unchanged(alert, reading, now), None
    if alert is None and reading.must_cross:
        return None, None
    state = reading.lines[reached - 1].state if reached else State.recovered
    after = Alert(reading.signal, reading.subject, state, reached, now, reading.summary)
    return after, Transition(alert.state if alert else State.ok, after, reading.value)


def _unchanged(alert: Alert | None, reading: Reading, now: datetime) -> Alert | None:
    if alert is None:
        fine = Alert(reading.signal, reading.subject, State.ok, 0, now, reading.summary)
        return fine if reading.must_cross else None
    return replace(alert, state=State.ok) if alert.state is State.recovered else alert


def _level(reading: Reading, value: float, held: int) -> int:
    """The highest line that is reached; those that are held reach down by the margin."""
    return max(
        (
            number
            for number, line in enumerate(reading.lines, 1)
            if value >= line.at - (reading.margin if number <= held else 0)
        ),
        default=0,
    )
