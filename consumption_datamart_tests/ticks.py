"""Automation in a test: the lake is observed, ticks are evaluated, runs are executed.

Where there is the mart's sensor, it is asked, and its runs are executed as it wants them. What a
tick asks for of other assets has a run for each contiguous range of partitions that are asked for
together, and one for what has none.
"""

import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import time_machine

from consumption_datamart.factories import OBSERVE_JOB
from consumption_datamart.partitions import PARTITION, days_of_tags, range_tags
from consumption_datamart.schema.days import Days

A_WHILE = 6.0
"""Minutes after which the throttle of the reports has certainly let go."""

Requested = dict[str, set[date | None]]


class Automation:
    """A code location and its history, on a clock that is ahead by the minutes of its ticks."""

    def __init__(
        self,
        definitions: dg.Definitions,
        instance: dg.DagsterInstance,
        before: "Automation | None" = None,
    ) -> None:
        """Starts anew, or goes on where another one was."""
        self.definitions, self.instance = definitions, instance
        self.ahead = before.ahead if before else timedelta()
        self.cursor: Any = before.cursor if before else None
        self.failures: list[str] = []
        self.requests: Sequence[dg.RunRequest] = []
        named = {each.name: each for each in definitions.sensors or ()}
        self.sensor: Any = named.get("automation")

    def observe(self) -> dg.ExecuteInProcessResult:
        """Runs the job that observes the lake."""
        job = self.definitions.resolve_job_def(OBSERVE_JOB)
        with self.later():
            return job.execute_in_process(instance=self.instance, raise_on_error=False)

    def tick(self, minutes: float = 0.5) -> Requested:
        """Evaluates all policies some minutes later; tells the days of each table asked for."""
        self.ahead += timedelta(minutes=minutes)
        with self.later(), warnings.catch_warnings(action="ignore"):
            return self._asked_by_sensor() if self.sensor else self._asked()

    def _asked_by_sensor(self) -> Requested:
        with dg.build_sensor_context(
            self.instance, cursor=self.cursor, definitions=self.definitions
        ) as context:
            result = self.sensor.evaluate_tick(context)
        self.cursor, self.requests = result.cursor, result.run_requests or []
        graph, requested = self.definitions.resolve_asset_graph(), defaultdict(set)
        for request in self.requests:
            of_run = days_of_tags(_tags(request))
            for key in request.asset_selection or []:
                is_partitioned = graph.get(key).is_partitioned
                days = of_run.each() if of_run and is_partitioned else [None]
                requested[key.path[-1]].update(days)
        return dict(requested)

    def _asked(self) -> Requested:
        result = dg.evaluate_automation_conditions(
            self.definitions, self.instance, cursor=self.cursor, evaluation_time=datetime.now(UTC)
        )
        self.cursor = result.cursor
        requested: Requested = {}
        for key in self.definitions.resolve_asset_graph().get_all_asset_keys():
            if found := result.get_requested_partitions(key):
                requested[key.path[-1]] = {day and date.fromisoformat(day) for day in found}
        return requested

    def run(self, requested: Requested) -> None:
        """Executes what a tick asked for, or some of it, from the lake to the reports."""
        for request in self.requests if self.sensor else ():
            keys = {key for key in request.asset_selection or [] if key.path[-1] in requested}
            if keys:
                self._execute(keys, _tags(request))
        if not self.sensor:
            self._run_in_order(requested)

    def _run_in_order(self, requested: Requested) -> None:
        graph = self.definitions.resolve_asset_graph()
        left = [key for key in graph.toposorted_asset_keys if key.path[-1] in requested]
        while left:
            days, together = requested[left[0].path[-1]], set()
            for key in left:
                waits = (graph.get(key).parent_keys & set(left)) - together
                if requested[key.path[-1]] == days and not waits:
                    together.add(key)
            left = [key for key in left if key not in together]
            for range_ in Days.ranges(day for day in days if day) or [None]:
                self._execute(together, {} if range_ is None else range_tags(range_))

    def settle(self, ticks: int = 20) -> dict[str, list[date | None]]:
        """Ticks and runs until nothing is asked for any more, nor after a while.

        Returns:
            The days that each table was asked for, as often as it was.
        """
        asked: dict[str, list[date | None]] = defaultdict(list)
        requested: Requested | None = None
        for _ in range(ticks):
            was_quiet = requested == {}
            requested = self.tick(A_WHILE if was_quiet else 0.5)
            for name, days in requested.items():
                asked[name] += sorted(days, key=str)
            self.run(requested)
            if was_quiet and not requested:
                return dict(asked)
        raise AssertionError(f"still not settled after {ticks} ticks: {requested}")

    def until_next(self, minutes: int) -> timedelta:
        """How long it is until the clock is at a multiple of so many minutes of the hour."""
        now = datetime.now(UTC) + self.ahead
        passed = timedelta(minutes=now.minute % minutes, seconds=now.second)
        return timedelta(minutes=minutes) - passed

    def _execute(self, keys: Collection[dg.AssetKey], tags: Mapping[str, str]) -> None:
        job = self.definitions.resolve_implicit_job_def_def_for_assets(keys)
        assert job is not None
        with self.later():
            result = job.get_subset(asset_selection=set(keys)).execute_in_process(
                instance=self.instance, raise_on_error=False, tags=dict(tags)
            )
        self.failures += [
            str(event.step_failure_data.user_failure_data or event.step_failure_data.error)
            for event in result.all_events
            if event.is_step_failure
        ]

    def later(self) -> time_machine.travel:
        """The time that it is by this clock."""
        return time_machine.travel(datetime.now(UTC) + self.ahead, tick=True)


def _tags(request: dg.RunRequest) -> Mapping[str, str]:
    of_day = {} if request.partition_key is None else {PARTITION: request.partition_key}
    return {**request.tags, **of_day}


@contextmanager
def copied(instance: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """Another instance, in memory as the first, with the same history."""
    with dg.DagsterInstance.ephemeral() as copy:
        for name in ("run_storage", "event_log_storage"):
            source, target = (
                getattr(each, name)._held_conn.connection.driver_connection
                for each in (instance, copy)
            )
            source.backup(target)
        yield copy
