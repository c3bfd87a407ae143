"""How long the automation takes over a lake of many dumps: observing, and evaluating policies."""

import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from benchmarks.lakes import MART_COMMAND, clean_environment
from benchmarks.measure import measure
from consumption_datamart.definitions import build_definitions
from consumption_datamart.factories import OBSERVE_JOB
from consumption_datamart.settings import Settings
from consumption_datamart.simulation import simulate

MB = 1024.0
"""Kilobytes, in which Linux counts memory."""


@dataclass(frozen=True)
class Figure:
    """What was measured, and what it came to."""

    what: str
    seconds: float
    megabytes: float


def automation_figures(days: int, ticks: int, folder: Path, sources: int = 3) -> Iterator[Figure]:
    """Observes a lake of so many days, and ticks before and after its mart is built.

    Dagster's history is in SQLite, as `dagster dev` has it. Memory is this process's, so far.

    Args:
        days: of the lake; each has a dump of each source.
        ticks: to evaluate when nothing happens.
        folder: for the lake and for Dagster's history; empty.
        sources: of the lake: one of invoices, one of entitlements, and of telemetry all others.
    """
    last = datetime.now(UTC).date() - timedelta(days=1)
    lake, first = folder / "lake", last - timedelta(days=days - 1)
    simulate(
        lake,
        days=days,
        end=last,
        customers=10,
        products=3,
        rows_per_day=10,
        format="csv",
        extras=False,
    )
    name = _divide(lake / "telemetry", sources - 2)
    warehouse = f"duckdb://{folder}/mart.duckdb"
    settings = Settings(lake=str(lake), warehouse=warehouse, start_day=first)
    definitions = build_definitions(settings)
    home = folder / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        tick = _ticking(definitions, instance)
        tick()

        def observe() -> None:
            job = definitions.resolve_job_def(OBSERVE_JOB)
            job.execute_in_process(instance=instance)

        def build() -> None:
            command = [*MART_COMMAND, "build", f"--lake={lake}", f"--warehouse={warehouse}"]
            measure(command, folder, folder / "log", clean_environment())

        yield _timed("first observation", observe)
        yield _timed("observation of a lake that is as it was", observe)
        yield _timed("tick that asks for everything", tick)
        yield _timed("build by the command", build)
        observe()
        tick()
        yield _timed("tick when nothing happens", tick)
        dump = lake / name / f"{first}.csv"
        dump.write_text(dump.read_text() + "\n")
        yield _timed("observation of one changed dump", observe)
        yield _timed("tick after it", tick)
        yield _timed(f"{ticks // 2} ticks more", lambda: [tick() for _ in range(ticks // 2)])
        yield _timed(f"{ticks // 2} ticks more", lambda: [tick() for _ in range(ticks // 2)])


def _divide(dumps: Path, sources: int) -> str:
    """As many sources of telemetry, with the same dumps; the name of the last."""
    entry = '[[telemetry]]\nname = "{0}"\nfiles = "{0}/{{day:%Y-%m-%d}}.csv"\n'
    names = [dumps.name, *(f"{dumps.name}_{number}" for number in range(2, sources + 1))]
    for name in names[1:]:
        shutil.copytree(dumps, dumps.parent / name)
    if len(names) > 1:
        (dumps.parent / "lake.toml").write_text("".join(entry.format(name) for name in names))
    return names[-1]


def _timed(what: str, do: Callable[[], object]) -> Figure:
    begun = time.perf_counter()
    do()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    return Figure(what, time.perf_counter() - begun, peak)


def _ticking(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Callable[[], None]:
    """Evaluates the sensor as the code server does, with the cursor of the tick before."""
    sensor = definitions.get_sensor_def("automation")
    cursor: str | None = None

    def tick() -> None:
        nonlocal cursor
        with dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            repository_def=definitions.get_repository_def(),
        ) as context:
            cursor = sensor.evaluate_tick(context).cursor

    return tick
