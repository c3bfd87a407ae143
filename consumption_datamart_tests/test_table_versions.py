"""Versions of a table's columns: what breaks readers, what is kept, what a frozen table takes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.checks import Inspection, frozen_checks
from consumption_datamart.definitions import models
from consumption_datamart.errors import AuditError
from consumption_datamart.factories import TableSpec, mart_table_asset
from consumption_datamart.factories.mart_table import arguments
from consumption_datamart.factories.readers import columns_of_spec, columns_read
from consumption_datamart.partitions import range_tags
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.schema.monitoring import TableVersion
from consumption_datamart.schema.raw import models_of
from consumption_datamart.schema.table import Field, MartTable, Table
from consumption_datamart.schema.types import Day, Real, Text
from consumption_datamart.schema.versions import (
    ColumnState,
    Version,
    breaches,
    changes,
    is_wider,
    version_of,
)
from consumption_datamart.settings import Settings
from consumption_datamart.simulation.sample import write_sample
from consumption_datamart.warehouse import (
    Warehouse,
    losses,
    open_warehouse,
    publish,
    rows_of,
    upgrade,
)
from consumption_datamart.warehouse.rows import conform
from consumption_datamart.warehouse.versions import read_versions
from consumption_datamart_tests.lakes import day, noon, usage, write_dump
from consumption_datamart_tests.mart import DUCKDB, build_tables, catalog, load_table

TYPES = (
    "int8", "int32", "int64", "uint8", "float32", "float64", "string", "boolean", "date",
    "timestamp(3)", "timestamp(6)", "decimal(18, 4)", "decimal(18, 8)", "decimal(36, 8)",
)  # fmt: skip
COLUMN = ColumnState("a", "decimal(18, 4)", False, "EUR", True)
OTHER = ColumnState("b", "int32", True, None, False)
BEFORE = Version((COLUMN, OTHER), "day", 1)


def columns(**others: object) -> Version:
    """That version, with column b otherwise."""
    return BEFORE._replace(columns=(COLUMN, OTHER._replace(**others)))


@pytest.mark.parametrize(
    ("now", "what", "is_breaking"),
    [
        (BEFORE._replace(columns=(COLUMN,)), ["removed"], True),
        (BEFORE._replace(columns=(*BEFORE.columns, OTHER._replace(name="c"))), ["added"], False),
        (columns(name="c"), ["added", "removed"], True),
        (columns(type="int64"), ["type"], False),
        (columns(type="int16"), ["type"], True),
        (columns(type="string"), ["type"], True),
        (columns(type="float64"), ["type"], True),
        (columns(is_nullable=False), ["null"], False),
        (BEFORE._replace(columns=(COLUMN._replace(is_nullable=True), OTHER)), ["null"], True),
        (columns(unit="days"), ["unit"], False),
        (BEFORE._replace(columns=(COLUMN._replace(unit="USD"), OTHER)), ["unit"], True),
        (columns(is_key=True), ["key"], True),
        (BEFORE._replace(grain="week"), ["grain"], True),
        (BEFORE._replace(frozen=2), ["frozen"], False),
        (BEFORE._replace(columns=(OTHER, COLUMN)), [], False),
    ],
)
def test_a_change_is_compatible_or_breaks(now: Version, what: list[str], is_breaking: bool) -> None:
    found = changes(BEFORE, now)
    assert [each.what for each in found] == what
    assert any(each.is_breaking for each in found) is is_breaking
    assert bool(breaches(BEFORE, now)) is is_breaking
    assert breaches(BEFORE, now._replace(frozen=2)) == [], "it was agreed upon"
    assert breaches(BEFORE, now._replace(frozen=None)) == [], "it is no longer frozen"
    assert breaches(BEFORE._replace(frozen=None), now) == [], "freezing begins"
    assert breaches(None, now) == [], "it is new"


state = st.builds(
    ColumnState,
    st.sampled_from("abc"),
    st.sampled_from(TYPES),
    st.booleans(),
    st.sampled_from([None, "EUR", "days"]),
    st.booleans(),
)
version = st.builds(
    Version,
    st.lists(state, min_size=1, max_size=3, unique_by=lambda each: each.name).map(tuple),
    st.sampled_from(["none", "day"]),
    st.none(),
)


@given(version, version, version)
@settings(max_examples=200, deadline=None)
def test_changes_are_complete_and_what_is_compatible_stays_so(
    one: Version, two: Version, three: Version
) -> None:
    assert (changes(one, two) == []) is (sorted(one.columns) == sorted(two.columns)
                                         and one.grain == two.grain)  # fmt: skip
    there, back = changes(one, two), changes(two, one)
    assert {each.column for each in there if each.what == "added"} == {
        each.column for each in back if each.what == "removed"
    }

    def is_fine(before: Version, now: Version) -> bool:
        return not any(each.is_breaking for each in changes(before, now))

    assert not (is_fine(one, two) and is_fine(two, three)) or is_fine(one, three)


@given(*[st.sampled_from(TYPES)] * 3)
def test_wider_is_an_order(one: str, two: str, three: str) -> None:
    assert is_wider(one, one)
    assert not (is_wider(one, two) and is_wider(two, one)) or one == two
    assert not (is_wider(one, two) and is_wider(two, three)) or is_wider(one, three)


SHARE = (Real, Field(description="A share."))
CHANGE = "column share was float64, is string"
NOTE = (Text, Field(nullable=True, description="A note."))
WORDS = (Text, Field(description="In words."))


def target(frozen: int | None = None, **more: tuple[object, object]) -> type[Table]:
    """A table of a day, a customer, and some columns."""
    types = {"day": Day, "customer_id": Text} | {name: dtype for name, (dtype, _) in more.items()}
    body: dict[str, Any] = {name: field for name, (_, field) in more.items()} | {
        "__annotations__": types,
        "__doc__": "A table.",
        "__module__": __name__,
        "_day": "day",
        "_frozen": frozen,
    }
    return type(MartTable)("Target", (MartTable,), body)


def put(warehouse: Warehouse, model: type[Table], **values: object) -> None:
    """Publish a row of it, with the check that it has if it is frozen."""
    row = pd.DataFrame({"day": [pd.Timestamp(day(1))], "customer_id": "CUST-1", **values})
    checks = frozen_checks(model, lambda _: ["mart.reader (team:readers)"])
    publish(warehouse, model, row, inspect=Inspection(checks))


@pytest.fixture
def opened(warehouse: str) -> Warehouse:
    """An empty warehouse."""
    return open_warehouse(warehouse)


def told(warehouse: Warehouse) -> list[tuple[int, list[str]]]:
    """Numbers of the versions of the table, and what each has changed."""
    found = read_versions(warehouse, "mart.target")["mart.target"]
    return [(each.number, [str(change) for change in each.changes]) for each in found]


def test_a_publication_writes_a_version_where_columns_are_others(opened: Warehouse) -> None:
    for _ in range(2):
        put(opened, target(share=SHARE), share=0.5)
    assert told(opened) == [(1, [])]
    put(opened, target(share=SHARE, note=NOTE), share=0.5, note="new")
    put(opened, target(note=NOTE), note="new")
    assert told(opened) == [
        (1, []),
        (2, ["column note added (string)"]),
        (3, ["column share removed (was float64)"]),
    ]
    (last,) = read_versions(opened, "mart.target")["mart.target"][2:]
    assert last.version == version_of(target(note=NOTE))


def test_a_warehouse_of_before_begins_with_what_it_then_is(opened: Warehouse) -> None:
    put(opened, target(share=SHARE), share=0.5)
    with opened.transaction() as transaction:
        transaction.drop(*TableVersion.full_name().split("."))
    assert read_versions(opened) == {}
    upgrade(opened, [target(share=SHARE, note=NOTE)])
    upgrade(opened, [target(share=SHARE, note=NOTE)])
    assert told(opened) == [(1, [])]
    upgrade(opened, [target(note=NOTE)])
    assert told(opened)[1:] == [(2, ["column share removed (was float64)"])]


def test_a_frozen_table_takes_no_breaking_change_before_its_number_is_raised(
    opened: Warehouse,
) -> None:
    put(opened, target(1, share=SHARE), share=0.5)
    put(opened, target(1, share=SHARE, note=NOTE), share=0.6, note="is compatible")
    later = target(1, share=WORDS, note=NOTE)
    kept = [f"mart.target: is frozen, and stays as it is: {CHANGE}"]
    assert losses(opened, [later]) == kept
    upgrade(opened, [later])
    with pytest.raises(AuditError) as error:
        put(opened, later, share="half", note="breaks")
    assert str(error.value) == (
        f"mart.target: frozen: {CHANGE}, but the table is frozen as 1; it concerns mart.reader"
        " (team:readers). Take the change back, or, once they agree, write _frozen = 2 in Target;"
        " nothing was published"
    )
    before = target(1, share=SHARE, note=NOTE)
    assert opened.fetch(opened.table(before)).share.tolist() == [0.6], "rows are as they were"
    assert [number for number, _ in told(opened)] == [1, 2]
    agreed = target(2, share=WORDS, note=NOTE)
    assert "is built anew" in losses(opened, [agreed])[0]
    upgrade(opened, [agreed])
    put(opened, agreed, share="half", note="was agreed")
    assert told(opened)[2:] == [(3, [CHANGE, "frozen was 1, is 2"])]
    assert opened.fetch(opened.table(agreed)).share.tolist() == ["half"]


def test_a_compatible_change_of_a_frozen_table_is_made_in_place(opened: Warehouse) -> None:
    put(opened, target(1, share=SHARE), share=0.5)
    later = target(1, share=SHARE, note=NOTE)
    upgrade(opened, [target(1, share=SHARE)])
    assert losses(opened, [later]) == []
    upgrade(opened, [later])
    assert opened.fetch(opened.table(later)).note.isna().tolist() == [True]
    assert told(opened)[1:] == [(2, ["column note added (string)"])]


@DUCKDB
def test_what_a_load_writes_has_versions_too(opened: Warehouse, lake: Path) -> None:
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    load_table(opened, Telemetry, lake)
    assert read_versions(opened).keys() == {each.full_name() for each in models_of(Telemetry)}


def of_share(target: ir.Table) -> ir.Table:
    """Only filters by the column."""
    return target.filter(target.share > 0.1).select("customer_id")


def of_all(target: ir.Table) -> ir.Table:
    """Does without it."""
    return target.select("customer_id").distinct()


def of_frames(target: pd.DataFrame) -> pd.DataFrame:
    """Of which nobody can say what it reads."""
    return target[["customer_id"]]


class ReportShares(MartTable):
    """Who has a share."""

    customer_id: Text


class ReportAll(ReportShares):
    """Who is there."""


class ReportFrames(ReportShares):
    """Who is there, too."""


READERS = (
    TableSpec(ReportShares, of_share, owners=("team:shares",)),
    TableSpec(ReportAll, of_all),
    TableSpec(ReportFrames, of_frames),
)


def run(model: type[Table], warehouse: Warehouse, **values: object) -> dg.ExecuteInProcessResult:
    """Materialize the table's asset; three others read it."""
    row = pd.DataFrame({"day": [pd.Timestamp(day(1))], "customer_id": "CUST-1", **values})
    spec = TableSpec(model, lambda: row)
    found = catalog(Settings(), spec, *READERS)
    models = [model, *(each.model for each in READERS)]
    found = replace(found, models={**found.models, **{each.table_name(): each for each in models}})
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [mart_table_asset(spec, found)],
            resources={"warehouse": WarehouseResource(url=warehouse.url)},
            instance=instance,
            tags=range_tags(Days(day(1), day(1))),
            raise_on_error=False,
        )


@DUCKDB
def test_the_check_stops_a_run_and_names_who_reads_what_has_changed(opened: Warehouse) -> None:
    first = run(target(1, share=SHARE), opened, share=0.5)
    assert {each.check_name: each.passed for each in first.get_asset_check_evaluations()} == {
        "model": True,
        "frozen": True,
    }
    result = run(target(1), opened)
    assert not result.success
    (failed,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert (failed.check_name, failed.blocking, failed.partition) == ("frozen", True, None)
    assert failed.description == (
        "mart.target: frozen: column share removed (was float64), but the table is frozen as 1;"
        " it concerns mart.report_shares (team:shares), mart.report_frames (team:data, by which"
        " columns is not known). Take the change back, or, once they agree, write _frozen = 2 in"
        " Target; nothing was published"
    )
    assert run(target(2), opened).success


ONE = ibis.table({"a": "int64", "b": "int64", "c": "int64", "d": "int64"}, name="one")
TWO = ibis.table({"a": "int64", "x": "int64", "y": "int64"}, name="two")


@pytest.mark.parametrize(
    ("rows", "one", "two"),
    [
        (ONE.select("a"), "a", ""),
        (ONE.mutate(e=ONE.b + 1).select("e", "c"), "bc", ""),
        (ONE.filter(ONE.d > 0).select("a"), "ad", ""),
        (ONE.order_by("d").select("a"), "ad", ""),
        (ONE.join(TWO, "a").select("b", "x"), "ab", "ax"),
        (ONE.join(TWO, ONE.b == TWO.y).select("c"), "bc", "y"),
        (ONE.group_by("a").aggregate(b=ONE.b.sum(), c=ONE.c.max()).select("b"), "ab", ""),
        (ONE.select("a", "b").distinct().select("a"), "ab", ""),
        (ibis.union(ONE.select("a", x="b"), TWO.select("a", "x")).select("a"), "a", "a"),
        (
            ibis.union(ONE.select("a", x="b"), TWO.select("a", "x"), distinct=True)[["a"]],
            "ab",
            "ax",
        ),
        (
            ibis.difference(ONE.select("a", x="b"), TWO[["a", "x"]], distinct=False)[["a"]],
            "ab",
            "ax",
        ),
        (ONE.mutate(n=ibis.row_number().over(group_by="b", order_by="c")).select("n"), "bc", ""),
        (ONE.filter(ONE.a.isin(TWO.filter(TWO.y > 0).x)).select("b"), "ab", "xy"),
        (ONE.mutate(m=TWO.x.max().as_scalar()).select("m"), "", "x"),
    ],
)
def test_columns_are_read_where_rows_depend_on_them(rows: ir.Table, one: str, two: str) -> None:
    found = columns_read(rows)
    assert (found["one"], found["two"]) == (set(one), set(two))


@pytest.mark.slow
def test_no_table_changes_where_the_columns_that_it_does_not_read_are_emptied(
    tmp_path: Path,
) -> None:
    """So what is called not read by a table is not: all others are null, and rows are the same."""
    lake = tmp_path / "lake"
    write_sample(lake)
    url, tables = f"duckdb://{tmp_path}/mart.duckdb", models()
    build_tables(lake, url)
    warehouse, without = open_warehouse(url), 0
    with warehouse.reader() as backend:
        for spec in STAR + REPORTS:
            given = arguments(spec, tables, warehouse, None)
            if not given or not all(isinstance(each, ir.Table) for each in given.values()):
                continue
            emptied = {}
            for name, rows in given.items():
                changed = tables.get(name)
                reads = columns_of_spec(spec, tables, changed.full_name(), []) if changed else None
                unread = [] if reads is None else [c for c in rows.columns if c not in reads]
                without += len(unread)
                nulls = {each: ibis.null(rows[each].type()) for each in unread}
                emptied[name] = rows.mutate(**nulls) if nulls else rows
            before, now = (
                sorted(map(repr, rows_of(backend, conform(spec.model, spec.compute(**each)))))
                for each in (given, emptied)
            )
            assert now == before, spec.model.full_name()
    assert without > 150, "most tables do without many columns"
