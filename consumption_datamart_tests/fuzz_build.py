"""Building whole marts of lakes in which a dump of each table is damaged."""

import shutil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from consumption_datamart.build import build
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.fuzz_load import DAYS, Damage
from consumption_datamart_tests.lakes import day
from consumption_datamart_tests.mart import settings, tables_of
from consumption_datamart_tests.mutations import good_dump
from consumption_datamart_tests.oracle import expected_tables

TABLES = ("invoices", "entitlements", "telemetry")
ROUND = 5 * DAYS
"""After so many mutations it is the same table's and day's turn again."""


def whole_build(number: int, engine: str) -> list[str]:
    """What must not be, of a mart that is built of damaged dumps, and again of good ones.

    The first build fails for nothing but damaged files, and says which; the second makes up for it.
    """
    offsets = (0, 2 * DAYS + 1, 4 * DAYS)
    damages = [Damage.of(number * ROUND + offset) for offset in offsets]
    with TemporaryDirectory() as folder:
        lake, url = Path(folder, "lake"), f"{engine}://{folder}/mart.{engine}"
        write_good(lake)
        for damage in damages:
            table = damage.contract.table_name()
            (lake / table / f"{day(damage.at)}.csv").unlink()
            path = lake / damage.name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(damage.content)
        failures = build(settings(lake, url)).failures
        shutil.rmtree(lake)
        write_good(lake)
        healed = build(settings(lake, url))
        unlike = differing(tables_of(url), expected_tables(lake))
    findings = [
        f"{step}: {text}"
        for step, text in failures.items()
        if not any(each.name in text for each in damages)
    ]
    findings += [f"{step} is not healed: {text}" for step, text in healed.failures.items()]
    findings += [f"{name} is not healed: {texts[0]}" for name, texts in unlike.items()]
    return [f"build {number} on {engine}: {finding}" for finding in findings]


def write_good(lake: Path) -> None:
    """Five days of all tables."""
    for table in TABLES:
        (lake / table).mkdir(parents=True)
        for number in range(1, 6):
            content = good_dump(table, number, "csv", Random(0))
            (lake / table / f"{day(number)}.csv").write_bytes(content)
