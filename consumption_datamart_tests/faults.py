"""Failing each call of a build to a file or the database, one after the other.

`make faults`, or `python -m consumption_datamart_tests.faults`; a test does it with few. A mart is
built of a lake, the lake changes, and in the build that follows the n-th call fails. Readers must
then see the mart as it was before, or as it is after; and another build must make of it what the
undisturbed one has made. Where a dump cannot be loaded, others are all the same: then only the
second is required. So it is on SQLite, where readers see each publication.
"""

import argparse
import re
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fsspec.implementations.local import LocalFileSystem
from ibis.backends.duckdb import Backend as DuckDB
from ibis.backends.sqlite import Backend as SQLite

from consumption_datamart.build import build
from consumption_datamart.errors import DatamartError
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ENGINES, settings, tables_of
from consumption_datamart_tests.mart import without_monitoring as shown

CALLS = [
    (LocalFileSystem, "ls"),
    (LocalFileSystem, "open"),
    (LocalFileSystem, "info"),
    (DuckDB, "raw_sql"),
    (SQLite, "raw_sql"),
]
"""What a build asks others for."""


LOAD = ", loading"
"""Said of a call that was made to load a dump, or to list the dumps."""
OF_LOADS = re.compile("/consumption_datamart/(lake/|factories/dumps)")


class Fault(OSError):
    """What the call says that fails."""


@contextmanager
def failing(number: int | None) -> Iterator[list[str]]:
    """Lets the call of that number fail; None: none. Gives the names of the calls made so far."""
    made: list[str] = []

    def wrapped(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            made.append(name)
            if len(made) == number:
                frames = traceback.extract_stack()
                is_load = any(OF_LOADS.search(frame.filename) for frame in frames)
                made[-1] += LOAD if is_load else ""
                raise Fault("Input/output error")
            return call(*args, **more)

        return counted

    with ExitStack() as stack:
        for owner, name in CALLS:
            replaced = wrapped(getattr(owner, name), f"{owner.__module__}.{name}")
            stack.enter_context(patch.object(owner, name, replaced))
        yield made


def write_lake(lake: Path) -> None:
    """Two days."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement(starts_on=day(1), ends_on=day(9))])
    for number in (1, 2):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])


def change(lake: Path) -> None:
    """A restated day, and a new one with an invoice."""
    write_dump(lake, "telemetry", day(2), [usage(event_ts=noon(2), quantity=7.0)])
    write_dump(lake, "telemetry", day(3), [usage(event_ts=noon(3), deployment_id="DEP-9")])
    line = invoice(invoice_date=day(3), invoice_id="INV-9", customer_name="New")
    write_dump(lake, "invoices", day(3), [line])


def loop(folder: Path, engine: str, numbers: Sequence[int] | None = None) -> list[str]:
    """What is wrong after a fault, a line each.

    Args:
        folder: empty.
        engine: of the warehouse.
        numbers: of the calls to fail; by default each.
    """
    lake, kept, mart = folder / "lake", folder / "kept", folder / "mart"
    url = f"{engine}://{mart}/warehouse"
    lake.mkdir()
    mart.mkdir()
    write_lake(lake)
    build(settings(lake, url))
    before = shown(tables_of(url))
    shutil.copytree(mart, kept)
    change(lake)
    with failing(None) as calls:
        build(settings(lake, url))
    after, found = shown(tables_of(url)), []
    for number in numbers or range(1, len(calls) + 1):
        shutil.rmtree(mart)
        shutil.copytree(kept, mart)
        try:
            with failing(number % len(calls) + 1) as made:
                build(settings(lake, url))
        except (DatamartError, Fault):
            pass
        call = next((each for each in made if each.endswith(LOAD)), calls[number % len(calls)])
        told = f"{engine}, call {number} ({call})"
        seen = shown(tables_of(url))
        is_load = "fsspec" in call or call.endswith(LOAD)
        if engine == "duckdb" and not is_load and differing(seen, after):
            found += [f"{told}: {name} is torn" for name in differing(seen, before)]
        build(settings(lake, url))
        if differing(shown(tables_of(url)), after):
            found.append(f"{told}: another build does not heal it")
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    for engine in parser.parse_args().engine or ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            found = loop(Path(folder), engine)
        print("\n".join(found) or f"{engine}: after every fault the mart is whole, and heals")
        if found:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
