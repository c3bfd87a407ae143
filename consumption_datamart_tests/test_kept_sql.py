"""SQL is kept for later processes: under one name for each expression, and not needed."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
import pytest

from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.definitions import models
from consumption_datamart.schema.facts import FactUsageDaily
from consumption_datamart.schema.patterns import matches
from consumption_datamart.warehouse import kept_sql
from consumption_datamart.warehouse.kept_sql import cache_file, fingerprint, kept

USAGE = ibis.table(FactUsageDaily.ibis_schema(), name="usage")
OTHERS = {
    "nothing": USAGE,
    "another name": ibis.table(FactUsageDaily.ibis_schema(), name="use"),
    "a schema": ibis.table(FactUsageDaily.ibis_schema(), name="usage", database="mart"),
    "a number": USAGE.filter(USAGE.event_count == 1),
    "a real": USAGE.filter(USAGE.event_count == 1.0),
    "another number": USAGE.filter(USAGE.event_count == 2),
    "a text": USAGE.filter(USAGE.unit == "1"),
    "a day": USAGE.filter(USAGE.day == ibis.literal(date(2026, 1, 1))),
    "another day": USAGE.filter(USAGE.day == ibis.literal(date(2026, 1, 2))),
    "an order": USAGE.order_by("day"),
    "the other order": USAGE.order_by(ibis.desc("day")),
    "the first": USAGE.limit(1),
    "a null": USAGE.filter(USAGE.unit.isnull()),
    "no null": USAGE.filter(USAGE.unit.notnull()),
    "a column less": USAGE.drop("unit"),
    "another column less": USAGE.drop("unit_count"),
    "a window": USAGE.mutate(n=USAGE.event_count.lag(1).over(order_by="day")),
    "a longer one": USAGE.mutate(n=USAGE.event_count.lag(2).over(order_by="day")),
    "rows before": USAGE.mutate(n=USAGE.event_count.sum().over(order_by="day", rows=(-2, 0))),
    "more rows": USAGE.mutate(n=USAGE.event_count.sum().over(order_by="day", rows=(-3, 0))),
    "an inner join": USAGE.inner_join(USAGE.view(), "day"),
    "a left join": USAGE.left_join(USAGE.view(), "day"),
    "distinct rows": USAGE.distinct(),
    "a sum": USAGE.aggregate(n=USAGE.event_count.sum()),
    "a maximum": USAGE.aggregate(n=USAGE.event_count.max()),
    "a function of the engine's": USAGE.filter(matches(USAGE.unit, "v.*")),
    "a cast": USAGE.select(n=USAGE.event_count.cast("float64")),
    "a cast to less": USAGE.select(n=USAGE.event_count.cast("float32")),
}


def expressions() -> Iterator[tuple[str, ir.Table]]:
    """What the tables of the mart are computed by."""
    tables = {name: ibis.table(model.ibis_schema(), name=name) for name, model in models().items()}
    for spec in STAR + REPORTS:
        asked = inspect.signature(spec.compute).parameters
        if asked and all(each.annotation is not pd.DataFrame for each in asked.values()):
            given = {name: tables[name if name in tables else "reporting_day"] for name in asked}
            yield spec.model.table_name(), spec.compute(**given)


def names() -> list[str]:
    """The names under which their SQL is kept, a line each."""
    return [f"{name} {fingerprint(rows.op())}" for name, rows in expressions()]


def test_another_process_has_the_same_names() -> None:
    program = f"from {__name__} import names; print('\\n'.join(names()))"
    for seed in ("1", "2"):
        ended = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stdout.splitlines() == names()


def test_what_has_other_sql_has_another_name() -> None:
    found = {**OTHERS, **dict(expressions())}
    sql = {name: str(ibis.to_sql(rows, "duckdb")) for name, rows in found.items()}
    prints = {name: fingerprint(rows.op()) for name, rows in found.items()}
    assert len(set(sql.values())) == len(found) == len(set(prints.values()))
    # whatever is built anew, from the same parts, is the same
    assert fingerprint(USAGE.filter(USAGE.event_count == 1).op()) == prints["a number"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache of a user who has none yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept_sql._known.cache_clear()
    yield tmp_path
    kept_sql._known.cache_clear()


def again(sql: str = "SELECT 2") -> str:
    """What a process that has not asked before is told."""
    kept_sql._known.cache_clear()
    return kept("duckdb", USAGE.op(), lambda _: sql)


def test_what_was_made_is_not_made_again(cache: Path) -> None:
    assert again("SELECT 1") == "SELECT 1"
    assert again() == "SELECT 1"
    assert cache in cache_file().parents
    assert kept("sqlite", USAGE.op(), lambda _: "SELECT 3") == "SELECT 3"


def test_a_cache_that_is_broken_or_cannot_be_written_is_done_without(cache: Path) -> None:
    file = cache_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(b"this is no database, " * 100)
    assert again() == "SELECT 2"
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("a file where the folder should be")
    assert again("SELECT 4") == "SELECT 4"


def test_few_statements_are_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sql, "KEPT", 2)
    for number in range(4):
        rows = USAGE.filter(USAGE.event_count == number)
        kept("duckdb", rows.op(), lambda _: "SELECT 1")
    kept_sql._known.cache_clear()
    assert len(kept_sql._known()) == 2


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgres"])
def test_days_are_left_open(dialect: str, cache: Path) -> None:
    made: list[ops.Relation] = []

    def make(relation: ops.Relation) -> str:
        made.append(relation)
        return str(ibis.to_sql(relation.to_expr(), dialect, pretty=False))

    for first, last, other in [(1, 9, 9), (30, 31, 31), (31, 30, 30), (5, 5, 5), (1, 2, 3)]:
        asked = USAGE.filter(
            USAGE.day.between(date(2026, 1, first), ibis.literal(date(2026, 1, last))),
            USAGE.day.isin([date(2026, 1, other), date(1999, 12, 31)]),
            USAGE.unit != "7000-07-07 and 2026-01-01",
        )
        plain = str(ibis.to_sql(asked, dialect, pretty=False))
        assert kept(dialect, asked.op(), make) == plain
    assert len(made) == 4, "the second is as the first; others differ in which day is which"


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgres"])
def test_what_is_kept_of_a_table_is_what_is_made_of_it(dialect: str, cache: Path) -> None:
    for name, rows in expressions():
        for day in (date(2026, 1, 1), date(2027, 3, 31)):
            asked = rows.filter(rows.day <= ibis.literal(day)) if "day" in rows.columns else rows
            plain = str(ibis.to_sql(asked, dialect, pretty=False))
            found = kept(
                dialect,
                asked.op(),
                lambda each: str(ibis.to_sql(each.to_expr(), dialect, pretty=False)),
            )
            assert found == plain, name


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgres", "snowflake"])
def test_days_are_those_that_are_asked_for(dialect: str, cache: Path) -> None:
    first, last = date(2026, 1, 2), date(2026, 3, 4)
    for one, other in ((first, last), (last, first), (first, first)):
        asked = USAGE.filter((USAGE.day == one) | (USAGE.day == other)).op()
        plain = str(ibis.to_sql(asked.to_expr(), dialect, pretty=False))
        assert (
            kept(
                dialect, asked, lambda rows: str(ibis.to_sql(rows.to_expr(), dialect, pretty=False))
            )
            == plain
        )


def test_a_dialect_that_writes_days_otherwise_is_not_kept(cache: Path) -> None:
    for day in (date(2026, 1, 2), date(2026, 3, 4)):
        asked = USAGE.filter(USAGE.day == day).op()
        (literal,) = asked.find(ops.Literal)
        assert kept("odd", asked, lambda rows: f"#{rows.find(ops.Literal)[0].value:%d.%m.%Y}#") == (
            f"#{literal.value:%d.%m.%Y}#"
        )
