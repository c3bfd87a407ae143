"""What of a source is read for a day."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Window(NamedTuple):
    """What of a source is read for a day.

    Attributes:
        day: of the dump.
        start: its first moment, in UTC.
        end: the first moment of the next.
    """

    day: date
    start: datetime
    end: datetime


def window(day: date, zone: str) -> Window:
    """The moments of a day, as it is in a time zone."""
    first, after = (
        datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    return Window(day, first, after)
