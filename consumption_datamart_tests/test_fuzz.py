"""No sequence of bytes in a dump crashes the load or loses a good row of another file.

A few mutations of those that `make fuzz` tries.
"""

from pathlib import Path

import pytest

from consumption_datamart_tests.fuzz import SLICE, fuzz
from consumption_datamart_tests.fuzz_build import whole_build
from consumption_datamart_tests.fuzz_load import DAYS, Check, Damage, Load
from consumption_datamart_tests.lakes import day

OF_EACH_TABLE = [*range(6), *range(2 * DAYS, 2 * DAYS + 3), *range(4 * DAYS, 4 * DAYS + 3)]
ON_SQLITE = 4 * SLICE


@pytest.mark.parametrize("first", [0, ON_SQLITE], ids=["duckdb", "sqlite"])
def test_damaged_dumps_harm_no_others(first: int) -> None:
    result = fuzz([first + number for number in OF_EACH_TABLE])
    assert result.findings == []
    assert sum(result.fates.values()) == len(OF_EACH_TABLE)
    assert result.fates["csv loaded"] > 0
    assert result.fates["parquet failed"] > 0


def test_a_mart_heals_of_damaged_dumps() -> None:
    assert whole_build(1, "duckdb") == []  # `make fuzz` builds on both engines


def test_what_is_lost_or_changed_is_found(tmp_path: Path) -> None:
    load = Load(tmp_path, "duckdb")
    assert load.try_out([Damage.of(1), Damage.of(2)]) == ({"csv loaded": 2}, [])
    tables = load.before
    good = [row for row in tables["lake.raw_telemetry"] if row["dump_day"] == day(3)]
    good[0]["quantity"] += 1
    assert Check(Damage.of(1), tables, load.lake).good_days({3})
    tables["lake.raw_telemetry"] = [
        row for row in tables["lake.raw_telemetry"] if row["dump_day"] != day(4)
    ]
    lost = Check(Damage.of(1), tables, load.lake).loaded()
    assert any("an untouched line is not kept" in problem for problem in lost)
