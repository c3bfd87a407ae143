"""Two writers and four readers on PostgreSQL at once, each a process, for some minutes.

`python -m consumption_datamart_tests.side_by_side --minutes 5`. The writers make days of the facts
and the contracts anew, as they were. No process may fail, and no reader may see anything but what
was there before, or wait for longer than a second.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from consumption_datamart.schema.days import Days
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import postgres_server
from consumption_datamart_tests.mart import build_tables

DAYS, ROWS, LAST = 30, 5_000, date(2026, 1, 30)
READ = """SELECT (SELECT count(*) FROM mart.report_renewals),
    (SELECT round(sum(total_quantity)::numeric, 3) FROM mart.fact_usage_daily),
    (SELECT count(*) FROM mart.dim_customer)"""
SECOND = 1.0


@dataclass
class Told:
    """What a process did, how often, how long it took at most, and what went wrong."""

    who: str
    times: int = 0
    longest: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """A line."""
        return "; ".join(
            [f"{self.who}: {self.times} times, at most {self.longest:.2f} s", *self.problems]
        )


def repeat(who: str, work: Callable[[int], object], minutes: float, limit: float) -> Told:
    """Does it again and again; goes on after an error."""
    told, end = Told(who), time.monotonic() + 60 * minutes
    while (begun := time.monotonic()) < end:
        try:
            work(told.times)
        except Exception as error:  # whatever it is, it must not be
            told.problems.append(repr(error)[:200])
        took = time.monotonic() - begun
        if took > limit:
            told.problems.append(f"{took:.2f} s")
        told.times, told.longest = told.times + 1, max(told.longest, took)
    return told


def write_usage(lake: Path, url: str, turn: int) -> None:
    """A day of the facts."""
    day = LAST - timedelta(days=turn % DAYS)
    build_tables(lake, url, ["mart.fact_usage_daily"], Days(day, day))


def write_contracts(lake: Path, url: str, _: int) -> None:
    """The contracts, and who and what they are of."""
    build_tables(lake, url, ["lake.raw_entitlements", "mart.dim_product"], Days(LAST, LAST))


def seen(url: str) -> tuple[object, ...]:
    """What a reader sees."""
    with open_warehouse(url).reader() as backend, backend.con.cursor() as cursor:
        found: tuple[object, ...] = cursor.execute(READ).fetchone()
        return found


def read(url: str, before: tuple[object, ...], _: int) -> None:
    """All as it was.

    Raises:
        AssertionError: it is not.
    """
    if (found := seen(url)) != before:
        raise AssertionError(f"{found} in place of {before}")


def main(minutes: Annotated[float, typer.Option(min=0)] = 5.0) -> None:
    """Tells what each did; exit code 1 if anything went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        lake, url = Path(folder) / "lake", postgres_server.new_database()
        simulate(lake, days=DAYS, rows_per_day=ROWS, customers=50, products=5, end=LAST)
        build_tables(lake, url)
        reading = partial(read, url, seen(url))
        works = [
            ("facts are written", partial(write_usage, lake, url), 600.0),
            ("contracts are written", partial(write_contracts, lake, url), 600.0),
            *((f"reader {number}", reading, SECOND) for number in range(1, 5)),
        ]
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(len(works), mp_context=spawn) as pool:
            doing = [pool.submit(repeat, who, work, minutes, lim) for who, work, lim in works]
            told = [each.result() for each in doing]
    print(*told, sep="\n")
    if any(each.problems for each in told):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
