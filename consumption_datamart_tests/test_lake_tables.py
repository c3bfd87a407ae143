"""Sources that are tables of Delta Lake or Iceberg are read like files of the same rows."""

import shutil
import sys
from datetime import date
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest
import s3fs

from consumption_datamart.definitions import build_definitions
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import listing
from consumption_datamart.planning.news import lake_news
from consumption_datamart.schema.lake import CONTRACTS
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse, read_ledger
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import differences
from consumption_datamart_tests.lake_tables import DAY, DeltaTable, IcebergTable, of, with_days
from consumption_datamart_tests.lakes import (
    arrow_table,
    day,
    entitlement,
    invoice,
    noon,
    usage,
    write_dump,
)
from consumption_datamart_tests.mart import ONLY_LOADED, build_tables, tables_of

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:pyiceberg", "ignore::ResourceWarning"
)
Table = DeltaTable | IcebergTable
SOURCE = f"""
[[telemetry]]
name = "api"
files = "bi/telemetry"
format = "{{format}}"
day = "{DAY}"
"""
RAW = "lake.raw_telemetry"
FIRST = [usage(event_id=str(n), event_ts=noon(n), quantity=float(n)) for n in (1, 2)]
BAD = usage(event_id="bad", event_ts=noon(2), quantity=-1.0)
THIRD = [usage(event_id=str(n), event_ts=noon(3), quantity=8.0) for n in (3, 4)]


@pytest.fixture(params=[DeltaTable, IcebergTable])
def table(request: pytest.FixtureRequest, lake: Path) -> Table:
    """A table of two days in a lake whose invoices and entitlements are files."""
    return filled(request.param, lake)


def filled(kind: type[Table], lake: Path, **how: bool) -> Table:
    """A lake with such a table."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    table = kind(str(lake / "bi" / "telemetry"), **how)
    (lake / "bi").mkdir()
    (lake / "lake.toml").write_text(SOURCE.format(format=table.name))
    table.append(with_days([*FIRST, BAD]))
    return table


def built(lake: Path, warehouse: str) -> str:
    """What `build` tells."""
    ended = cli.run("build", "--lake", lake, "--warehouse", warehouse)
    assert ended.code == 0, ended.err
    return ended.out


def loaded(lake: Path | str, warehouse: str) -> None:
    """Loads telemetry, and nothing else."""
    build_tables(lake, warehouse, {RAW})


def ids(warehouse: str) -> set[tuple[object, object]]:
    """The events in the raw table, each with its day."""
    rows = tables_of(warehouse)["lake.raw_telemetry"]
    return {(row["dump_day"], row["event_id"]) for row in rows}


def news(lake: Path, warehouse: str) -> dict[str, set[date]]:
    """The days that a build would load, by raw table; of those that any is loaded of."""
    opened = open_warehouse(warehouse)
    found = lake_news(opened, listing(Lake(str(lake))), CONTRACTS, read_ledger(opened))
    return {name: set(days) for name, days in found.changed.items() if days and "raw" in name}


def test_the_ui_calls_it_what_it_is(table: Table, lake: Path) -> None:
    specs = build_definitions(Settings(lake=str(lake))).resolve_all_asset_specs()
    kinds = {spec.key.to_user_string(): spec.kinds for spec in specs}
    assert kinds["lake/telemetry/api"] == {{"delta": "deltalake"}.get(table.name, table.name)}
    assert kinds["lake/invoices"] == {"file"}


def test_the_rows_are_those_of_files_with_the_same(
    table: Table, lake: Path, tmp_path: Path
) -> None:
    table.append(with_days(THIRD))
    url, other = (f"duckdb://{tmp_path}/{name}.duckdb" for name in ("tables", "files"))
    loaded(lake, url)
    for number in (1, 2, 3):
        rows = [row for row in [*FIRST, BAD, *THIRD] if row["event_ts"] == noon(number)]
        write_dump(lake, "telemetry", day(number), rows, format="parquet")
    (lake / "lake.toml").unlink()
    loaded(lake, other)
    found, expected = tables_of(url), tables_of(other)
    columns = [name for name in expected[RAW][0] if name != "source"]
    assert differences(found[RAW], expected[RAW], columns) == []
    (aside,) = found["lake.quarantine_telemetry"]
    assert (aside["file"], aside["reason"]) == (f"bi/telemetry/{DAY}={day(2)}", "out_of_range")


def test_only_days_whose_files_have_changed_are_loaded(
    table: Table, lake: Path, warehouse: str
) -> None:
    loaded(lake, warehouse)
    assert RAW not in news(lake, warehouse)
    table.append(with_days(THIRD))
    assert news(lake, warehouse)[RAW] == {day(3)}
    loaded(lake, warehouse)
    table.replace(of(day(2)), with_days([usage(event_id="new", event_ts=noon(2))]))
    assert news(lake, warehouse)[RAW] == {day(2)}
    loaded(lake, warehouse)
    table.delete(of(day(1)))
    loaded(lake, warehouse)
    assert ids(warehouse) == {(day(2), "new"), (day(3), "3"), (day(3), "4")}


@pytest.mark.parametrize("kind", ["date", "text", "moment"])
@pytest.mark.parametrize("format_", [DeltaTable, IcebergTable])
def test_a_file_may_hold_several_days_and_a_day_be_of_any_type(
    format_: type[Table], kind: str, tmp_path: Path, lake: Path
) -> None:
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    table = format_(str(lake / "bi" / "telemetry"), is_partitioned=False)
    (lake / "bi").mkdir()
    (lake / "lake.toml").write_text(SOURCE.format(format=table.name))
    table.append(with_days([FIRST[0], *THIRD], kind=kind))
    table.append(with_days(THIRD[:1], kind=kind))
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    loaded(lake, url)
    assert ids(url) == {(day(1), "1"), (day(3), "3"), (day(3), "4")}
    assert RAW not in news(lake, url)


def test_what_a_deletion_vector_deletes_is_not_loaded(lake: Path, warehouse: str) -> None:
    table = filled(DeltaTable, lake, is_partitioned=False)
    assert isinstance(table, DeltaTable)
    loaded(lake, warehouse)
    table.mark_deleted(1)
    loaded(lake, warehouse)
    assert ids(warehouse) == {(day(1), "1")}


@ONLY_LOADED
def test_a_table_without_days_is_a_snapshot(lake: Path, warehouse: str, tmp_path: Path) -> None:
    (lake / "bi").mkdir()
    for format_, name in ((DeltaTable, "invoices"), (IcebergTable, "entitlements")):
        row = invoice(invoice_date=day(1)) if name == "invoices" else entitlement()
        format_(f"{lake}/bi/{name}", is_partitioned=False).append(arrow_table(name, [row]))
        text = f'[[{name}]]\nname = "erp"\nfiles = "bi/{name}/"\nformat = "{format_.name}"\n'
        with (lake / "lake.toml").open("a") as file:
            file.write(text)
    built(lake, warehouse)
    tables = tables_of(warehouse)
    assert [row["invoice_id"] for row in tables["lake.raw_invoices"]] == ["INV-1"]
    assert [row["entitlement_id"] for row in tables["lake.raw_entitlements"]] == ["ENT-1"]
    assert news(lake, warehouse) == {}


@ONLY_LOADED
def test_a_table_that_cannot_be_read_keeps_its_rows_and_stops_no_other(
    table: Table, lake: Path, warehouse: str
) -> None:
    built(lake, warehouse)
    before = ids(warehouse)
    (lake / "bi" / "telemetry").rename(lake / "bi" / "elsewhere")
    write_dump(lake, "invoices", day(2), [invoice(invoice_id="INV-2", invoice_date=day(2))])
    ended = cli.run("build", "--lake", lake, "--warehouse", warehouse)
    assert ended.code == 1
    assert f"source telemetry 'api': the {table.name} table {lake}/bi/telemetry" in ended.err
    assert ids(warehouse) == before
    loaded = {row["invoice_id"] for row in tables_of(warehouse)["lake.raw_invoices"]}
    assert loaded == {"INV-1", "INV-2"}
    checked = cli.run("check-lake", "--lake", lake)
    assert checked.code == 1
    assert f"the {table.name} table {lake}/bi/telemetry" in checked.out + checked.err


def test_what_check_lake_tells_of_a_table(table: Table, lake: Path) -> None:
    ended = cli.run("check-lake", "--lake", lake)
    assert ended.code == 1, "a third of the rows is set aside"
    assert f"bi/telemetry/{DAY}={day(2)}" in ended.out
    assert "taken by no source" not in ended.out + ended.err


def test_a_row_without_a_day_is_told(table: Table, lake: Path) -> None:
    rows = with_days(THIRD)
    table.append(rows.set_column(rows.num_columns - 1, DAY, pa.nulls(2, pa.date32())))
    (told,) = listing(Lake(str(lake))).remarks
    assert f"{DAY} is null in 2 rows" in told


@pytest.mark.parametrize("written", ["%Y%m%d", "%G-W%V-%u"])
def test_a_text_that_is_no_day_as_they_are_written_is_told(
    written: str, table: Table, lake: Path
) -> None:
    """Rows are found by `2026-01-03`, so that nothing would be loaded of such a table."""
    text = pa.array([f"{day(3):{written}}"] * 2)
    shutil.rmtree(table.uri)
    table = type(table)(table.uri)
    rows = with_days(THIRD)
    table.append(rows.set_column(rows.num_columns - 1, DAY, text))
    (told,) = listing(Lake(str(lake))).remarks
    assert f"'{text[0]}' is no day" in told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            (f'day = "{DAY}"', 'day = "when"'),
            "day = 'when': there is no such column; it has event_id",
        ),
        ((f'day = "{DAY}"', 'day = "quantity"'), "day = 'quantity': double has no days"),
        ((f'day = "{DAY}"', ""), "it does not say of which day a file is; set day"),
        (("bi/telemetry", "bi/{day}"), "a table is one folder"),
        (('format = "delta"', ""), "only a table has a day column"),
    ],
)
def test_a_mistake_is_told(changed: tuple[str, str], told: str, lake: Path) -> None:
    filled(DeltaTable, lake)
    (lake / "lake.toml").write_text(SOURCE.format(format="delta").replace(*changed))
    ended = cli.run("check-lake", "--lake", lake)
    assert ended.code == 1
    assert told in ended.out + ended.err


def test_an_extra_that_is_missing_is_named(
    table: Table, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("deltalake", "pyiceberg.table"):
        monkeypatch.setitem(sys.modules, name, None)
    (told,) = listing(Lake(str(lake))).remarks
    assert f"pip install 'consumption-datamart[{table.name}]' first" in told


@pytest.fixture
def bucket(s3: None) -> str:
    """A folder in a bucket of S3."""
    name = f"lake-{uuid4()}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    return f"s3://{name}/own"


@pytest.mark.parametrize("format_", [DeltaTable, IcebergTable])
def test_a_table_in_a_store(format_: type[Table], bucket: str, tmp_path: Path) -> None:
    format_(f"{bucket}/bi/telemetry").append(with_days([*FIRST, *THIRD]))
    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.pipe(f"{bucket}/lake.toml", SOURCE.format(format=format_.name).encode())
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    loaded(bucket, url)
    assert ids(url) == {(day(1), "1"), (day(2), "2"), (day(3), "3"), (day(3), "4")}
