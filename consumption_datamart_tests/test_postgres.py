"""The mart on PostgreSQL is what the oracle makes of the lake, built whole or in steps."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from consumption_datamart.schema.alerts import ALERTS
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli, postgres_server
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.mart import MODELS, Mart, build, build_tables, tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.postgres_server import database_of, run
from consumption_datamart_tests.strategies import SmallLake, lakes
from consumption_datamart_tests.test_properties import SLOW, is_filled

SAMPLE = Path(__file__).parent.parent / "source_data"
LAST = date(2026, 3, 31)
WHOLE = """CREATE TABLE lake.whole (LIKE lake.raw_telemetry);
    INSERT INTO lake.whole TABLE lake.raw_telemetry;
    DROP TABLE lake.raw_telemetry;
    ALTER TABLE lake.whole RENAME TO raw_telemetry"""
LACKING = "ALTER TABLE lake.raw_telemetry DROP COLUMN source"


def partitions(url: str) -> dict[str, int]:
    """Those of raw telemetry by name, and how many rows each has."""
    database = database_of(url)
    names = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1"
    return {
        name: run(database, f"SELECT count(*) FROM lake.{name}")[0][0]
        for (name,) in run(database, names)
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """A lake of a few customers, with dirt, and its mart."""
    lake = tmp_path_factory.mktemp("simulated") / "lake"
    simulate(
        lake, days=32, customers=6, products=4, rows_per_day=9, end=LAST, seed=3, dirt=0.1,
        format="csv",
    )  # fmt: skip
    url = postgres_server.new_database()
    ended = cli.run("build", "--lake", lake, "--warehouse", url)
    assert ended.code == 0, ended.err
    return Mart(lake, url)


@pytest.fixture
def mart(built: Mart, tmp_path: Path) -> Iterator[Mart]:
    """A copy of it."""
    lake, url = tmp_path / "lake", postgres_server.new_database(database_of(built.url))
    shutil.copytree(built.lake, lake)
    yield Mart(lake, url)
    postgres_server.drop_database(url)


def test_a_build_fills_every_table(built: Mart) -> None:
    tables = tables_of(built.url)
    alerts = {model.full_name() for model in ALERTS}
    assert tables.keys() - alerts | {"monitoring.release"} == MODELS.keys()
    assert differing(tables, expected_tables(built.lake)) == {}


def test_what_has_changed_is_built_and_nothing_else(mart: Mart) -> None:
    assert build(*mart).tables == []
    dumps = sorted((mart.lake / "telemetry").iterdir())
    dumps[5].write_bytes(dumps[6].read_bytes().replace(b"EV", b"EW"))
    dumps[20].unlink()
    assert build(*mart).tables
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_raw_telemetry_is_kept_by_month(built: Mart) -> None:
    months = partitions(built.url)
    assert list(months) == ["raw_telemetry_2026_02", "raw_telemetry_2026_03"]
    for name, count in months.items():
        month = name.removeprefix("raw_telemetry_").replace("_", "-")
        where = f"to_char(dump_day, 'YYYY-MM') = '{month}'"
        ((found,),) = run(
            database_of(built.url), f"SELECT count(*) FROM lake.raw_telemetry WHERE {where}"
        )
        assert count == found > 0
    plan = run(
        database_of(built.url),
        "EXPLAIN SELECT * FROM lake.raw_telemetry WHERE dump_day = '2026-03-02'",
    )
    assert "raw_telemetry_2026_03" in str(plan)
    assert "raw_telemetry_2026_02" not in str(plan)


def test_readers_do_not_wait_while_a_month_is_made(mart: Mart) -> None:
    target, model = open_warehouse(mart.url), MODELS["lake.raw_telemetry"]
    before = tables_of(mart.url)[model.full_name()]
    rows = [before[0] | {"dump_day": date(2026, 4, 1)}]
    with target.transaction([model]) as transaction:
        arrow = pa.Table.from_pylist(rows, schema=model.ibis_schema().to_pyarrow())
        transaction.load(model, transaction.stage(arrow))
        impatient = target.waiting_at_most(0.2)
        seen = impatient.find(model)
    assert seen is not None
    assert len(seen) == len(before)
    assert len(tables_of(mart.url)[model.full_name()]) == len(before) + 1


@pytest.mark.parametrize("change", [WHOLE, LACKING, f"{WHOLE}; {LACKING}"])
def test_raw_telemetry_of_an_earlier_version_stays(mart: Mart, change: str) -> None:
    """Made in one piece, or without a column that is required now."""
    run(database_of(mart.url), f"{change}; DELETE FROM monitoring.schema_version")
    (mart.lake / "telemetry" / "2026-04-02.csv").write_bytes(
        (mart.lake / "telemetry" / f"{LAST}.csv").read_bytes().replace(b"2026-03-31", b"2026-04-02")
    )
    assert build(*mart).failures == {}
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}
    assert len(partitions(mart.url)) == (0 if change == WHOLE else 3)


@hypothesis_settings(SLOW, max_examples=1)
@given(lakes(max_days=40).filter(is_filled))
def test_any_lake(drawn: SmallLake) -> None:
    url = postgres_server.new_database()
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder, "lake")
        lake.mkdir()
        drawn.write(lake)
        build_tables(lake, url)
        assert differing(tables_of(url), expected_tables(lake)) == {}
    postgres_server.drop_database(url)


@pytest.mark.slow
def test_a_preview_is_built_beside_and_leaves_nothing(mart: Mart) -> None:
    before = tables_of(mart.url)
    (mart.lake / "telemetry" / f"{LAST}.csv").unlink()
    run(database_of(mart.url), "CREATE SCHEMA datamart_preview_killed")
    ended = cli.run("build", "--preview", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 0, ended.err
    assert "fact_usage_daily" in ended.out
    assert tables_of(mart.url) == before
    left = run(database_of(mart.url), "SELECT FROM pg_namespace WHERE nspname ~ 'preview'")
    assert left == []


def test_several_marts_are_in_one_database(mart: Mart) -> None:
    before = tables_of(mart.url)
    build_tables(mart.lake, f"{mart.url}&prefix=dev_", only=["mart.dim_day"])
    after = tables_of(mart.url)
    assert {name: after[name] for name in before} == before
    assert len(after["dev_mart.dim_day"]) == len(before["mart.dim_day"])


def test_every_command_that_reads_reads_it(built: Mart, tmp_path: Path) -> None:
    for command in (
        ["report"],
        ["page", "--out", tmp_path / "site"],
        ["trends", "--export", tmp_path / "trends.html"],
        ["slo"],
        ["alerts"],
        ["quarantine"],
    ):
        ended = cli.run(*command, "--warehouse", built.url)
        assert ended.code == 0, ended.err
    ended = cli.run("diff", built.url, built.url)
    assert (ended.code, ended.out) == (0, "They are the same.\n")


@pytest.mark.slow
def test_the_sample_is_built_as_the_oracle_has_it(database: str, tmp_path: Path) -> None:
    build(SAMPLE, database)
    assert differing(tables_of(database), expected_tables(SAMPLE)) == {}
    other = f"duckdb://{tmp_path}/warehouse.duckdb"
    build_tables(SAMPLE, other)
    ended = cli.run("diff", database, other)
    assert (ended.code, ended.out) == (0, "They are the same.\n")
