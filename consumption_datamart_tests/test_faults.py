"""A call that fails leaves the mart as it was before or as it is after; `make faults` tries all."""

from pathlib import Path

from consumption_datamart_tests.faults import loop

SOME = (3, 90, 260)
"""Of the calls of a build: to the lake, and in loads, facts and reports."""


def test_a_build_of_which_a_call_fails_tears_nothing_and_heals(engine: str, tmp_path: Path) -> None:
    assert loop(tmp_path, engine, SOME) == []
