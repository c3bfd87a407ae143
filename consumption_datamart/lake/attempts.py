"""Loading every day that can be loaded, and trying again what cannot."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Self

from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
)

from consumption_datamart.errors import DumpError, LakeError, SourceError
from consumption_datamart.lake.outcome import Outcome
from consumption_datamart.lake.sources import Source
from consumption_datamart.schema.days import Days


@dataclass(frozen=True)
class Patience:
    """How often to try a dump that cannot be read.

    Attributes:
        attempts: at most so many.
        seconds: to wait for the second; each further wait is twice as long.
    """

    attempts: int = 1
    seconds: float = 0.0

    def attempt(self, attempts: "Attempts", log: logging.Logger) -> "Attempts":
        """Loads until all days are, or the attempts are used up."""
        return Retrying(
            retry=retry_if_result(lambda tried: bool(tried.left)),
            stop=stop_after_attempt(self.attempts),
            wait=wait_exponential(multiplier=self.seconds),
            before_sleep=before_sleep_log(log, logging.WARNING),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )(attempts.once_more)


class Attempts:
    """The days of a source on their way into the warehouse.

    Attributes:
        loaded: days that were loaded, with what became of the table's rows; None stands for a table
            that is loaded as a whole.
        failures: what is wrong with each dump that could not be.
    """

    def __init__(
        self,
        load: Callable[[Days | None], Outcome],
        days: Iterable[Days | None],
        failures: Mapping[date, LakeError] = MappingProxyType({}),
    ) -> None:
        """Nothing is loaded yet.

        Args:
            load: loads days in one transaction.
            days: all that are to be loaded.
            failures: what is wrong with dumps that are not even tried.
        """
        self.load, self.left, self.not_tried = load, [*days], failures
        self.loaded: list[tuple[Days | None, Outcome]] = []
        self.failures: dict[date, LakeError] = {}

    def once_more(self) -> Self:
        """Loads what is left, around the dumps that cannot be read."""
        pending, self.left, self.failures = self.left, [], {**self.not_tried}
        while pending:
            days = pending.pop(0)
            try:
                self.loaded.append((days, self.load(days)))
            except DumpError as error:
                self.failures[error.day] = error
                self.left.append(days and Days(error.day, error.day))
                pending[:0] = days.without(error.day) if days else []
            except SourceError as error:
                self.left.append(days)
                self.failures |= dict.fromkeys(days.each() if days else [date.max], error)
        return self

    @property
    def problems(self) -> list[str]:
        """What is wrong, a line each."""
        return list(dict.fromkeys(str(self.failures[day]) for day in sorted(self.failures)))

    @property
    def unexpected(self) -> dict[str, str]:
        """Columns that the contract does not know, by file."""
        found: dict[str, str] = {}
        for _, outcome in self.loaded:
            found |= outcome.unexpected_columns
        return found

    def __repr__(self) -> str:
        """What is wrong, as the retries' log shows it."""
        return "; ".join(self.problems)


def load_source(
    load: Callable[[Days | None], Outcome],
    source: Source,
    days: Days | None,
    kept: Collection[date],
    closed: Collection[date] = (),
) -> Attempts:
    """The attempts to load a source, whose dumps are not as many as they were.

    Args:
        load: loads days in one transaction.
        source: that is loaded.
        days: all that are to be loaded; None: all that there are.
        kept: days that have no dump any more, and are to stay as they were loaded.
        closed: days that are loaded no more, whether they have a dump or not.
    """
    gone = sorted(day for day in kept if days is None or day in days)
    if days is not None:
        tried = Days.ranges(day for day in days.each() if day not in {*gone, *closed})
    if not gone:
        return Attempts(load, [None] if days is None else tried)
    problem = LakeError(
        f"{source.label}: the dumps of {len(gone)} days are gone, {gone[0]} … {gone[-1]}, and these"
        " are most that were loaded; their rows are kept: restore the dumps, or build with"
        " --accept-deletions"
    )
    if days is None:
        return Attempts(load, [], dict.fromkeys(gone, problem))
    return Attempts(load, tried, dict.fromkeys(gone, problem))
