"""The mart against its peers on one lake, in turns, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.agreement import disagreements
from benchmarks.contestants import CONTESTANTS, MART, Contestant
from benchmarks.lakes import Size, make_lake
from benchmarks.measure import Measurement


class PeersDisagree(Exception):
    """A peer's tables are not the mart's; the message says where."""


@dataclass(frozen=True)
class Comparison:
    """What the contestants took on a lake.

    Attributes:
        size: of the lake.
        taken: measurements of each contestant's name, a round each.
        left_out: names of those for which the lake is too large.
    """

    size: Size
    taken: dict[str, list[Measurement]]
    left_out: list[str]

    def seconds(self, name: str) -> float:
        """Median of the rounds."""
        return median(taken.seconds for taken in self.taken[name])

    def cpu_seconds(self, name: str) -> float:
        """Likewise, of computing on all cores together."""
        return median(taken.cpu_seconds for taken in self.taken[name])

    def megabytes(self, name: str) -> float:
        """Median of the rounds' peaks, in MB."""
        return median(taken.peak_bytes for taken in self.taken[name]) / 1e6

    def time_ratios(self, name: str) -> list[float]:
        """How many times the mart's time of the same round it took."""
        pairs = zip(self.taken[name], self.taken[MART.name], strict=True)
        return [one.seconds / mart.seconds for one, mart in pairs]

    def cpu_ratio(self, name: str) -> float:
        """How many times the mart's computing it took: the median of the rounds."""
        pairs = zip(self.taken[name], self.taken[MART.name], strict=True)
        return median(one.cpu_seconds / mart.cpu_seconds for one, mart in pairs)

    def memory_ratio(self, name: str) -> float:
        """How many times the mart's memory it took: the median of the rounds."""
        pairs = zip(self.taken[name], self.taken[MART.name], strict=True)
        return median(one.peak_bytes / mart.peak_bytes for one, mart in pairs)


def compare(
    size: Size,
    rounds: int,
    folder: Path,
    memory_limit: str,
    report: Callable[[str], None],
    contestants: tuple[Contestant, ...] = CONTESTANTS,
) -> Comparison:
    """Lets all contestants build one lake, in turns: A B C, A B C, and so on.

    Args:
        size: of the lake.
        rounds: how often each builds it.
        folder: for the lake and the files.
        memory_limit: of DuckDB.
        report: called with a line about each run.
        contestants: the mart, and its peers.

    Raises:
        PeersDisagree: a peer's tables are not those that the mart has built in the same round.
        ProcessFailed: a contestant failed.
    """
    lake = make_lake(size, folder)
    able = [each for each in contestants if each.max_rows is None or size.rows <= each.max_rows]
    taken: dict[str, list[Measurement]] = {each.name: [] for each in able}
    for number in range(1, rounds + 1):
        files = {}
        for each in able:
            files[each.name], measured = each.run(lake, folder, memory_limit)
            taken[each.name].append(measured)
            report(
                f"{size.name}, round {number}, {each.name}: {measured.seconds:.1f} s,"
                f" {measured.cpu_seconds:.1f} s of computing, {measured.peak_bytes / 1e6:,.0f} MB"
            )
        wrong = [
            f"{name}, {size.name}: {line}"
            for name, file in files.items()
            if name != MART.name
            for line in disagreements(files[MART.name], file)
        ]
        if wrong:
            raise PeersDisagree("\n".join(wrong))
    left_out = [each.name for each in contestants if each not in able]
    return Comparison(size, taken, left_out)
