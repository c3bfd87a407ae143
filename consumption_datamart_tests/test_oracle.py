"""The oracle yields what the hand-written cases expect."""

from datetime import date
from pathlib import Path

import pytest

from consumption_datamart_tests.cases import CASES, Case
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.oracle import expected_tables


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_oracle_agrees_with_the_hand_written_case(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    assert differing(expected_tables(tmp_path), case.expect) == {}


def test_cases_are_well_formed() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    for case in CASES:
        for rows in case.expect.values():
            assert len({tuple(row) for row in rows}) <= 1, case.name


def test_dim_day(tmp_path: Path) -> None:
    rows = {row["day"]: row for row in expected_tables(tmp_path)["mart.dim_day"]}
    assert (min(rows), max(rows), len(rows)) == (date(2020, 1, 1), date(2039, 12, 31), 7305)
    assert rows[date(2021, 1, 3)] == {
        "day": date(2021, 1, 3),
        "day_of_week": 7,
        "day_name": "Sunday",
        "is_weekend": True,
        "iso_year": 2020,
        "iso_week": 53,
        "month": 1,
        "month_name": "January",
        "quarter": 1,
        "year": 2021,
        "month_start": date(2021, 1, 1),
    }
    assert rows[date(2024, 12, 30)] == {
        "day": date(2024, 12, 30),
        "day_of_week": 1,
        "day_name": "Monday",
        "is_weekend": False,
        "iso_year": 2025,
        "iso_week": 1,
        "month": 12,
        "month_name": "December",
        "quarter": 4,
        "year": 2024,
        "month_start": date(2024, 12, 1),
    }
