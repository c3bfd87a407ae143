"""The deployment while something is missing: disk, the right time, the daemon for a week."""

import os
import re
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import dagster as dg
import pytest

from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import tables_of, without_monitoring
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.soak_site import Site, site

pytestmark = pytest.mark.deploy
MANY, LONG = 1_500, 4_800
"""Readings, and the bits of the id of each: too much for a file that may not grow."""
DAY = 86_400
WORKSPACE = ("-w", "/opt/dagster/workspace.yaml", "-l", "consumption_datamart")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A mart of two days, with raw telemetry among what readers see."""
    lake = tmp_path_factory.mktemp("outages") / "lake"
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in (1, 2):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    with site(lake, str(day(1))) as found:
        found.start()
        yield found


@pytest.fixture
def instance(running: Site) -> Iterator[dg.DagsterInstance]:
    """Dagster's own view; the mart is right before."""
    with running.instance() as opened:
        is_right(running, opened)
        yield opened


def lake_of(running: Site) -> Path:
    """Its folder."""
    return running.of.deploy.parent / "lake"


def is_right(running: Site, instance: dg.DagsterInstance) -> None:
    """Waits until all tables are what the oracle makes of the lake, and no run is under way."""
    assert running.until_right(instance, expected_tables(lake_of(running))) == ""


def arrives(running: Site, number: int, rows: int = 1) -> None:
    """A dump of that many readings, no two of which can be pressed into one."""
    chance = Random(number)
    readings = [
        usage(event_id=f"{chance.getrandbits(LONG):x}", event_ts=noon(number), quantity=4.0)
        for _ in range(rows)
    ]
    write_dump(lake_of(running), "telemetry", day(number), readings)


def last_day(running: Site) -> int:
    """The number of the lake's last day."""
    last = max(file.stem for file in (lake_of(running) / "telemetry").iterdir())
    return next(number for number in range(1, 400) if str(day(number)) == last)


def limit(running: Site, service: str, size: int) -> None:
    """No file of a service, and of what it starts from now on, grows beyond so many bytes."""
    pid = running.service(service).pid
    assert pid is not None
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


def wait(until: object, what: str, seconds: float = 300) -> None:
    """Waits until something is so."""
    assert callable(until)
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, f"{what}: not in {seconds} s"
        time.sleep(2)


def dagster(running: Site, *words: str, text: bytes = b"") -> None:
    """A command of Dagster's in the service of the daemon, told a text; it must succeed."""
    command = ["with-secrets", "dagster", *words]
    done = running.service("daemon").run(command, capture_output=True, input=text)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def was_ahead(running: Site) -> None:
    """Makes Dagster remember its ticks as if its clock had been a day ahead then."""
    with running.database() as database:
        rows = database.execute("SELECT id, instigator_body FROM instigators").fetchall()
        for row_id, body in rows:
            later = re.sub(
                r'("last_tick(?:_start)?_timestamp": )([0-9.]+)',
                lambda found: f"{found[1]}{float(found[2]) + DAY}",
                body,
            )
            update = "UPDATE instigators SET instigator_body = %s WHERE id = %s"
            database.execute(update, (later, row_id))


def test_a_week_without_a_daemon_is_caught_up_and_nothing_is_loaded_twice(
    running: Site, instance: dg.DagsterInstance
) -> None:
    first = last_day(running) + 1
    running.stop("daemon")
    for number in range(first, first + 7):
        arrives(running, number)
    running.restart("daemon")
    is_right(running, instance)
    key = dg.AssetKey(["lake", "raw_telemetry"])
    records = instance.fetch_materializations(key, limit=1000).records
    loaded = [record.partition_key for record in records]
    new = [str(day(number)) for number in range(first, first + 7)]
    assert sorted(each for each in loaded if each in new) == new


def test_a_full_disk_fails_the_run_and_takes_nothing_with_it(
    running: Site, instance: dg.DagsterInstance
) -> None:
    shown, failed = without_monitoring(tables_of(running.url)), running.failed(instance)
    limit(running, "code", running.working.stat().st_size)
    number = last_day(running) + 1
    arrives(running, number, MANY)
    wait(lambda: running.failed(instance) - failed, "the run has failed")
    (run_id, *_) = running.failed(instance) - failed
    said = " ".join(str(entry.dagster_event) for entry in instance.all_logs(run_id))
    assert "File too large" in said
    wait(lambda: any(each.startswith("run") for each in running.alerts()), "it is alerted")
    assert without_monitoring(tables_of(running.url)) == shown
    # there is room again; what has failed is not asked for again before its dump changes
    limit(running, "code", resource.RLIM_INFINITY)
    running.build()
    is_right(running, instance)
    wait(lambda: not any(e.startswith("run") for e in running.alerts()), "the alert is over")


def test_a_run_that_is_to_start_while_the_code_server_is_away_waits_for_it(
    running: Site, instance: dg.DagsterInstance
) -> None:
    failed = running.failed(instance)
    running.stop("daemon")
    dagster(running, "job", "launch", *WORKSPACE, "-j", "observe_lake")
    assert len(running.unfinished(instance)) == 1
    running.stop("code")
    running.restart("daemon")
    log, asks = running.of.root / "daemon.log", "Caught an error dequeuing run"
    before = log.read_text().count(asks)
    wait(lambda: log.read_text().count(asks) > before, "it is to start")
    running.restart("code")
    is_right(running, instance)
    assert running.failed(instance) == failed


def test_after_a_clock_that_was_ahead_sensors_wait_until_their_ticks_are_forgotten(
    running: Site, instance: dg.DagsterInstance
) -> None:
    failed = running.failed(instance)
    running.stop("daemon")
    was_ahead(running)
    running.restart("daemon")
    arrives(running, last_day(running) + 1)
    assert running.until_right(instance, expected_tables(lake_of(running)), 60) != ""
    dagster(running, "schedule", "wipe", text=b"DELETE\n")
    is_right(running, instance)
    assert running.failed(instance) == failed


def test_a_full_disk_of_dagsters_storage_loses_nothing(
    running: Site, instance: dg.DagsterInstance
) -> None:
    storage = running.service("storage")
    pid = storage.pid
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        # as its own user: to limit another's takes a right that not every root has
        limit = ["prlimit", f"--pid={each}", "--fsize=1000000:"]
        assert storage.run(limit).returncode == 0
    arrives(running, last_day(running) + 1)
    log = running.of.root / "storage.log"
    wait(lambda: "File too large" in log.read_text(), "the disk is full")
    running.down.add("storage")
    time.sleep(20)
    if (left := running.service("storage").pid) is not None:
        os.kill(left, signal.SIGQUIT)
        wait(lambda: running.service("storage").pid is None, "the storage has ended", 60)
    # there is room again
    running.restart("storage")
    is_right(running, instance)
