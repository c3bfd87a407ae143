"""The build of this code beside that of an earlier commit: a guard against what makes it slower."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.contestants import MART
from benchmarks.lakes import MART_COMMAND, PROJECT, SIZES, clean_environment, make_lake
from benchmarks.measure import Measurement, ProcessFailed, measure

LAKES = ("tiny", "small", "medium")
ROUNDS = 3


def quick_figures(base: str, folder: Path) -> Iterator[str]:
    """Lets both build the same lakes, in turns, and then once more where nothing is new.

    The earlier code runs with the packages that are installed now.

    Args:
        base: the earlier commit, as git names it.
        folder: for its code, the lakes and the warehouses; empty.

    Returns:
        Lines of a table of ratios: this code to the earlier.

    Raises:
        ProcessFailed: there is no such commit, or a build failed.
    """
    earlier = folder / "earlier"
    _check_out(base, earlier)
    yield f"| build of this code ÷ of {base} | computing | time | peak memory |"
    yield "|---|---:|---:|---:|"
    for name in LAKES:
        lake = make_lake(SIZES[name], folder)
        taken: dict[str, list[tuple[Measurement, Measurement]]] = {name: [], "unchanged": []}
        for number in range(ROUNDS):
            builds = []
            for project in (PROJECT, earlier):
                build = _build(project, lake, folder / f"{name}-{number}-{project.name}")
                builds.append((build(), build()))
            (anew, again), (anew_then, again_then) = builds
            taken[name].append((anew, anew_then))
            taken["unchanged"].append((again, again_then))
        for what, pairs in taken.items():
            told = what if what == name else f"{name}, {what}"
            yield f"| {told} | {' | '.join(f'{ratio:.2f}' for ratio in _ratios(pairs))} |"


def _check_out(base: str, folder: Path) -> None:
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", base], cwd=PROJECT, capture_output=True, check=False
    )
    if archive.returncode:
        raise ProcessFailed(f"{base}: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def _build(project: Path, lake: Path, folder: Path) -> Callable[[], Measurement]:
    folder.mkdir()
    warehouse = f"--warehouse=duckdb://{folder}/{MART.name}.duckdb"
    command = [*MART_COMMAND, "build", f"--lake={lake}", warehouse]
    environment = clean_environment() | {"PYTHONPATH": str(project)}
    return lambda: measure(command, project, folder / "log", environment)


def _ratios(pairs: list[tuple[Measurement, Measurement]]) -> tuple[float, float, float]:
    """Medians of the rounds' ratios."""
    return (
        median(now.cpu_seconds / then.cpu_seconds for now, then in pairs),
        median(now.seconds / then.seconds for now, then in pairs),
        median(now.peak_bytes / then.peak_bytes for now, then in pairs),
    )
