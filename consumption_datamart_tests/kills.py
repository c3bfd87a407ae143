"""Killing a build at many points, and comparing every table with what it may hold.

`make kills`, or `python -m consumption_datamart_tests.kills --kills 200`; a test does it with few.
A mart is built of a lake, the lake changes, and the build that follows is killed, or its disk is
full. Each time the warehouse must be as one of the transactions of an undisturbed build left it,
and another build must make of it what the undisturbed one has made.
"""

import argparse
import hashlib
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import combinations
from pathlib import Path

from consumption_datamart.build import build
from consumption_datamart.warehouse import lease
from consumption_datamart_tests import postgres_server, sail_server
from consumption_datamart_tests.contract import CONTRACT
from consumption_datamart_tests.interrupted import (
    BACKEND,
    BYTE,
    COMMIT,
    FULL,
    GONE,
    NO_FOLDER,
    READ_ONLY,
    SERVER,
    STATEMENT,
    TIME,
    Ended,
    Point,
    after_each_transaction,
    apart,
    watch,
)
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ENGINES, build_tables, settings, tables_of

POSTGRES, SPARK = "postgres", "spark"
State = dict[str, str]
"""A hash of the rows of each table."""
NAME = "mart"


def url_of(folder: Path, engine: str) -> str:
    """Where the mart of a folder is; on PostgreSQL in a database of its own."""
    if engine == POSTGRES:
        return postgres_server.url(f"kills_{folder.name.replace('-', '_')}")
    if engine == SPARK:
        return sail_server.url_of(folder / "warehouse")
    return f"{engine}://{folder}/warehouse/{NAME}.{engine}"


def files_of(folder: Path, engine: str) -> list[Path]:
    """The files that hold the tables, the one that is written to last."""
    files = [folder / "warehouse" / f"{NAME}.{engine}"]
    return [*files, files[0].with_name(f"{NAME}.working.{engine}")] if engine == "duckdb" else files


def write_lake(lake: Path) -> None:
    """Three days."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in (1, 2, 3):
        write_dump(lake, "telemetry", day(number), usages(number, quantity=5.0))


DumpWritten = tuple[str, date, list[dict[str, object]], str]
"""Table, day, rows and format of a dump."""


def changes() -> list[DumpWritten]:
    """A day more, a restated one, another name, an amendment, bad rows: all tables change."""
    names = {"customer_name": "New", "product_name": "New"}
    invoices = [invoice(invoice_date=day(2), invoice_id="INV-2", **names)]
    terms = [entitlement(amendment=1, starts_on=day(2)), entitlement(quantity="many")]
    return [
        ("invoices", day(3), invoices, "csv"),
        ("entitlements", day(3), terms, "csv"),
        ("telemetry", day(2), usages(2, quantity=9.0, customer_id="CUST-2"), "csv"),
        ("telemetry", day(4), usages(4, quantity=-1.0), "parquet"),
    ]


def change_lake(lake: Path, dumps: Sequence[DumpWritten]) -> None:
    """Another lake in its place, with these dumps besides or instead."""
    shutil.rmtree(lake)
    write_lake(lake)
    for table, of_day, rows, format in dumps:
        write_dump(lake, table, of_day, rows, format=format)


def usages(number: int, **overrides: object) -> list[dict[str, object]]:
    """Some hundred readings of a day, the last of them another than the others."""
    rows = [usage(event_id=f"EV-{index}", event_ts=noon(number)) for index in range(200)]
    return [*rows, usage(event_id="EV-last", event_ts=noon(number), **overrides)]


def run(folder: Path, engine: str, only: Sequence[str] = ()) -> dict[str, str]:
    """Build the mart, or some tables of it without Dagster; tells what failed."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    lake, url = folder / "lake", url_of(folder, engine)
    lease.LEASE_SECONDS = 2  # so long does one wait on Spark for whoever was killed
    if only:
        build_tables(lake, url, only)
        return {}
    return build(settings(lake, url)).failures


LEDGER = "monitoring.publication"


def state_of(url: str) -> State:
    """What a warehouse holds, but for tables that are about when and not about what."""
    return {
        name: hashlib.blake2b("\n".join(sorted(map(_told, rows))).encode()).hexdigest()
        for name, rows in tables_of(url).items()
        if rows and (not name.startswith("monitoring.") or name == LEDGER)
    }


def _told(row: dict[str, object]) -> str:
    # what is published counts, not how many publications it took
    row = {name: value for name, value in row.items() if name not in ("version", "changed_version")}
    return repr([f"{each:.9g}" if isinstance(each, float) else each for each in row.values()])


def states_of(folder: Path, engine: str) -> list[State]:
    """What each of the files holds, or the database, or the folder of Spark's tables."""
    if engine in (POSTGRES, SPARK):
        return [state_of(url_of(folder, engine))]
    return [
        state_of(f"{engine}://{file}") if file.exists() else {} for file in files_of(folder, engine)
    ]


def states_apart(folder: Path, engine: str) -> list[State]:
    """The same, read in a process of its own.

    Raises:
        AssertionError: they cannot be read.
    """
    ended = apart(states_of, folder, engine)
    assert ended.value is not None, ended
    states: list[State] = ended.value
    return states


@dataclass
class Undisturbed:
    """A build that nothing disturbs.

    Attributes:
        states: of the file that is written to, after each transaction; the first is as it was.
        counted: statements and commits.
        seconds: that it took.
        sizes: of the file at first and at most, in bytes.
    """

    states: list[State]
    counted: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    sizes: tuple[int, int] = (0, 0)


class Mart:
    """A mart whose lake has changed since it was built; copies of it are what is harmed."""

    def __init__(self, folder: Path, engine: str, only: Sequence[str] = ()) -> None:
        """Builds it, and builds a copy as it will be."""
        self.folder, self.engine, self.only = folder / "built", engine, only
        write_lake(self.folder / "lake")
        (self.folder / "warehouse").mkdir()
        url_of(self.folder, engine)  # a server is this process's, and no fork's
        if engine == POSTGRES:
            postgres_server.make_database(url_of(self.folder, engine))
        assert apart(run, self.folder, engine, only) == Ended(value={})
        change_lake(self.folder / "lake", changes())
        self.copy(folder / "will-be")
        ended = apart(record, folder / "will-be", engine, only)
        assert ended.value, ended.error
        self.undisturbed: Undisturbed = ended.value
        self.after = states_apart(folder / "will-be", engine)

    def copy(self, folder: Path) -> Path:
        """Another of the same."""
        shutil.rmtree(folder, ignore_errors=True)
        if self.engine == POSTGRES:
            url, built = (url_of(each, self.engine) for each in (folder, self.folder))
            postgres_server.drop_database(url)
            postgres_server.make_database(url, postgres_server.database_of(built))
        return Path(shutil.copytree(self.folder, folder))

    def is_torn(self, folder: Path, *, is_killed: bool) -> list[str]:
        """The tables, if a file is not as a transaction of the undisturbed build left it.

        A build that is not killed goes on without what has failed: then this holds of each table
        alone, and of the three that a load publishes together; or they are as they would be if
        only a part of the lake had changed.
        """
        ended = apart(states_of, folder, self.engine)
        if ended.value is None:
            return [f"cannot be read: {ended}"]
        whole = self.undisturbed.states
        torn = [state for state in ended.value if state not in whole]
        if is_killed:
            return [difference(state, whole) for state in torn]
        return [
            f"{', '.join(names)}"
            for state in torn
            for names in published_together(whole)
            if parts(state, names) not in [parts(other, names) for other in whole]
            and parts(state, names) not in [parts(other, names) for other in self.partial]
        ]

    @cached_property
    def partial(self) -> list[State]:
        """What builds make of the lake when only some of its dumps have changed."""
        found = []
        for number in range(1, len(changes())):
            for dumps in combinations(changes(), number):
                copy = self.copy(self.folder.with_name("partial"))
                change_lake(copy / "lake", dumps)
                assert apart(run, copy, self.engine, self.only) == Ended(value={})
                found += states_apart(copy, self.engine)
        return found

    def heals(self, folder: Path) -> list[str]:
        """What is left of the harm when the mart was built again."""
        warehouse = folder / "warehouse"
        warehouse.mkdir(exist_ok=True)
        for path in (warehouse, *warehouse.iterdir()):
            path.chmod(path.stat().st_mode | 0o200)
        ended = apart(run, folder, self.engine, self.only)
        if ended != Ended(value={}):
            return [f"is not built again: {ended}"]
        ended = apart(states_of, folder, self.engine)
        if ended.value is None:
            return [f"cannot be read after it was built again: {ended}"]
        found = ended.value
        return [] if found == self.after else [f"not healed: {difference(found[-1], self.after)}"]


def record(folder: Path, engine: str, only: Sequence[str]) -> Undisturbed:
    """Build, and write down what the file holds after each transaction."""

    def size_now() -> int:
        return 0 if engine in (POSTGRES, SPARK) else files_of(folder, engine)[-1].stat().st_size

    found = Undisturbed(states_of(folder, engine)[-1:], sizes=(size_now(), 0))
    watched = [True]

    def after() -> None:
        began, watched[0] = time.monotonic(), False
        state = states_of(folder, engine)[-1]
        found.states += [state] if state != found.states[-1] else []
        found.sizes = (found.sizes[0], max(found.sizes[1], size_now()))
        watched[0] = True
        found.seconds -= time.monotonic() - began

    def count(kind: str) -> None:
        found.counted[kind] += watched[0]

    watch(count)
    after_each_transaction(after)
    started = time.monotonic()
    failures = run(folder, engine, only)
    found.seconds += time.monotonic() - started
    assert failures == {}
    return found


def published_together(states: Sequence[State]) -> set[tuple[str, ...]]:
    """The tables: those of a load together, all others alone; not what is noted of them."""
    names = {name for state in states for name in state if not name.startswith("monitoring.")}
    kinds = ("raw", "quarantine", "files")
    loads = {tuple(f"lake.{kind}_{table}" for kind in kinds) for table in CONTRACT}
    loaded = {name for load in loads for name in load}
    return loads | {(name,) for name in names - loaded}


def parts(state: State, names: Sequence[str]) -> list[str | None]:
    """The hashes of some tables; None of one that is empty."""
    return [state.get(name) for name in names]


def difference(state: State, states: Sequence[State]) -> str:
    """The tables by which a state differs from the one that is most like it."""
    nearest = min(states, key=lambda other: len(state.items() ^ other.items()))
    return ", ".join(sorted({name for name, _ in state.items() ^ nearest.items()}))


def points(
    undisturbed: Undisturbed, engine: str, number: int, chance: random.Random
) -> Iterator[Point]:
    """Points to kill at, spread over a build: of each kind as many, of commits twice that."""
    statements, commits = undisturbed.counted[STATEMENT], undisturbed.counted[COMMIT]
    of_engine = {
        POSTGRES: (STATEMENT, COMMIT, BACKEND, TIME, SERVER),
        SPARK: (STATEMENT, COMMIT, TIME, TIME, COMMIT),
    }
    kinds = of_engine.get(engine, (STATEMENT, COMMIT, BYTE, TIME, COMMIT))
    for index in range(number):
        share = (index + chance.random()) / number
        kind = kinds[index % 5]
        if kind in (STATEMENT, BACKEND, SERVER):
            yield Point(kind, 1 + int(share * statements))
        elif kind == COMMIT:
            yield Point(kind, 1 + int(share * commits), chance.choice([0, 1e-4, 1e-3, 3e-3, 1e-2]))
        elif kind == BYTE:
            yield Point(kind, size(undisturbed, share, index % 2 == 0))
        else:
            yield Point(kind, seconds=share * undisturbed.seconds)


def other_harm(undisturbed: Undisturbed, number: int, chance: random.Random) -> Iterator[Point]:
    """Points at which the disk is full, the file or its folder gone, or neither may be written."""
    for index in range(number):
        share = (index + chance.random()) / number
        yield Point(FULL, size(undisturbed, share, index % 2 == 0))
        for kind in (GONE, NO_FOLDER, READ_ONLY):
            yield Point(kind, 1 + int(share * undisturbed.counted[STATEMENT]))


def size(undisturbed: Undisturbed, share: float, is_log: bool) -> int:
    """A size that a file grows to: the log from nothing, the tables' from what it was."""
    at_first, at_most = undisturbed.sizes
    return (
        int(1000 * (at_most / 1000) ** share)
        if is_log
        else int(at_first + share * (at_most - at_first))
    )


@dataclass(frozen=True)
class Harmed:
    """What became of the harm.

    Attributes:
        fates: how many builds were killed, had no disk left, or came to their end, by kind.
        findings: tables that are torn or do not heal, a line each.
    """

    fates: Counter[str]
    findings: list[str]


def harm(
    folder: Path, engine: str, kills: int, others: int, seed: int = 0, only: Sequence[str] = ()
) -> Harmed:
    """Kill that many builds, and harm others otherwise, four for each of `others`."""
    mart, chance = Mart(folder, engine, only), random.Random(seed)
    fates: Counter[str] = Counter()
    findings = []
    chosen = [
        *points(mart.undisturbed, engine, kills, chance),
        *(() if engine in (POSTGRES, SPARK) else other_harm(mart.undisturbed, others, chance)),
    ]
    for number, point in enumerate(chosen):
        # of its own on Spark: the cluster carries on with the last statement of who was killed
        copy = mart.copy(folder / (f"harmed-{number}" if engine == SPARK else "harmed"))
        ended = apart(run, copy, engine, only, point=point, place=copy / "warehouse")
        if ended.signal not in (None, signal.SIGKILL, signal.SIGXFSZ):
            findings.append(f"{engine}, {point}: the process ended by signal {ended.signal}")
        how = "failed" if ended.error or ended.value else "came to its end"
        fates[f"{engine} {point.kind}: {'killed' if ended.signal else how}"] += 1
        problems = (
            []
            if point.kind in (GONE, NO_FOLDER)
            else mart.is_torn(copy, is_killed=bool(ended.signal))
        )
        findings += [f"{engine}, {point}: {each}" for each in problems + mart.heals(copy)]
    return Harmed(fates, findings)


def main() -> None:
    """Kills and tells what was found; exit code 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="on all engines together")
    parser.add_argument("--others", type=int, default=5, help="of each other harm, on each engine")
    parser.add_argument("--engine", choices=[*ENGINES, POSTGRES, SPARK], action="append")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    engines = options.engine or ENGINES
    started, findings = time.monotonic(), []
    for engine in engines:
        with tempfile.TemporaryDirectory() as folder:
            kills = options.kills // len(engines)
            found = harm(Path(folder), engine, kills, options.others, options.seed)
        print(*(f"{count:5} {fate}" for fate, count in sorted(found.fates.items())), sep="\n")
        findings += found.findings
    print(f"in {time.monotonic() - started:.0f} s")
    print(*findings or ["0 torn tables, 0 rows lost, all healed"], sep="\n")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
