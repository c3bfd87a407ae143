"""The mart holds what the hand-written cases expect, on every engine."""

from pathlib import Path

import pytest

from consumption_datamart_tests.cases import COMPUTED, LOADED, Case
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.mart import DUCKDB, build_tables, tables_of


@DUCKDB
@pytest.mark.parametrize("case", LOADED, ids=lambda case: case.name)
def test_a_lake_is_loaded_as_the_case_says(case: Case, lake: Path, warehouse: str) -> None:
    assert_agrees(case, lake, warehouse)


@pytest.mark.parametrize("case", COMPUTED, ids=lambda case: case.name)
def test_tables_are_computed_as_the_case_says(case: Case, lake: Path, warehouse: str) -> None:
    assert_agrees(case, lake, warehouse)


def assert_agrees(case: Case, lake: Path, warehouse: str) -> None:
    """Its tables, and what they are made of, are built."""
    case.write(lake)
    build_tables(lake, warehouse, only=case.expect)
    assert differing(tables_of(warehouse), case.expect) == {}
