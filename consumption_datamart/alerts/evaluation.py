"""One evaluation: what is read, what becomes of the alerts by it, and who is told."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from consumption_datamart.alerts.changes import WhoReads, schema_readings
from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.instance import (
    automation_readings,
    check_readings,
    run_readings,
    show_anomalies,
)
from consumption_datamart.alerts.machine import BROKEN, Alert, Reading, Transition, observe
from consumption_datamart.alerts.mart import (
    Limits,
    anomaly_readings,
    budget_readings,
    commitment_readings,
    consumption_readings,
    dump_readings,
)
from consumption_datamart.alerts.routes import Told, deliver, is_for
from consumption_datamart.alerts.store import AlertStore, Key
from consumption_datamart.private import latest_checks
from consumption_datamart.warehouse import Warehouse

COMPLETE = ("check", "run", "budget", "dump", "anomaly", "file", "consumption", "commitment")
"""Signals that are read in full: what they no longer speak of is over."""
Found = dict[str, list[Reading]]
"""Readings by signal; a signal that cannot be read now is left out, and its alerts stay."""


OFTEN = 60
"""Seconds between two ticks, at most, of what is taken for dead when it does not tick."""


@dataclass(frozen=True)
class Watched:
    """What alerts look at, of the code location.

    Attributes:
        checks: all asset checks.
        automation: the schedules and sensors that should be running, see `ticking`.
        build_job: name of the job that builds everything.
        limits: days after which dumps are late, and what is still usual.
        broken: why files of a team's folder do not load, by name.
        who_reads: of a table and its changes; None: these are not told.
    """

    checks: Collection[dg.AssetCheckKey]
    automation: Mapping[str, bool]
    build_job: str
    limits: Limits
    broken: Mapping[str, str] = field(default_factory=dict)
    who_reads: WhoReads | None = None


def ticking(
    schedules: Iterable[dg.ScheduleDefinition], sensors: Iterable[dg.SensorDefinition]
) -> dict[str, bool]:
    """Schedules and sensors by name: whether they tick every few minutes, or seldom."""
    often = {each.name: str(each.cron_schedule).split()[1:] == ["*"] * 4 for each in schedules}
    of_sensors = {each.name: (each.minimum_interval_seconds or 0) <= OFTEN for each in sensors}
    return often | of_sensors


@dataclass(frozen=True)
class Change:
    """What an evaluation makes of the alerts.

    Attributes:
        alerts: all that are known then.
        transitions: lines that were crossed.
    """

    alerts: Sequence[Alert]
    transitions: Sequence[Transition]


def read(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    watched: Watched,
    settings: AlertSettings,
    now: datetime,
) -> Found:
    """All readings, by signal; a signal that cannot be read now is left out.

    Args:
        warehouse: the mart.
        instance: Dagster's.
        watched: what to look at.
        settings: lines and margins.
        now: in UTC, with its time zone.
    """
    silent = timedelta(minutes=settings.automation.silent_minutes)
    found = {
        "check": list(check_readings(latest_checks(instance, watched.checks))),
        "run": list(run_readings(instance, watched.build_job, now)),
        "file": [Reading("file", name, BROKEN, why) for name, why in watched.broken.items()],
        "automation": list(automation_readings(instance, watched.automation, silent, now)),
    }
    mart = read_mart(warehouse, settings, watched.limits, now, watched.who_reads, instance)
    return found | mart


def read_mart(
    warehouse: Warehouse,
    settings: AlertSettings,
    limits: Limits,
    now: datetime,
    who_reads: WhoReads | None = None,
    instance: dg.DagsterInstance | None = None,
) -> Found:
    """The readings that need no Dagster, see `read`."""
    days, naive = timedelta(days=settings.changes.days), now.replace(tzinfo=None)
    found = {
        "budget": budget_readings(warehouse, settings),
        "dump": dump_readings(warehouse, limits, now.date()),
        "anomaly": anomaly_readings(warehouse, limits, now),
        "consumption": consumption_readings(warehouse, settings, now.date()),
        "commitment": commitment_readings(warehouse, settings, now.date()),
        "schema": who_reads and schema_readings(warehouse, who_reads, days, naive, instance),
    }
    return {signal: list(each) for signal, each in found.items() if each is not None}


def judge(
    known: dict[Key, Alert], found: Found, now: datetime, unread: AbstractSet[Key] = frozenset()
) -> Change:
    """What becomes of the alerts by the readings; pure.

    Args:
        known: the alerts, by signal and subject.
        found: the readings, by signal.
        now: in UTC, without a time zone.
        unread: what stays as it is where there is no reading of it.
    """
    after, transitions = dict(known), []
    readings = {(each.signal, each.subject): each for all_ in found.values() for each in all_}
    for (signal, subject), alert in known.items():
        is_read = signal in COMPLETE and signal in found and (signal, subject) not in unread
        if is_read and alert.is_open:
            over = Reading(signal, subject, 0.0, f"over: {alert.summary}", ())
            readings.setdefault((signal, subject), over)
    for key, reading in readings.items():
        alert_after, transition = observe(known.get(key), reading, now)
        if alert_after is not None:
            after[key] = alert_after
        if transition is not None:
            transitions.append(transition)
    return Change(list(after.values()), transitions)


def evaluate(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    watched: Watched,
    settings: AlertSettings,
    log: logging.Logger,
    now: datetime | None = None,
) -> Sequence[Transition]:
    """Reads, writes down what has changed, and tells it; and what could not be told before.

    Args:
        warehouse: the mart, which keeps the alerts.
        instance: Dagster's.
        watched: what to look at.
        settings: lines, margins and routes.
        log: where the log route writes.
        now: in UTC, with its time zone; by default the clock's.

    Returns:
        The lines that were crossed.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """

    def readings(now: datetime) -> Found:
        return read(warehouse, instance, watched, settings, now)

    transitions = conclude(AlertStore(warehouse), readings, settings, log, now)
    show_anomalies(instance, transitions)
    return transitions


def conclude(
    book: AlertStore,
    readings: Callable[[datetime], Found],
    settings: AlertSettings,
    log: logging.Logger,
    now: datetime | None = None,
    unread: AbstractSet[Key] = frozenset(),
    *,
    is_told: bool = True,
) -> Sequence[Transition]:
    """Writes down what becomes of the alerts, and tells it.

    Args:
        book: where they are kept.
        readings: reads as of a time, in UTC, with its time zone.
        settings: margins and routes.
        log: where the log route writes.
        now: in UTC, with its time zone; by default the clock's.
        unread: what stays as it is where there is no reading of it.
        is_told: whether it is told now; else by the next evaluation that tells.

    Returns:
        The lines that were crossed.

    Raises:
        WarehouseError: the alerts cannot be read or written.
    """
    with book.turn():
        now = now or datetime.now(UTC)
        known, naive = book.alerts(), now.replace(tzinfo=None)
        change = judge(known, readings(now), naive, unread)
        if list(known.values()) != change.alerts:
            routes = [
                (each, [route.name for route in settings.route if is_for(route, each)])
                for each in change.transitions
            ]
            book.write(change.alerts, routes)
        book.mark_evaluated(naive)
        if is_told:
            tell(book, settings, log)
    return change.transitions


def tell(book: AlertStore, settings: AlertSettings, log: logging.Logger) -> None:
    """Tells each route what it has not been told; one that is down holds up no other."""
    pending = book.pending()
    if pending.empty:
        return
    done = {}
    for name in {name for names in pending.undelivered for name in names.split(",")}:
        mine = pending[[name in names.split(",") for names in pending.undelivered]]
        told = [
            Told(*row)
            for row in mine.drop(columns="undelivered").itertuples(index=False, name=None)
        ]
        route = next((each for each in settings.route if each.name == name), None)
        if route is None or deliver(route, told, settings.delivery, log):
            done[name] = {(each.crossed_at, each.signal, each.subject) for each in told}
    if done:
        book.delivered(done)
