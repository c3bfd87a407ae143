"""A soak: months of dumps pass through the deployment in minutes, while its processes are killed.

`make soak`, or `python -m consumption_datamart_tests.soak --minutes 30 --days 90 --seed 1`; a test
does it in short. Some days of dumps arrive; once the mart is quiet again every table is compared
with what the oracle makes of the lake, runs and alerts with what was done to them, and memory and
disk are measured. Two readers never rest. What arrives and who is killed follows from the seed;
what a run was about when it was killed does not.
"""

import argparse
import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import linear_regression

import dagster as dg

from consumption_datamart_tests.compare import Tables
from consumption_datamart_tests.compose_processes import PROJECT
from consumption_datamart_tests.lakes import day
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.soak_lake import SoakLake
from consumption_datamart_tests.soak_site import PATIENCE, RAW, Site, site

KEPT, KEPT_ASIDE = 30, 35
"""Days that raw telemetry, and what was set aside of it, is kept."""
PRUNED_EVERY = 10
READERS = 2
ASIDE = "lake.quarantine_telemetry"
A_YEAR = {"warehouse": 400, "released": 400, "storage": 1000}
"""Megabytes that a year of such days may add to files: little beside the disk of any server."""
MORE_MEMORY = 0.1
"""By what share the memory of a process may grow in the second half of the days."""


def chunks(days: int, most: int, seed: int) -> list[int]:
    """How many days arrive at once, one after the other; once it is a week without a daemon."""
    chance, found = Random(seed), []
    left = days - 1
    while left > 0:
        found.append(min(left, chance.randint(1, most)))
        left -= found[-1]
    if days > 14:
        found[len(found) // 2] = 7
    return found


def expected(lake: SoakLake, pruned_at: int) -> Tables:
    """What the oracle says, without what was pruned when the mart's last day was that."""
    tables = expected_tables(lake.whole)
    for name, kept in ((RAW, KEPT), (ASIDE, KEPT_ASIDE)):
        first = day(max(1, pruned_at - kept + 1)) if pruned_at else day(1)
        tables[name] = [row for row in tables[name] if row["dump_day"] >= first]  # type: ignore[operator]
    for name, rows in tables.items():
        if name.startswith("lake.quarantine"):
            # the oracle's lake is of other files
            tables[name] = [
                {k: v for k, v in row.items() if k not in ("file", "line")} for row in rows
            ]
    return tables


@dataclass
class Soak:
    """What was seen."""

    of: Site
    lake: SoakLake
    seed: int
    days: int
    findings: list[str] = field(default_factory=list)
    samples: list[dict[str, float]] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    pruned_at: int = 0

    def round(self, number: int, days: int, instance: dg.DagsterInstance, *, is_away: bool) -> None:
        """Some days arrive, something is killed, and all is well again."""
        begun, chance = time.monotonic(), Random(f"{self.seed} round {number}")
        before, was_bad = self.of.failed(instance), self.lake.is_bad
        self.lake.mend()
        if is_away:
            self.of.stop("daemon")
        happened = [each for _ in range(days) for each in self.lake.arrive(self.lake.last + 1)]
        if is_away:
            self.of.restart("daemon")
            happened.append("the daemon was away")
        killed = self._kill(chance)
        restarted = len(self.of.restarted)
        told = f"day {self.lake.last}"
        if wrong := self.of.until_right(instance, expected(self.lake, self.pruned_at)):
            self._found(f"{told}: not right in time: {wrong[:900]}")
        failed = self.of.failed(instance) - before
        is_excused = killed or was_bad or self.lake.is_bad or is_away
        if failed and not is_excused:
            self._found(f"{told}: runs failed for no reason: {sorted(failed)}")
        self._alerts(told)
        if self.lake.last - self.pruned_at >= PRUNED_EVERY and not self.lake.is_bad:
            happened += self._prune(instance)
        took = time.monotonic() - begun
        sample = {"day": self.lake.last, "seconds": took, **self.of.measured()}
        self.samples.append(sample)
        figures = ", ".join(
            f"{name} {value:.1f}" for name, value in sample.items() if name != "day"
        )
        died = self.of.restarted[restarted:]
        more = [*happened, *(f"{each} killed" for each in killed)]
        more += [f"{each} was started again" for each in died]
        print(f"{told}: {figures}; {len(failed)} runs failed; {'; '.join(more)}", flush=True)

    def _found(self, finding: str) -> None:
        print(f"FOUND {finding}", flush=True)
        self.findings.append(finding)

    def _kill(self, chance: Random) -> list[str]:
        """Kills nothing, a run, or in the first half of the days a service."""
        if not self.samples or chance.random() < 0.4:
            return []  # what is built first is looked at in peace
        is_early = self.lake.last < self.days / 2
        victim = chance.choice(
            ("run", "run", "code", "daemon", "storage") if is_early else ("run",)
        )
        wait, end = chance.uniform(0, 5 if victim == "run" else 40), time.monotonic() + 60
        while victim == "run" and not self.of.runs_pids() and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(wait)
        if not self.of.kill(victim):
            return []
        self.kills.append(victim)
        time.sleep(1)
        self.of.keep_up()
        return [victim]

    def _alerts(self, told: str) -> None:
        """A dump that cannot be read is alerted, nothing that was killed is for long."""
        end = time.monotonic() + 200
        while True:
            open_ = {
                each
                for each in self.of.alerts()
                if each.startswith(("run", "automation", "schema"))
            }
            if bool(open_) == self.lake.is_bad:
                return
            if time.monotonic() > end:
                break
            time.sleep(2)
            self.of.keep_up()
        said = sorted(open_) or "nothing of a dump that cannot be read"
        self._found(f"{told}: the alerts say {said}")

    def _prune(self, instance: dg.DagsterInstance) -> list[str]:
        """As every night, but some days at once; the lake forgets its closed dumps, too."""
        told = self.of.prune(instance).splitlines()
        self.pruned_at = self.lake.last
        self.lake.forget(self.pruned_at - KEPT)
        return [f"pruned: {'; '.join(told)}"]

    def growth(self) -> dict[str, float]:
        """Megabytes a day in the second half, in which no service was killed."""
        half = [each for each in self.samples if each["day"] > self.days / 2]
        if len(half) < 3:
            return {}
        days = [each["day"] for each in half]
        names = [name for name in half[0] if name not in ("day", "seconds")]
        return {
            name: linear_regression(days, [e.get(name, 0) for e in half]).slope for name in names
        }

    def judge_growth(self) -> None:
        """Finds what grows beyond what can be defended."""
        for name, megabytes in self.growth().items():
            print(f"{name} grows by {megabytes:+.3f} MB a day in the second half")
            limit, now = A_YEAR.get(name), self.samples[-1].get(name, 0)
            if limit and megabytes * 365 > limit:
                self._found(f"{name}: {megabytes * 365:.0f} MB a year, at most {limit}")
            if name.endswith("memory") and megabytes * self.days / 2 > MORE_MEMORY * now:
                self._found(f"{name} grows by {megabytes:.2f} MB a day")


@contextmanager
def readers(file: Path, findings: list[str]) -> Iterator[None]:
    """Processes that read the whole time; what they find is added at the end."""
    command = [sys.executable, "-m", "consumption_datamart_tests.soak_reader", str(file)]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": PROJECT}
    processes = [subprocess.Popen(command, **how) for _ in range(READERS)]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
    for process in processes:
        *found, last = process.communicate(timeout=60)[0].splitlines() or [""]
        try:
            told = json.loads(last)
            print(
                f"a reader: {told['reads']} reads of {told['versions']} releases,"
                f" the slowest in {told['slowest']:.1f} s"
            )
        except (ValueError, KeyError):
            found.append(last)
        findings += [f"a reader: {each}" for each in found[:5]]


def soak(days: int, minutes: float, seed: int, most: int = 6) -> Soak:
    """Soaks the deployment; tells what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        lake = SoakLake(Path(folder), seed)
        kept = {"keep_raw_days": KEPT, "keep_quarantine_days": KEPT_ASIDE}
        with site(lake.lake, str(day(1)), **kept) as of:
            lake.lake = of.of.deploy.parent / "lake"
            seen = Soak(of, lake, seed, days)
            of.start()
            begun = time.monotonic()
            with of.instance() as instance, readers(of.released, seen.findings):
                of.wait_for_file(PATIENCE)
                parts = chunks(days, most, seed)
                for number, part in enumerate(parts):
                    is_away = days > 14 and number == len(parts) // 2
                    seen.round(number, part, instance, is_away=is_away)
                    due = begun + 60 * minutes * lake.last / days
                    while time.monotonic() < due:
                        of.keep_up()
                        time.sleep(1)
    return seen


def main() -> None:
    """Soaks, and tells what was found; exit code 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="it takes at least")
    parser.add_argument("--days", type=int, default=90, help="of the lake")
    parser.add_argument("--most", type=int, default=6, help="days that arrive at once")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("dagster").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its processes are ended, too
    print(f"seed {options.seed}", flush=True)
    begun = time.monotonic()
    seen = soak(options.days, options.minutes, options.seed, options.most)
    took = (time.monotonic() - begun) / 60
    print(f"{options.days} days in {took:.1f} minutes, killed: {seen.kills}")
    seen.judge_growth()
    print(*seen.findings or ["nothing found"], sep="\n")
    sys.exit(1 if seen.findings else 0)


if __name__ == "__main__":
    main()
