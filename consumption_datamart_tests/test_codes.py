"""Warning codes: how they are put together, found again, and checked (spec, section 2)."""

from collections.abc import Iterator

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibis.backends.sql import SQLBackend
from pandera.api.ibis.types import IbisData

from consumption_datamart.schema.codes import flag, has_code, lists_codes

CODES = ["invoiced", "never_invoiced", "unusual", "unusual_quantity"]
"""Of some the name is part of another's."""


@pytest.fixture(params=["duckdb", "sqlite"], scope="module")
def backend(request: pytest.FixtureRequest) -> Iterator[SQLBackend]:
    """An engine in memory."""
    made = ibis.duckdb.connect() if request.param == "duckdb" else ibis.sqlite.connect()
    yield made
    made.disconnect()


@given(st.lists(st.sampled_from([True, False, None]), min_size=len(CODES), max_size=len(CODES)))
def test_codes_of_the_conditions_that_hold_and_no_others(
    backend: SQLBackend, holds: list[bool | None]
) -> None:
    """In alphabetical order; each is found again, and no other."""
    conditions = {
        code: ibis.null("boolean") if held is None else ibis.literal(held)
        for code, held in zip(reversed(CODES), holds, strict=True)
    }
    expected = sorted(code for code, held in zip(reversed(CODES), holds, strict=True) if held)
    value = backend.execute(flag(conditions))
    assert value == ";".join(expected)
    found = [code for code in CODES if backend.execute(has_code(ibis.literal(value), code))]
    assert found == expected


@pytest.mark.parametrize(
    ("value", "is_list"),
    [
        ("", True),
        ("invoiced", True),
        ("invoiced;unusual", True),
        ("unusual;invoiced", False),
        ("invoiced;", False),
        ("invoiced;invoiced", False),
        ("paid", False),
        ("invoiced;paid", False),
    ],
)
def test_only_lists_of_the_codes_pass(backend: SQLBackend, value: str, is_list: bool) -> None:
    """Another code, another order and repetitions are none."""
    frame = pd.DataFrame({"meta__warnings": [value]})
    rows = backend.create_table(f"rows_{abs(hash(value))}", frame, temp=True)
    condition = lists_codes(IbisData(rows, "meta__warnings"), codes=CODES)
    assert bool(backend.execute(condition)[0]) is is_list
