"""Evaluating alerts at the end of the command `build`: where no daemon runs, nobody else does."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from consumption_datamart.alerts.changes import WhoReads
from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.evaluation import Found, conclude, judge, read_mart
from consumption_datamart.alerts.instance import (
    OK,
    check_readings,
    check_subject,
    run_readings,
    show_anomalies,
)
from consumption_datamart.alerts.machine import BROKEN, Reading, Transition
from consumption_datamart.alerts.mart import Limits
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.private import LatestCheck, latest_checks
from consumption_datamart.warehouse import Warehouse

SUBJECT = "the mart"


@dataclass(frozen=True)
class BuildEnd:
    """How a build has ended.

    Attributes:
        problem: what went wrong, in a line; None: nothing.
        limits: days after which dumps are late, and what is still usual.
        checks: all that there are; None: it failed before it knew them.
        evaluations: of checks by the build, the last of each last.
        instance: Dagster's, that keeps a record of it, and so knows of other runs; None: none does.
        build_job: name of the job that builds everything.
        who_reads: of a table and its changes; None: these are not told.
    """

    problem: str | None
    limits: Limits
    checks: Collection[dg.AssetCheckKey] | None = None
    evaluations: Sequence[dg.AssetCheckEvaluation] = ()
    instance: dg.DagsterInstance | None = None
    build_job: str = ""
    who_reads: WhoReads | None = None


def evaluate_after_build(
    warehouse: Warehouse,
    end: BuildEnd,
    settings: AlertSettings,
    log: logging.Logger,
    now: datetime | None = None,
) -> Sequence[Transition]:
    """Reads what can be known here, writes down what has changed, and tells it if it is to.

    Checks that were not evaluated stay as they are. So do other runs, unless Dagster keeps a record
    of them, and schedules and sensors, of which only the daemon knows whether they should tick.

    Args:
        warehouse: the mart, as readers see it; it keeps the alerts.
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
        return _readings(warehouse, end, settings, now)

    book, is_told = AlertStore(warehouse), settings.delivery.by_build
    transitions = conclude(book, readings, settings, log, now, _unread(end), is_told=is_told)
    if end.instance is not None:
        show_anomalies(end.instance, transitions)
    return transitions


def would_tell(
    warehouse: Warehouse, copied: Warehouse, end: BuildEnd, settings: AlertSettings
) -> Sequence[Transition]:
    """The lines that a build has crossed in a copy of the mart; nothing is written or told.

    Args:
        warehouse: the mart, as readers see it; it keeps the alerts.
        copied: the copy that was built.
        end: how that has ended.
        settings: lines and margins.
    """
    now = datetime.now(UTC)
    found = _readings(copied, end, settings, now)
    known = AlertStore(warehouse).alerts()
    return judge(known, found, now.replace(tzinfo=None), _unread(end)).transitions


def _readings(warehouse: Warehouse, end: BuildEnd, settings: AlertSettings, now: datetime) -> Found:
    value, told = (BROKEN, end.problem) if end.problem else (OK, "a build has succeeded")
    found = read_mart(warehouse, settings, end.limits, now, end.who_reads, end.instance)
    found["build"] = [Reading("build", SUBJECT, value, told)]
    if end.checks is not None and end.instance is not None:
        found["check"] = list(check_readings(latest_checks(end.instance, end.checks)))
        found["run"] = list(run_readings(end.instance, end.build_job, now))
    elif end.checks is not None:
        latest = {
            each.asset_check_key: LatestCheck(False, each)
            for each in end.evaluations
            if each.asset_check_key in end.checks
        }
        found["check"] = list(check_readings(latest))
    return found


def _unread(end: BuildEnd) -> set[tuple[str, str]]:
    """What stays as it is where there is no reading of it."""
    return {("check", check_subject(key)) for key in end.checks or ()}
