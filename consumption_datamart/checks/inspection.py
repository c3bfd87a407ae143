"""What one step looks at before it publishes: checks and figures, in the same transaction."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime

from consumption_datamart.checks.check import MODEL, Check, Result
from consumption_datamart.checks.evaluation import ResultKey, evaluate, record
from consumption_datamart.errors import AuditError, CheckError, WarehouseError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Profile, Transaction, Warehouse
from consumption_datamart.warehouse.audit import TOTAL, Samples, samples


class Inspection:
    """Evaluates the checks of some tables on what is about to be published, and writes it down.

    Attributes:
        results: of all that was looked at.
        failed_before: what had failed when it was last looked at.
        samples: of each table a few rows, by label, where they are wanted.
    """

    def __init__(
        self, checks: Sequence[Check], today: date | None = None, *, is_sampled: bool = False
    ) -> None:
        """Begins to count the seconds.

        Args:
            checks: of the tables that the step publishes.
            today: the date; by default that of the clock, in UTC.
            is_sampled: whether samples are wanted.
        """
        self.checks, self.today, self.begun = checks, today, time.monotonic()
        self.results: list[Result] = []
        self.failed_before: set[ResultKey] = set()
        self.is_sampled, self.samples = is_sampled, dict[type[Table], Samples]()

    def __call__(
        self,
        transaction: Transaction,
        days: Days | None,
        profiles: Mapping[type[Table], Profile],
    ) -> None:
        """Looks at tables whose model has been audited.

        Args:
            transaction: in which they are published.
            days: that are published; None: tables without days.
            profiles: of what is published.

        Raises:
            CheckError: a blocking check fails.
        """
        found = [
            check.result(day, 0.0, 0)
            for check in self.checks
            if check.name == MODEL and check.model in profiles
            for day in check.days_of(days)
        ]
        others = [c for c in self.checks if c.name != MODEL and c.model in profiles]
        found += evaluate(others, transaction.slice, transaction.rows, days, self.today)
        # a transaction that was lost is run again whole
        again = {(each.check.model, each.check.name, each.day) for each in found}
        self.results = [
            each
            for each in self.results
            if (each.check.model, each.check.name, each.day) not in again
        ] + found
        wrong = [result for result in found if result.check.is_blocking and not result.passed]
        if wrong:
            raise CheckError(wrong[0].check.model.full_name(), str(wrong[0]))
        self.failed_before |= record(transaction, found)
        if self.is_sampled:
            self.samples |= {m: samples(transaction, m, days, p) for m, p in profiles.items()}
        self._write_figures(transaction, days, profiles)

    def seconds(self) -> float:
        """That the step has taken so far."""
        return time.monotonic() - self.begun

    def stopped(self, warehouse: Warehouse, error: AuditError, days: Days | None) -> None:
        """Writes down what has stopped the publication, which was undone with all it wrote."""
        if not isinstance(error, CheckError):
            self.results = [
                Result(check, day, passed=False)
                for check in self.checks
                if check.name == MODEL and check.model.full_name() == error.table
                for day in check.days_of(days)
            ]
        # what stopped the publication is the news, and is told by its own error
        with suppress(WarehouseError):
            warehouse.in_transaction(lambda each: record(each, self.results), [])

    def _write_figures(
        self,
        transaction: Transaction,
        days: Days | None,
        profiles: Mapping[type[Table], Profile],
    ) -> None:
        """Figures of each day, 0 where it has no rows; the seconds in even shares."""
        now = datetime.now(UTC).replace(tzinfo=None)
        rows = []
        for model, profile in profiles.items():
            periods = model.periods(days)
            counted, share = profile.figures.to_dict("index"), self.seconds() / len(periods)
            none = dict.fromkeys(profile.figures.columns, 0)
            for day in periods:
                counts = counted.get(day.isoformat() if day else TOTAL, none)
                rows += [
                    (now, model.full_name(), day, figure, float(number))
                    for figure, number in {**counts, "seconds": share}.items()
                ]
        transaction.upgrade(Figure)
        transaction.append(Figure, rows)
