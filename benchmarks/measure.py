"""How long a whole process takes, and how much memory it and its children have at most."""

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL = 0.1
"""Seconds between two looks at the memory of the process tree."""


class ProcessFailed(Exception):
    """A process that was to be measured failed; the message has its last lines."""


@dataclass(frozen=True)
class Measurement:
    """What one run of a process took.

    Attributes:
        seconds: from its start to its end, by the clock.
        cpu_seconds: that it and its children computed, on all cores together.
        peak_bytes: resident memory of the process and its children, at its highest.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(
    command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
) -> Measurement:
    """Runs a command to its end and measures it.

    Args:
        command: program and arguments.
        folder: to run it in.
        log: file that takes what the process writes.
        environment: all variables that it sees.

    Raises:
        ProcessFailed: it ended with another code than 0.
    """
    with log.open("w") as output:
        computed, begin = _computed(), time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        peak = 0
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(tree))
            _wait(process)
        seconds = time.perf_counter() - begin
    if process.returncode:
        end = "\n".join(log.read_text().splitlines()[-20:])
        raise ProcessFailed(f"{' '.join(command)}: exit code {process.returncode}\n{end}")
    return Measurement(seconds, _computed() - computed, peak)


def _computed() -> float:
    """Seconds of computing of all children of this process that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait(process: "subprocess.Popen[bytes]") -> None:
    """Until the next look, or the end of the process if that comes first."""
    try:
        process.wait(INTERVAL)
    except subprocess.TimeoutExpired:
        return


def _resident(tree: psutil.Process) -> int:
    """Resident bytes of a process and all its children, as far as they still run."""
    total = 0
    try:
        for process in [tree, *tree.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return total
    return total
