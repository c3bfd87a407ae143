"""The mart and its peers: how each builds all tables of a lake, as a process."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lakes import MART_COMMAND, PROJECT, clean_environment
from benchmarks.measure import Measurement, measure

PEERS = PROJECT / "benchmarks" / "peers"
PANDAS_ROWS = 2_000_000
"""Rows of telemetry beyond which pandas is left out."""


@dataclass(frozen=True)
class Task:
    """What is to be built.

    Attributes:
        lake: folder with the dumps.
        file: DuckDB file to write.
        memory_limit: of DuckDB.
    """

    lake: Path
    file: Path
    memory_limit: str


@dataclass(frozen=True)
class Contestant:
    """One way to build the mart.

    Attributes:
        name: of it, and of its file.
        command: program and arguments that do a task.
        environment: variables that the program reads.
        max_rows: rows of telemetry beyond which it is left out.
    """

    name: str
    command: Callable[[Task], list[str]]
    environment: Callable[[Task], Mapping[str, str]] = field(default=lambda _: {})
    max_rows: int | None = None

    def run(
        self, lake: Path, folder: Path, memory_limit: str, *, is_anew: bool = True
    ) -> tuple[Path, Measurement]:
        """Builds a lake's mart, anew or what is new; returns the file and what it took.

        Raises:
            ProcessFailed: the process failed.
        """
        file = folder / f"{self.name}.duckdb"
        for left in folder.glob(f"{self.name}.*duckdb*") if is_anew else ():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        task = Task(lake, file, memory_limit)
        environment = {**clean_environment(), **self.environment(task)}
        log = folder / f"{self.name}.log"
        return file, measure(self.command(task), PROJECT, log, environment)


MART = Contestant(
    "mart",
    lambda task: [
        *MART_COMMAND,
        "build",
        f"--lake={task.lake}",
        f"--warehouse=duckdb://{task.file}",
    ],
    lambda task: {"CONSUMPTION_DATAMART_MEMORY_LIMIT": task.memory_limit},
)
ALL_MEMORY = "80%"
"""What DuckDB takes where no limit is set."""


def _sql(name: str, *more: str, memory_limit: str | None = None) -> Contestant:
    def command(task: Task) -> list[str]:
        limit = memory_limit or task.memory_limit
        module = [sys.executable, "-m", "benchmarks.peers.sql"]
        return [*module, str(task.lake), str(task.file), limit, *more]

    return Contestant(name, command)


def _dbt(name: str, memory_limit: str | None = None) -> Contestant:
    def command(task: Task) -> list[str]:
        written = task.file.parent / name
        return [
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            "--no-version-check",
            "build",
            f"--project-dir={PEERS / 'dbt'}",
            f"--profiles-dir={PEERS / 'dbt'}",
            f"--target-path={written / 'target'}",
            f"--log-path={written / 'logs'}",
        ]

    def environment(task: Task) -> dict[str, str]:
        return {
            "BENCHMARK_LAKE": str(task.lake),
            "BENCHMARK_FILE": str(task.file),
            "BENCHMARK_MEMORY_LIMIT": memory_limit or task.memory_limit,
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }

    return Contestant(name, command, environment)


SQL, SQL_UNLIMITED = _sql("sql"), _sql("sql-unlimited", memory_limit=ALL_MEMORY)
SQL_TUNED = _sql("sql-tuned", "tuned", memory_limit=ALL_MEMORY)
DBT, DBT_UNLIMITED = _dbt("dbt"), _dbt("dbt-unlimited", ALL_MEMORY)
PANDAS = Contestant(
    "pandas",
    lambda task: [
        sys.executable,
        "-m",
        "benchmarks.peers.pandas",
        str(task.lake),
        str(task.file),
    ],
    max_rows=PANDAS_ROWS,
)
CONTESTANTS = (MART, SQL, SQL_UNLIMITED, SQL_TUNED, DBT, DBT_UNLIMITED, PANDAS)
