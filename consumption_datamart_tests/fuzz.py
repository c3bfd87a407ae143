"""Fuzzing the load: damaged dumps among good ones, on real engines, in a process that may crash.

`make fuzz`, or `python -m consumption_datamart_tests.fuzz --mutations 10000`; a test does the same
with few. A mutation is known by its number: `--only 1234` tries that one alone.
"""

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from consumption_datamart_tests.fuzz_build import whole_build
from consumption_datamart_tests.fuzz_load import DAYS, Damage, Load
from consumption_datamart_tests.mart import ENGINES

SLICE = 25 * DAYS
"""Mutations that one process tries."""
SECONDS = 60
"""What a load of some files may take before it counts as one that hangs."""


@dataclass(frozen=True)
class Fuzzed:
    """What became of the mutations.

    Attributes:
        fates: how many were loaded, and how many failed their day, by format.
        findings: what must not be, a line each.
        slowest: seconds that the slowest load took.
        memory: megabytes that the largest process took.
    """

    fates: Counter[str]
    findings: list[str]
    slowest: float
    memory: int


def fuzz(numbers: Sequence[int], jobs: int = 1) -> Fuzzed:
    """Try mutations by number, in several processes; one that crashes or hangs is a finding."""
    slices = [numbers[start : start + SLICE] for start in range(0, len(numbers), SLICE)]
    with ThreadPoolExecutor(jobs) as pool:
        told = [line for lines in pool.map(lambda each: [*_tried(each)], slices) for line in lines]
    return Fuzzed(
        fates=sum((Counter(line.get("fates", {})) for line in told), Counter()),
        findings=[finding for line in told for finding in line.get("findings", [])],
        slowest=max(line.get("seconds", 0) for line in told),
        memory=max(line.get("memory", 0) for line in told),
    )


def _tried(numbers: Sequence[int]) -> Iterator[dict[str, object]]:
    """What a process tells of each load; of loads that it does not survive, one file at a time."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told")
        left = list(numbers)
        while left:
            ended = _process(left, Path(folder), told)
            lines = [json.loads(line) for line in told.read_text().splitlines()]
            begun = [line["begun"] for line in lines if "begun" in line]
            done = [line for line in lines if "fates" in line]
            yield from done
            if ended == "":
                return
            last = begun[-1] if begun else left
            left = left[left.index(last[-1]) + 1 :]
            yield {"findings": [f"{last}: {ended}"]}
            for number in last if len(last) > 1 else ():
                yield from _tried([number])


def _process(numbers: Sequence[int], folder: Path, told: Path) -> str:
    """Runs a process over mutations; returns how it ended, where that was not well."""
    shutil.rmtree(folder / "work", ignore_errors=True)
    (folder / "work").mkdir()
    told.write_text("")
    command = [sys.executable, "-m", __spec__.name, "--child", folder / "work", told]
    listed = ["--only", *map(str, numbers)]
    loads = 1 + len(numbers) / DAYS
    with (folder / "errors").open("w+") as errors:
        try:
            done = subprocess.run(
                [*map(str, command), *listed], check=False, stderr=errors, timeout=SECONDS * loads
            )
        except subprocess.TimeoutExpired:
            return "it hangs"
        errors.seek(0)
        last = errors.read().strip().splitlines()[-1:]
    return "" if done.returncode == 0 else f"the process ended with {done.returncode}: {last}"


def _child(work: Path, told: Path, numbers: Sequence[int]) -> None:
    """Loads batch after batch, and writes down what it begins and what became of it."""
    load = Load(work, "sqlite" if (numbers[0] // SLICE) % 5 == 4 else "duckdb")
    with told.open("a", buffering=1) as tell:
        for batch in _batches(numbers):
            tell.write(json.dumps({"begun": batch}) + "\n")
            started = time.monotonic()
            fates, findings = load.try_out([Damage.of(number) for number in batch])
            seconds = time.monotonic() - started
            line = {"fates": fates, "findings": findings, "seconds": seconds}
            tell.write(json.dumps(line | {"memory": load.memory()}) + "\n")


def _batches(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Mutations of different days of one table."""
    together: dict[int, list[int]] = {}
    for number in numbers:
        together.setdefault(number // DAYS, []).append(number)
    yield from together.values()


def main() -> None:
    """Tries mutations and tells what was found; exit code 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--builds", type=int, default=0, help="whole builds besides")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="+")
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    numbers = options.only or range(options.first, options.first + options.mutations)
    logging.disable(logging.CRITICAL)
    if options.child:
        _child(*options.child, numbers)
        return
    started = time.monotonic()
    result = fuzz(numbers, options.jobs)
    for fate, count in sorted(result.fates.items()):
        print(f"{count:7,} {fate}")
    print(f"{len(numbers):7,} in {time.monotonic() - started:,.0f} s, the slowest load of up to")
    print(f"        {DAYS} of them in {result.slowest:.1f} s; {result.memory:,} MB at most")
    builds = [whole_build(number, ENGINES[number % 2]) for number in range(options.builds)]
    print(f"{options.builds:7,} whole builds, and as many that heal them")
    findings = result.findings + [finding for each in builds for finding in each]
    print(*findings or ["nothing found"], sep="\n")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
