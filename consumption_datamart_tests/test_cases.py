"""The mart holds what the hand-written cases expect, on every engine."""

from pathlib import Path

import pytest

from consumption_datamart_tests.cases import CASES, Case
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.mart import build_tables, tables_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mart_agrees_with_the_hand_written_case(case: Case, lake: Path, warehouse: str) -> None:
    case.write(lake)
    build_tables(lake, warehouse, only=case.expect)
    assert differing(tables_of(warehouse), case.expect) == {}
