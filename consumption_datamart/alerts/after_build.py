"""Evaluating alerts at the end of the command `build`: where no daemon runs, nobody else does."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.evaluation import Found, Watched, conclude, read_mart
from consumption_datamart.alerts.instance import (
    OK,
    check_readings,
    check_subject,
    run_readings,
)
from consumption_datamart.alerts.machine import BROKEN, Reading, Transition
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.warehouse import Warehouse

SUBJECT = "the mart"


@dataclass(frozen=True)
class BuildEnd:
    """How a build has ended.

    Attributes:
        problem: what went wrong, in a line; None: nothing.
        watched: all checks; None: it failed before it knew them.
        is_recorded: whether Dagster's instance outlasts the build, and so knows of other runs.
    """

    problem: str | None
    watched: Watched | None
    is_recorded: bool = False


def evaluate_after_build(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    end: BuildEnd,
    settings: AlertSettings,
    log: logging.Logger,
    now: datetime | None = None,
) -> Sequence[Transition]:
    """Reads what can be known here, writes down what has changed, and tells it if it is to.

    Checks that were not evaluated stay as they are. So do other runs, unless the instance outlasts
    the build, and schedules and sensors, of which only the daemon knows whether they should tick.

    Args:
        warehouse: the mart, as readers see it; it keeps the alerts.
        instance: Dagster's, that the build ran in.
        end: how it has ended.
        settings: lines, margins and routes.
        log: where the log route writes.
        now: in UTC, with its time zone; by default the clock's.

    Returns:
        The lines that were crossed.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """

    def readings(now: datetime) -> Found:
        value, told = (BROKEN, end.problem) if end.problem else (OK, "a build has succeeded")
        found = read_mart(warehouse, settings, now)
        found["build"] = [Reading("build", SUBJECT, value, told)]
        if end.watched is not None:
            found["check"] = list(check_readings(instance, end.watched.checks))
            if end.is_recorded:
                found["run"] = list(run_readings(instance, end.watched.build_job, now))
        return found

    checks = end.watched.checks if end.watched else ()
    unread = {("check", check_subject(key)) for key in checks}
    book, is_told = AlertStore(warehouse), settings.delivery.by_build
    return conclude(book, readings, settings, log, now, unread, is_told=is_told)
