"""Loading every day that can be loaded, and trying again what cannot."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Self

from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
)

from consumption_datamart.errors import DumpError
from consumption_datamart.lake.outcome import Outcome
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
            retry=retry_if_result(lambda tried: bool(tried.failures)),
            stop=stop_after_attempt(self.attempts),
            wait=wait_exponential(multiplier=self.seconds),
            before_sleep=before_sleep_log(log, logging.WARNING),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )(attempts.once_more)


class Attempts:
    """The days of a lake table on their way into the warehouse.

    Attributes:
        loaded: days that were loaded, with what became of their rows; None stands for a table that
            is loaded as a whole.
        failures: what is wrong with each dump that could not be.
    """

    def __init__(self, load: Callable[[Days | None], Outcome], days: Days | None) -> None:
        """Nothing is loaded yet.

        Args:
            load: loads days in one transaction.
            days: all that are to be loaded.
        """
        self.load, self.left = load, [days]
        self.loaded: list[tuple[Days | None, Outcome]] = []
        self.failures: dict[date, DumpError] = {}

    def once_more(self) -> Self:
        """Loads what is left, around the dumps that cannot be read."""
        pending, self.left, self.failures = self.left, [], {}
        while pending:
            days = pending.pop(0)
            try:
                self.loaded.append((days, self.load(days)))
            except DumpError as error:
                self.failures[error.day] = error
                self.left.append(days and Days(error.day, error.day))
                pending[:0] = days.without(error.day) if days else []
        return self

    @property
    def unexpected_columns(self) -> dict[str, str]:
        """Columns that the contract does not know, by file."""
        found: dict[str, str] = {}
        for _, outcome in self.loaded:
            found |= outcome.unexpected_columns
        return found

    def __repr__(self) -> str:
        """What is wrong, as the retries' log shows it."""
        return "; ".join(str(self.failures[day]) for day in sorted(self.failures))
