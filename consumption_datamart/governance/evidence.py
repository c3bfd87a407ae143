"""What is known of an asset as it is now, wherever it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime


@dataclass(frozen=True)
class Made:
    """A materialization: a publication of a table, or of days of it.

    Attributes:
        at: when, in UTC, without a time zone.
        rows: that were published; None: nobody counted them.
        seconds: that it took; None: nobody counted them.
        days: how many days, or other partitions; None: the whole.
    """

    at: datetime
    rows: float | None = None
    seconds: float | None = None
    days: int | None = None


@dataclass(frozen=True)
class CheckState:
    """What a check said when it was last evaluated.

    Attributes:
        name: of the check.
        passed: whether it holds; None: it could not be evaluated.
        is_blocking: whether what fails it is not published, or a wrong figure reaches a reader.
        told: what is wrong, in a sentence; empty where nothing is.
        at: when it was evaluated, in UTC; None: that is not known.
    """

    name: str
    passed: bool | None
    is_blocking: bool
    told: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known of an asset; what is not known is empty.

    Attributes:
        made: its materializations, the earliest first.
        failure: why it could not be made since it was last made; None: nothing of that is known.
        checks: by name, as they were last evaluated.
        odd: what is unusual in how much it holds or how long it took, a sentence each.
        freshness: state of a freshness policy by the clock, as Dagster has it: PASS, WARN, FAIL.
        awaiting: partitions that are to be refreshed.
        last_day: last day that it has, of a source the day of its last dump.
        alerts: that are open, a sentence each.
        failed_at: when it failed, in UTC; None: that is not known.
    """

    made: Sequence[Made] = ()
    failure: str | None = None
    checks: Mapping[str, CheckState] = field(default_factory=dict)
    odd: Sequence[str] = ()
    freshness: str | None = None
    awaiting: int = 0
    last_day: date | None = None
    alerts: Sequence[str] = ()
    failed_at: datetime | None = None

    @property
    def last(self) -> Made | None:
        """The last materialization that is known."""
        return self.made[-1] if self.made else None

    def and_of(self, other: "Evidence") -> "Evidence":
        """Both, of one asset: what this one does not know is the other's.

        A failure counts that is later than everything that was made.
        """
        is_later = other.last is not None and (self.last is None or other.last.at > self.last.at)
        is_mended = self.last and other.failed_at and self.last.at > other.failed_at
        return replace(
            self,
            made=self.made if self.made or not is_later else other.made,
            failure=self.failure or (None if is_mended else other.failure),
            checks={**other.checks, **self.checks},
            freshness=self.freshness or other.freshness,
            last_day=self.last_day or other.last_day,
        )
