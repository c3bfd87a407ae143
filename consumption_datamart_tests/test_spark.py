"""Spark: what is published is what the last commit says, whoever is killed or writes besides.

On Sail, a server of Spark Connect on this machine. Builds at length are in test_servers.py.
"""

import gc
import shutil
import sys
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import ibis
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.errors.exceptions.connect import SparkException

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import AuditError, WarehouseError
from consumption_datamart.lake import loading
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.settings import Settings
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import (
    Warehouse,
    open_warehouse,
    publish,
    read_ledger,
    rows_of,
)
from consumption_datamart.warehouse.spark import working
from consumption_datamart.warehouse.spark.commits import Commit, Commits
from consumption_datamart.warehouse.spark.place import place_of
from consumption_datamart.warehouse.spark.transaction import SparkTransaction
from consumption_datamart.warehouse.sql import sql_in
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.mart import SLOW, Mart, build, load_table, tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.sail_server import location_of, new_mart, port, server, tables_in
from consumption_datamart_tests.test_publication import MODEL, OLD, as_frame, row

PLACE = "spark://spark.example.com:15002?location=/srv/mart"
SECRET = "s3cret/ü"
LAST = date(2026, 3, 31)
NAME = MODEL.full_name()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """A small lake with dirt, and its mart."""
    mart = Mart(tmp_path_factory.mktemp("simulated") / "lake", new_mart())
    simulate(
        mart.lake, days=4, customers=3, products=2, rows_per_day=9, end=LAST, seed=3, dirt=0.2,
        format="csv",
    )  # fmt: skip
    build(*mart)
    return mart


@pytest.fixture
def target() -> Warehouse:
    """A warehouse in which a table has its old rows."""
    opened = open_warehouse(new_mart())
    publish(opened, MODEL, as_frame(OLD))
    return opened


def at_head(target: Warehouse) -> list[dict[str, Any]]:
    """The rows that those see who know nothing of commits."""
    rows = DeltaTable(location_of(target.url) / NAME.replace(".", "/")).to_pyarrow_table()
    return sorted(rows.to_pylist(), key=lambda each: each["day"])


def published(target: Warehouse) -> list[dict[str, Any]]:
    """The rows that the last commit says."""
    return sorted(tables_in(target.url)[NAME], key=lambda each: each["day"])


def test_a_build_fills_every_table(built: Mart) -> None:
    assert differing(tables_of(built.url), expected_tables(built.lake)) == {}
    assert build(*built).tables == []


def test_readers_see_one_state_of_all_tables(target: Warehouse) -> None:
    with target.reader() as backend:
        publish(target, MODEL, as_frame([row(9)]))
        days = rows_of(backend, target.table(MODEL).select("day").order_by("day"))
        assert [day for (day,) in days] == [each["day"] for each in OLD]
    assert published(target) == [row(9)]
    with target.snapshot() as seen:
        publish(target, MODEL, as_frame(OLD))
        assert len(seen.whole_rows(MODEL)) == 1
        assert len(target.whole_rows(MODEL)) == len(OLD)


def test_days_are_replaced_in_one_version(target: Warehouse) -> None:
    """Also to those who know nothing of commits a table is never half empty."""
    table = DeltaTable(location_of(target.url) / NAME.replace(".", "/"))
    before = table.version()
    publish(
        target, MODEL, as_frame([row(2, used_quantity=7.0)]), Days(row(2)["day"], row(2)["day"])
    )
    table.update_incremental()
    assert table.version() == before + 1
    assert row(2, used_quantity=7.0) in published(target)


def test_tables_are_tidied_up_now_and_then(
    target: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "TIDY_EVERY", 3)
    for number in range(4, 8):
        only = Days(row(number)["day"], row(number)["day"])
        publish(target, MODEL, as_frame([row(number)]), only)
    assert published(target) == at_head(target) == [*OLD, *map(row, range(4, 8))]
    ledger = location_of(target.url) / "monitoring" / "publication"
    assert (ledger / "_delta_log" / "_last_checkpoint").exists()
    published_so_far = read_ledger(target).of(NAME)
    assert len(published_so_far) == 1 + 4, "all of it once, and four days"
    assert len(DeltaTable(ledger).file_uris()) < len(published_so_far)


def test_what_fails_is_taken_back_at_once(target: Warehouse) -> None:
    with pytest.raises(AuditError):
        publish(target, MODEL, as_frame([row(5, used_quantity=-1.0)]))
    assert published(target) == at_head(target) == OLD


def test_what_a_killed_writer_left_is_taken_back_by_the_next(target: Warehouse) -> None:
    left = DeltaTable(location_of(target.url) / NAME.replace(".", "/"))
    write_deltalake(left, left.to_pyarrow_table().slice(0, 1), mode="overwrite")
    assert published(target) == OLD
    assert len(at_head(target)) == 1
    publish(target, MODEL, as_frame([row(9)]), Days(row(9)["day"], row(9)["day"]))
    assert published(target) == at_head(target) == [*OLD, row(9)]


def test_who_writes_without_the_lease_stops_who_has_it(target: Warehouse) -> None:
    table = DeltaTable(location_of(target.url) / NAME.replace(".", "/"))

    def beside() -> None:
        with target.transaction([MODEL]) as opened:
            opened.load(MODEL, opened.stage(as_frame([row(8)])))
            write_deltalake(table, table.to_pyarrow_table().slice(0, 1), mode="append")
            opened.load(MODEL, opened.stage(as_frame([row(9)])))

    with pytest.raises(WarehouseError, match=f"another process writes to {NAME}; nothing was publ"):
        beside()
    assert published(target) == OLD


def test_a_commit_is_made_once(target: Warehouse) -> None:
    commits = Commits(str(location_of(target.url)), target.url)
    last = commits.last()
    with pytest.raises(WarehouseError, match="another process has written to it meanwhile"):
        commits.write(Commit(last.number, {}))
    assert commits.last() == last


def test_floats_stay_floats_and_nothing_counts_as_none() -> None:
    rows = ibis.table({"x": "float64", "b": "boolean"}, name="t", database="mart")
    asked = rows.aggregate(x=rows.x.fill_null(0.0).sum(), n=rows.count())
    query = sql_in("pyspark", asked)
    assert "CAST(0.0 AS DOUBLE)" in query
    assert "COUNT_IF(TRUE)" in query


def test_a_session_that_is_collected_as_garbage_disturbs_no_other(target: Warehouse) -> None:
    """Each run of a process has one of its own; Spark's client shares threads among them."""
    rows = target.table(MODEL)
    with target.reader() as backend:
        for _ in range(5):
            assert len(open_warehouse(target.url).fetch(rows)) == len(OLD)
            gc.collect()
            assert len(rows_of(backend, rows)) == len(OLD)


def test_a_server_that_comes_back_is_asked_again() -> None:
    """Nothing is asked twice by itself: rows would be added twice."""
    with server() as there:
        target = open_warehouse(f"spark://127.0.0.1:{there}?location={location_of(new_mart())}")
        publish(target, MODEL, as_frame(OLD))
    with pytest.raises(WarehouseError, match=f"warehouse spark://127.0.0.1:{there}"):
        target.fetch(target.table(MODEL))
    with server(there):
        assert len(target.fetch(target.table(MODEL))) == len(OLD)


def test_a_session_that_spark_has_ended_is_begun_anew(target: Warehouse) -> None:
    sessions = target.sessions
    with sessions.open() as first:
        pass
    with sessions.open() as kept:
        assert kept is first
    ended = SparkException("it is gone", errorClass="INVALID_HANDLE.SESSION_NOT_FOUND")
    with pytest.raises(WarehouseError, match="it is gone"), sessions.open():
        raise ended
    with sessions.open() as another:
        assert another is not first
        assert another.sql("SELECT 1").collect()


@SLOW
def test_writers_of_other_days_lose_nothing(target: Warehouse) -> None:
    def write(number: int) -> None:
        day = row(number)["day"]
        publish(open_warehouse(target.url), MODEL, as_frame([row(number)]), Days(day, day))

    writers = [Thread(target=write, args=[number]) for number in range(4, 10)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert published(target) == [*OLD, *(row(number) for number in range(4, 10))]


def test_a_mart_is_copied_as_a_folder(built: Mart, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(location_of(built.url), copied)
    url = f"spark://127.0.0.1:{port()}?location={copied}"
    assert build(built.lake, url).tables == []
    assert differing(tables_of(url), tables_of(built.url)) == {}


@SLOW
@pytest.mark.usefixtures("s3")
def test_a_mart_is_in_a_bucket(s3_url: str) -> None:
    boto3.client("s3", endpoint_url=s3_url).create_bucket(Bucket="mart")
    with server() as there:
        target = open_warehouse(f"spark://127.0.0.1:{there}?location=s3://mart/m")
        publish(target, MODEL, as_frame(OLD))
        with pytest.raises(AuditError):
            publish(target, MODEL, as_frame([row(5, used_quantity=-1.0)]))
        day = row(2)["day"]
        publish(target, MODEL, as_frame([row(2, used_quantity=7.0)]), Days(day, day))
        found = target.whole_rows(MODEL).sort_values("day")
        assert found.used_quantity.tolist() == [5.0, 7.0, 5.0]


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What executors are asked to load, however little it is: whether they did."""
    told: list[bool] = []
    asked = SparkTransaction.load_apart

    def load_apart(*args: Any) -> bool:
        told.append(asked(*args))
        return told[-1]

    monkeypatch.setattr(SparkTransaction, "load_apart", load_apart)
    monkeypatch.setattr(loading, "SPREAD_FROM_BYTES", 1)
    monkeypatch.setattr(loading, "SPREAD_BYTES", 1)
    return told


LOADED = [f"lake.{kind}_telemetry" for kind in ("raw", "quarantine", "files")]


def test_executors_load_by_the_same_rules(built: Mart, apart: list[bool]) -> None:
    other = open_warehouse(new_mart())
    load_table(other, Telemetry, built.lake)
    assert apart == [True]
    expected, found = tables_of(built.url), tables_of(other.url)
    assert differing({n: found[n] for n in LOADED}, {n: expected[n] for n in LOADED}) == {}
    assert found["lake.quarantine_telemetry"]
    assert not (location_of(other.url) / "_aside").exists(), "nothing is left of it"


def test_what_executors_cannot_load_is_loaded_here(
    built: Mart, apart: list[bool], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    shutil.copytree(built.lake, tmp_path / "lake")
    file = min((tmp_path / "lake" / "telemetry").iterdir())
    file.write_text(file.read_text() + "\n\nEV-1\n")
    other = open_warehouse(new_mart())
    load_table(other, Telemetry, tmp_path / "lake")
    assert apart == [False]
    assert "the executors could not load lake.raw_telemetry: TroubledFiles" in caplog.text
    assert "unreadable_value" in {
        each["reason"] for each in tables_of(other.url)["lake.quarantine_telemetry"]
    }


def test_executors_with_another_program_load_nothing(
    built: Mart, apart: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumption_datamart.lake.judging.code_version", lambda: "newer")
    load_table(open_warehouse(new_mart()), Telemetry, built.lake)
    assert apart == [False]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("spark://spark.example.com", "is no absolute path or URI"),
        ("spark://spark.example.com?location=mart", "location=mart is no absolute path or URI"),
        ("spark://h?location=/srv/my mart", "has characters that Sail does not find again"),
        ("spark://?location=/srv/mart", "write it as spark://<host>:<port>?location="),
        ("spark://h:port?location=/srv/mart", "write it as spark://<host>:<port>?location="),
        (f"{PLACE}&readers=many", "readers=many is no number of executors"),
        (f"{PLACE}&colour=red", "there is no parameter colour"),
        ("spark://127.0.0.1:1?location=/dev/null/mart", "Error: warehouse spark://127.0.0.1:1"),
    ],
)
def test_what_a_url_lacks_is_told_in_a_line(given: str, told: str) -> None:
    ended = cli.run("report", "--warehouse", given)
    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert told in line


def test_a_server_that_does_not_answer_is_told_in_a_line(built: Mart) -> None:
    ended = cli.run("report", "--warehouse", built.url.replace(f":{port()}", ":1"))
    assert (ended.code, ended.out) == (1, "")
    assert "no Spark Connect server answers at 127.0.0.1:1" in ended.err


def test_what_a_url_says() -> None:
    place = place_of("spark://me@spark.example.com?location=s3://bucket/mart/&ssl=true&readers=16")
    assert place == ("me", "spark.example.com", 15002, True, "s3://bucket/mart", 16)
    assert place.address == "sc://spark.example.com:15002/;user_id=me"


def test_no_token_is_told(
    built: Mart, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Sail asks for none, and speaks no TLS, which a token is only given to."""
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", SECRET)
    given = Settings(warehouse=built.url)
    resource = (build_definitions(given).resources or {})["warehouse"]
    assert SECRET not in repr(given) + repr(resource)
    with caplog.at_level("DEBUG"):
        ended = cli.run("report", "--warehouse", built.url)
    assert (ended.code, ended.out) == (1, "")
    told = ended.err + caplog.text
    assert "Error: warehouse spark://" in told
    assert SECRET not in told
    assert SECRET.split("/", maxsplit=1)[0] not in told


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)
    for name in [name for name in sys.modules if ".warehouse.spark" in name]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(WarehouseError, match=r"pip install 'consumption-datamart\[spark\]'"):
        open_warehouse(PLACE)
