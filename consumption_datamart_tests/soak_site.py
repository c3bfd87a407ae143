"""The deployment of a soak: its storage, code server and daemon; how they are harmed and measured.

They are started as deploy/compose.yaml has it, but for webservers and proxy, and started again when
they die, as `restart: unless-stopped` says.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.retention import prune_instance
from consumption_datamart.runs import UNFINISHED, all_runs
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.compare import Tables, differing
from consumption_datamart_tests.compose_processes import Service
from consumption_datamart_tests.deployed import Deployed, deployed
from consumption_datamart_tests.mart import tables_of

SERVICES = ("storage", "code", "daemon")
RAW = "lake.raw_telemetry"
"""The table that production's readers do without."""
LATER = timedelta(days=2)
"""How far ahead the clock is that Dagster's runs are pruned by, which are to be kept for a day."""
PATIENCE = 900.0
"""Seconds in which the mart must be right: a run that does not start takes five minutes."""


class Site:
    """What is running, and its files."""

    def __init__(self, of: Deployed) -> None:
        """Not yet started."""
        self.of, self.data = of, of.root / "volumes" / "data"
        self.url = f"duckdb://{self.data}/consumption.duckdb"
        self.released = self.data / "consumption.duckdb"
        self.working = self.data / "consumption.working.duckdb"
        self.restarted: list[str] = []
        self.down: set[str] = set()

    def start(self) -> None:
        """Builds the mart by the command, and starts all, each when those before it are well."""
        self.of.engine.up("code")
        self.build()
        self.of.engine.up("daemon")

    def build(self) -> None:
        """The command, beside the code server; it must succeed."""
        words = ["with-secrets", "consumption-datamart", "build"]
        done = self.service("code").run(words, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    def service(self, name: str) -> Service:
        """One of them."""
        return self.of.service(name)

    def stop(self, name: str) -> None:
        """Stops one, until it is started again."""
        self.down.add(name)
        self.service(name).stop()

    def restart(self, name: str) -> None:
        """Starts one again that was stopped."""
        self.down.discard(name)
        self.service(name).start()

    def kill(self, name: str) -> bool:
        """Kills a service with all of its processes, or one process of a run.

        Returns:
            Whether there was anything to kill.
        """
        if name == "run":
            for pid in self.runs_pids():
                os.kill(pid, signal.SIGKILL)
                return True
            return False
        service = self.service(name)
        if (pid := service.pid) is None:
            return False
        service.kill(pid)
        return True

    def keep_up(self) -> None:
        """Starts what has died."""
        for name in SERVICES:
            service = self.service(name)
            if name not in self.down and service.pid is None:
                self.restarted.append(name)
                service.start()

    def runs_pids(self) -> list[int]:
        """Processes of runs: children of the code server."""
        pid = self.service("code").pid
        found = []
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pid else ():
            command = Path(f"/proc/{child}/cmdline")
            if command.exists() and b"spawn_main" in command.read_bytes():
                found.append(int(child))
        return found

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's own view of it."""
        service = self.service("daemon")
        environment = service.environment()
        secret = service.root / "run/secrets/DAGSTER_STORAGE_PASSWORD"
        os.environ["DAGSTER_STORAGE_HOST"] = environment["DAGSTER_STORAGE_HOST"]
        os.environ["DAGSTER_STORAGE_PASSWORD"] = secret.read_text().strip()
        os.environ["DAGSTER_CODE_HOST"] = environment["DAGSTER_CODE_HOST"]
        with dg.DagsterInstance.from_config(str(service.root / "opt" / "dagster")) as instance:
            yield instance

    def unfinished(self, instance: dg.DagsterInstance) -> list[str]:
        """Runs that wait or are under way."""
        runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        return [f"{run.job_name} {run.run_id[:8]} {run.status.value}" for run in runs]

    def failed(self, instance: dg.DagsterInstance) -> set[str]:
        """Ids of the runs that did not succeed."""
        ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        runs = all_runs(instance, dg.RunsFilter(statuses=ended))
        return {record.dagster_run.run_id for record in runs}

    def alerts(self) -> dict[str, str]:
        """What is wrong, as the mart says: summary by signal and subject."""
        known = AlertStore(open_warehouse(self.url).released()).alerts()
        return {
            f"{signal} {subject}": alert.summary
            for (signal, subject), alert in known.items()
            if alert.state.value in ("warning", "alarm")
        }

    def until_right(
        self, instance: dg.DagsterInstance, wanted: Tables, seconds: float = PATIENCE
    ) -> str:
        """Waits until no run is under way and every table is as it is to be.

        Args:
            instance: Dagster's own view of it.
            wanted: what the tables are to hold.
            seconds: that it may take.

        Returns:
            What is still wrong then; nothing, if all is well.
        """
        end, wrong = time.monotonic() + seconds, "nothing was looked at"
        while wrong and time.monotonic() < end:
            time.sleep(2)
            self.keep_up()
            try:
                wrong = str(self.unfinished(instance) or self._unlike(wanted) or "")
            except (duckdb.Error, SQLAlchemyError, OSError) as error:
                wrong = f"{type(error).__name__}: {error}"
        return wrong

    def _unlike(self, wanted: Tables) -> dict[str, list[str]]:
        """Tables that readers see otherwise; then those that only writers have."""
        shown = {name: rows for name, rows in wanted.items() if name != RAW}
        if not self.released.exists():
            return {"all": ["no release is there"]}
        if found := differing(tables_of(self.url), shown):
            return {name: texts[:2] for name, texts in found.items()}
        return differing(tables_of(f"duckdb://{self.working}"), {RAW: wanted[RAW]})

    def prune(self, instance: dg.DagsterInstance) -> str:
        """Runs the command, and prunes Dagster's runs as it does, but as if they were older.

        Returns:
            What was deleted.
        """
        words = ["with-secrets", "consumption-datamart", "prune"]
        done = self.service("code").run(words, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        kept = Settings(keep_runs_days=1, keep_compute_logs_days=1)
        runs = prune_instance(kept, instance, datetime.now(UTC) + LATER)
        return f"{done.stdout.decode().strip()}; {runs} runs"

    def measured(self) -> dict[str, float]:
        """Megabytes: of memory of processes, and of disk."""
        found = {f"{name} memory": self._memory(name) for name in ("code", "daemon")}
        files = {"released": self.released, "warehouse": self.working}
        found |= {name: file.stat().st_size / 1e6 for name, file in files.items() if file.exists()}
        logs = self.of.root.glob("*/opt/dagster/logs/**/*")
        found["logs"] = sum(file.stat().st_size for file in logs if file.is_file()) / 1e6
        return found | {"storage": self._storage()}

    def _memory(self, name: str) -> float:
        pid = self.service(name).pid
        status = Path(f"/proc/{pid}/status").read_text() if pid else ""
        lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(lines[0].split()[1]) / 1e3 if lines else 0.0

    def _storage(self) -> float:
        with self.database() as connection:
            (size,) = connection.execute("SELECT pg_database_size('dagster')").fetchone() or (0,)
        return float(size) / 1e6

    def database(self) -> psycopg.Connection[Any]:
        """Dagster's storage itself."""
        service = self.service("storage")
        password = (service.root / "run/secrets/DAGSTER_STORAGE_PASSWORD").read_text().strip()
        return psycopg.connect(
            host=service.address, user="dagster", dbname="dagster", password=password
        )

    def wait_for_file(self, seconds: float) -> bool:
        """Whether the first release is there in time."""
        end = time.monotonic() + seconds
        while not self.released.exists() and time.monotonic() < end:
            self.keep_up()
            time.sleep(1)
        return self.released.exists()


@contextmanager
def site(lake: Path, start_day: str, **of_mart: object) -> Iterator[Site]:
    """A deployment with limits to what is kept, and reports every minute; not yet started."""
    settings = {"MART_ENV": "production", "MART_KEEP_RUNS_DAYS": "1", "MART_KEEP_LOGS_DAYS": "1"}
    named = {
        "start_day": start_day,
        "refresh_minutes": 1,
        "load_attempts": 2,
        "load_retry_seconds": 1,
        **of_mart,
    }
    lines = {f"CONSUMPTION_DATAMART_{name.upper()}": str(value) for name, value in named.items()}
    with deployed(lake, settings, lines) as found:
        yield Site(found)
