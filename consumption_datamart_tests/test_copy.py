"""A mart is copied to another engine whole or not at all, and is built on from there."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from consumption_datamart.assets.star.days import dim_day
from consumption_datamart.definitions import models
from consumption_datamart.schema.dimensions import DimDay, DimProduct
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.schema.monitoring import MONITORING
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import open_warehouse, publish, read_ledger
from consumption_datamart.warehouse.copying import copy_mart
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import Tables, differing
from consumption_datamart_tests.mart import SLOW, Mart, as_written, build, tables_of
from consumption_datamart_tests.mart import copy_mart as copy_files

LAST = date(2026, 3, 31)
TABLES = [*models().values(), *MONITORING]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lake of a few customers, with dirt, and its mart on DuckDB."""
    folder = tmp_path_factory.mktemp("copied")
    simulate(
        folder / "lake", days=32, customers=5, products=4, rows_per_day=6, end=LAST, seed=5,
        dirt=0.1, format="csv",
    )  # fmt: skip
    mart = Mart.of(folder, "duckdb")
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def mart(built: Path, tmp_path: Path) -> Mart:
    """A copy of both."""
    found = copy_files(built, tmp_path, "duckdb")
    shutil.copyfile(built / "warehouse.alerts.sqlite", tmp_path / "warehouse.alerts.sqlite")
    return found


def all_tables(url: str) -> Tables:
    """All tables as writers see them, and the alerts, wherever they are kept."""
    tables = tables_of(as_written(url))
    kept = open_warehouse(url).operations()
    if kept.url != url and kept.is_there():
        tables |= tables_of(kept.url)
    tables.pop("monitoring.release", None)
    return tables


def copied(mart: Mart, to: str, *more: object) -> list[dict[str, object]]:
    """What the command says that it has copied."""
    ended = cli.run("copy", "--warehouse", mart.url, "--to", to, "--format", "json", *more)
    assert (ended.code, ended.err) == (0, "")
    return json.loads(ended.out)


def test_a_mart_goes_from_engine_to_engine_and_is_built_on_there(
    mart: Mart, database: str, tmp_path: Path
) -> None:
    expected = all_tables(mart.url)
    assert expected["monitoring.alert_evaluation"], "alerts are copied, too"
    last = mart
    for url in (database, f"sqlite://{tmp_path}/copy.sqlite", f"duckdb://{tmp_path}/copy.duckdb"):
        told = copied(last, url)
        found, last = all_tables(url), Mart(mart.lake, url)
        assert differing(found, expected) == {}
        assert found.keys() == expected.keys()
        assert {each["table"]: each["rows"] for each in told} == {
            name: len(rows) for name, rows in found.items()
        }
        assert build(*last).tables == [], "nothing is new"
    assert tables_of(last.url).keys() - {"monitoring.release"} <= expected.keys(), "is released"
    dumps = sorted((mart.lake / "telemetry").iterdir())
    dumps[20].write_bytes(dumps[21].read_bytes())
    changed = {each.name for each in build(*last).tables}
    assert "mart/fact_usage_daily" in changed
    assert "lake/raw_invoices" not in changed


def test_what_holds_a_mart_is_replaced_only_if_that_is_said(mart: Mart, tmp_path: Path) -> None:
    other = Mart(tmp_path / "smaller", f"duckdb://{tmp_path}/other.duckdb")
    shutil.copytree(mart.lake, other.lake)
    (other.lake / "telemetry" / f"{LAST}.csv").unlink()
    build(*other)
    before = all_tables(other.url)
    ended = cli.run("copy", "--warehouse", mart.url, "--to", other.url)
    assert (ended.code, ended.out) == (1, "")
    assert f"warehouse {other.url}: it holds a mart already" in ended.err
    assert all_tables(other.url) == before
    copied(mart, other.url, "--replace")
    assert differing(all_tables(other.url), all_tables(mart.url)) == {}
    seen = tables_of(other.url)["mart.reporting_day"]
    assert max(row["day"] for row in seen) == LAST, "what readers see"


@SLOW
def test_a_release_without_raw_telemetry_is_of_the_copy(
    mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUMPTION_DATAMART_RELEASE_RAW", "false")
    target = f"duckdb://{tmp_path}/other.duckdb"
    publish(open_warehouse(target), DimDay, dim_day().head(3))
    open_warehouse(target).release()
    copied(mart, target, "--replace")
    seen = tables_of(target)
    assert raw_of(Telemetry).full_name() not in seen
    assert differing(seen, {"mart.dim_day": all_tables(mart.url)["mart.dim_day"]}) == {}
    # nor is there telemetry where only such a release is left: it is loaded anew
    (tmp_path / "other.working.duckdb").unlink()
    rest = f"sqlite://{tmp_path}/rest.sqlite"
    ended = cli.run("copy", "--warehouse", target, "--to", rest)
    assert ended.code == 0
    assert "Not copied: lake.raw_telemetry" in ended.err
    assert "lake/raw_telemetry" in {each.name for each in build(mart.lake, rest).tables}
    assert differing(tables_of(rest), without_history(all_tables(mart.url))) == {}


def without_history(tables: Tables) -> Tables:
    """The tables that say nothing of when they were made."""
    return {name: rows for name, rows in tables.items() if not name.startswith("monitoring.")}


SPOILED = {
    "that changes what it is given": (
        "AFTER INSERT", "UPDATE \"{table}\" SET product_name = 'x'", "rows with checksum",
    ),
    "that takes it not": ("BEFORE INSERT", "SELECT RAISE(ABORT, 'no more')", "no more"),
}  # fmt: skip


@pytest.mark.parametrize(("when", "what", "told"), SPOILED.values(), ids=SPOILED)
def test_a_target_gets_nothing(when: str, what: str, told: str, mart: Mart, tmp_path: Path) -> None:
    """A table among the last to be copied has a trigger."""
    url, table = f"sqlite://{tmp_path}/copy.sqlite", DimProduct.full_name()
    with open_warehouse(url).transaction() as transaction:
        transaction.require(DimProduct)
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as connection:
        statement = what.format(table=table)
        connection.execute(f'CREATE TRIGGER spoil {when} ON "{table}" BEGIN {statement}; END')
    ended = cli.run("copy", "--warehouse", mart.url, "--to", url)
    assert (ended.code, ended.out) == (1, "")
    assert told in ended.err
    assert table in ended.err
    assert {name: rows for name, rows in tables_of(url).items() if rows} == {}


def test_what_cannot_be_copied_is_told(mart: Mart, tmp_path: Path) -> None:
    (tmp_path / "link.duckdb").symlink_to(tmp_path / "warehouse.duckdb")
    cases = {
        "it is the one that is to be copied": (mart.url, f"duckdb://{tmp_path}/link.duckdb"),
        "there is none; build it first": (f"sqlite://{tmp_path}/no.sqlite", mart.url),
        "there is no folder": (mart.url, f"sqlite://{tmp_path}/nowhere/copy.sqlite"),
        "'mysql://me:***@h/d': unknown engine": (mart.url, "mysql://me:geheim@h/d"),
    }
    for told, (source, target) in cases.items():
        ended = cli.run("copy", "--warehouse", source, "--to", target, "--replace")
        assert (ended.code, ended.out) == (1, "")
        assert told in ended.err
        assert "geheim" not in ended.err
    with duckdb.connect(open_warehouse(mart.url).working) as connection:
        connection.execute("ALTER TABLE mart.dim_product DROP COLUMN metering")
    ended = cli.run("copy", "--warehouse", mart.url, "--to", f"sqlite://{tmp_path}/copy.sqlite")
    assert ended.code == 1
    assert "mart.dim_product has other columns than this version (metering)" in ended.err
    assert "run consumption-datamart upgrade" in ended.err


def test_tables_that_nobody_knows_are_left_and_the_ledger_of_the_copy_says_so(
    mart: Mart, tmp_path: Path
) -> None:
    target = open_warehouse(f"sqlite://{tmp_path}/copy.sqlite")
    known = [each for each in TABLES if each is not DimProduct]
    result = copy_mart(open_warehouse(mart.url), target, known)
    assert result.left == ["mart.dim_product"]
    ledger, before = read_ledger(target), read_ledger(open_warehouse(mart.url))
    assert before.published.keys() - ledger.published.keys() == {"mart.dim_product"}
