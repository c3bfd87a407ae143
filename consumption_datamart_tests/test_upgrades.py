"""A table of an earlier version gets the columns of this one in place, and keeps its rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from consumption_datamart.errors import AuditError, WarehouseError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import SchemaVersion
from consumption_datamart.schema.table import Field, MartTable, Table
from consumption_datamart.schema.types import Day, Integer, Real, Text
from consumption_datamart.warehouse import Warehouse, open_warehouse, publish, read_ledger, upgrade
from consumption_datamart.warehouse.upgrade import SCHEMA_VERSION
from consumption_datamart_tests.compare import Tables, differing
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    Built,
    as_of_other_code,
    build,
    tables_of,
    without_monitoring,
)

ALL, SECOND = Days(day(1), day(3)), Days(day(2), day(2))


class Target(MartTable):
    """The first version of a table."""

    _day = "day"
    day: Day
    customer_id: Text
    share: Real = Field(description="A share.")


def version(**columns: tuple[object, object]) -> type[Table]:
    """Another version of that table, with these columns behind the first two."""
    body = {name: field for name, (_, field) in columns.items()} | {
        "__annotations__": {
            "day": Day,
            "customer_id": Text,
            **{name: dtype for name, (dtype, _) in columns.items()},
        },
        "__doc__": "Another version.",
        "__module__": __name__,
        "_day": "day",
    }
    return type(MartTable)("Target", (MartTable,), body)


SHARE = (Real, Field(description="A share."))
NOTE = (Text, Field(nullable=True, description="A note."))
COUNT = (Integer, Field(ge=0, description="A count."))


@pytest.fixture
def target(warehouse: str) -> Warehouse:
    """A warehouse with three days of the first version."""
    opened = open_warehouse(warehouse)
    publish(opened, Target, rows(ALL, share=0.5), ALL)
    return opened


def rows(days: Days, **columns: object) -> pd.DataFrame:
    """One row for each day."""
    found = pd.DataFrame({"day": pd.date_range(*days), "customer_id": "CUST-1"})
    return found.assign(**columns)


def stored(target: Warehouse, model: type[Table], *columns: str) -> list[tuple[object, ...]]:
    """The values of some columns, by day."""
    found = target.fetch(target.table(model)).sort_values("day")[list(columns)]
    plain = found.astype(object).where(found.notna(), None)
    return [tuple(row) for row in plain.itertuples(index=False)]


def test_a_new_column_is_added_and_the_other_days_keep_their_rows(target: Warehouse) -> None:
    later = version(share=SHARE, note=NOTE, count=COUNT)
    publish(target, later, rows(SECOND, share=0.7, note="new", count=3), SECOND)
    old = (0.5, None, None)
    assert stored(target, later, "share", "note", "count") == [old, (0.7, "new", 3), old]
    publish(target, later, rows(ALL, share=0.1, note=None, count=1), ALL)
    assert stored(target, later, "share", "note", "count") == [(0.1, None, 1)] * 3


def test_a_required_column_that_was_added_must_be_filled(target: Warehouse) -> None:
    later = version(share=SHARE, count=COUNT)
    publish(target, later, rows(SECOND, share=0.7, count=3), SECOND)
    missing = rows(SECOND, share=0.7, count=pd.Series([None], dtype="Int64"))
    with pytest.raises(AuditError, match="count is filled"):
        publish(target, later, missing, SECOND)
    assert stored(target, later, "count") == [(None,), (3,), (None,)]


def test_a_column_that_is_no_more_is_dropped(target: Warehouse) -> None:
    later = version(note=NOTE)
    publish(target, later, rows(SECOND, note="new"), SECOND)
    assert stored(target, later, "note") == [(None,), ("new",), (None,)]


def test_a_publication_that_fails_leaves_the_table_as_it_was(target: Warehouse) -> None:
    later = version(share=SHARE, count=COUNT)
    with pytest.raises(AuditError):
        publish(target, later, rows(SECOND, share=0.7, count=-1), SECOND)
    assert stored(target, Target, "share") == [(0.5,)] * 3


def test_a_column_of_another_type_begins_the_table_anew(
    target: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    later = version(share=(Text, Field(description="In words.")))
    with caplog.at_level("INFO"):
        publish(target, later, rows(SECOND, share="half"), SECOND)
    assert stored(target, later, "share") == [("half",)]
    assert "mart.target: column share was float64 and is string; it is begun anew" in caplog.text


def test_what_cannot_be_kept_is_told_before_anything_is_changed(target: Warehouse) -> None:
    later = version(share=(Text, Field(description="In words.")), note=NOTE)
    told: list[str] = []
    upgrade(target, [later], told.append)
    assert told == ["mart.target: column share was float64 and is string; it is built anew"]
    assert stored(target, later, "share", "note") == []
    assert later.full_name() not in read_ledger(target).published, "it is built again"
    told.clear()
    upgrade(target, [version(share=(Text, Field(description="In words.")))], told.append)
    assert told == ["mart.target: column note is dropped"]
    upgrade(target, [version(share=(Text, Field(description="In words.")))], told.append)
    assert len(told) == 1


def test_a_warehouse_of_a_later_version_is_not_touched(target: Warehouse) -> None:
    upgrade(target, [Target])
    with target.transaction() as transaction:
        transaction.clear(SchemaVersion)
        transaction.append(SchemaVersion, [(SCHEMA_VERSION + 1, "of a later version")])
    with pytest.raises(WarehouseError, match=f"version {SCHEMA_VERSION + 1}.*upgrade consumption"):
        upgrade(target, [Target])


def write_lake(lake: Path) -> None:
    """Two days of usage under an entitlement."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement(starts_on=day(1), ends_on=day(90))])
    for number in (1, 2):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of that lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake)


LACKING = {
    "monitoring.check_result": "threshold",
    "monitoring.figure": "figure",
    "mart.fact_usage_daily": "infrastructure",
    "mart.dim_product": "unit",
    "lake.raw_telemetry": "infrastructure",
}
"""A column of each table that an earlier version did not have."""


def test_a_mart_that_lacks_columns_goes_on_and_keeps_its_history(
    built: Built, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mart = built.copy(tmp_path, engine)
    before = tables_of(mart.url)
    for sql in [f"{name} DROP COLUMN {column}" for name, column in LACKING.items()]:
        alter(mart.url, engine, sql)
    as_of_other_code(monkeypatch)
    build(*mart)
    after = tables_of(mart.url)
    assert differing(without_monitoring(after), without_monitoring(before)) == {}
    assert results(after) >= results(before)


def alter(url: str, engine: str, sql: str) -> None:
    """Change a table by hand, where readers and where writers see it."""
    path = url.split("://")[1]
    if engine == "sqlite":
        table, change = sql.split(" ", 1)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f'ALTER TABLE "{table}" {change}')
        return
    for file in (path, path.replace("warehouse.", "warehouse.working.")):
        with duckdb.connect(file) as connection:
            connection.execute(f"ALTER TABLE {sql}")


def results(tables: Tables) -> set[tuple[object, ...]]:
    """Which checks were evaluated, and when."""
    names = ("evaluated_at", "checked_table", "check_name", "checked_day", "passed")
    return {tuple(row[name] for name in names) for row in tables["monitoring.check_result"]}
