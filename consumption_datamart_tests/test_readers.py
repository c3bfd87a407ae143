"""Whoever reads the warehouse's file sees the last release, and is in nobody's way."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
import pytest

from consumption_datamart.alerts.machine import Alert, State, Transition
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.assets.star.days import dim_day
from consumption_datamart.build import build
from consumption_datamart.checks import Result, record
from consumption_datamart.checks.model import model_check
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import DimDay
from consumption_datamart.schema.facts import FactConsumptionDaily
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.schema.monitoring import CheckResult, Publication
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse, publish, read_ledger, rows_of
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, noon, usage, write_dump
from consumption_datamart_tests.mart import tables_of

MODEL = FactConsumptionDaily
NOBODY = 65534
ROWS, READERS, SECONDS = 1_000, 8, 4.0
QUERY = "SELECT min(used_quantity), max(used_quantity), count(*) FROM {table}"
READ = {
    "duckdb": "import duckdb; connect = lambda: duckdb.connect(PATH, read_only=True)",
    "sqlite": "import sqlite3; connect = lambda: sqlite3.connect(f'file:{PATH}?mode=ro', uri=True)",
}
TABLE = {"duckdb": "mart.fact_consumption_daily", "sqlite": '"mart.fact_consumption_daily"'}

READER = """
import sys, time
PATH, QUERY, UNTIL = sys.argv[1], sys.argv[2], float(sys.argv[3])
{connect}
reads, before = 0, 0.0
while time.time() < UNTIL:
    connection = connect()
    least, most, rows = connection.execute(QUERY).fetchone()
    connection.close()
    assert (least, rows) == (most, {rows}), "half of a publication"
    assert least >= before, "older than what was read before"
    reads, before = reads + 1, least
print(reads, int(before))
"""


def generation(number: int) -> pd.DataFrame:
    """As many rows as ever, that all say of which publication they are."""
    return pd.DataFrame(
        {
            "day": pd.Timestamp(2026, 1, 1),
            "customer_id": [f"CUST-{each}" for each in range(ROWS)],
            "product_id": "db",
            "entitled_quantity": 1.0,
            "is_unlimited": False,
            "deployment_count": 1,
            "used_quantity": float(number),
            "consumption_ratio": float(number),
            "meta__warnings": "",
        }
    )


def test_eight_readers_while_one_writes(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    target = open_warehouse(f"{engine}://{path}")
    publish(target, MODEL, generation(0))
    target.release()
    until = time.time() + SECONDS
    script = READER.format(connect=READ[engine], rows=ROWS)
    command = [sys.executable, "-c", script, str(path), QUERY.format(table=TABLE[engine])]
    readers = [
        subprocess.Popen(
            [*command, str(until)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(READERS)
    ]
    written = 0
    while time.time() < until:
        written += 1
        publish(target, MODEL, generation(written))
        target.release()
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        reads, last = map(int, out.split())
        assert reads > 1
        assert 0 < last <= written


@contextmanager
def opened_by_another(path: Path, *, read_only: bool) -> Iterator[None]:
    """Somebody has the file open, and does not close it."""
    script = (
        f"import duckdb; c = duckdb.connect({str(path)!r}, read_only={read_only});"
        " print('open', flush=True); input()"
    )
    command = [sys.executable, "-c", script]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield
        process.kill()


@pytest.mark.parametrize("read_only", [True, False])
def test_who_has_the_file_open_stops_nobody(read_only: bool, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    with opened_by_another(path, read_only=read_only):
        publish(target, MODEL, generation(2))
        target.release()
        assert seen(path) == 2


def seen(path: Path) -> float:
    """The generation that readers see."""
    with duckdb.connect(str(path), read_only=True) as connection:
        (found,) = connection.execute(
            f"SELECT max(used_quantity) FROM {MODEL.full_name()}"
        ).fetchone()
    return float(found)


def test_readers_see_nothing_of_a_run_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    publish(target, MODEL, generation(2))
    assert seen(path) == 1
    target.release()
    assert seen(path) == 2


def test_a_release_that_was_cut_short_is_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    (tmp_path / "warehouse.duckdb.new").write_bytes(b"half of it")
    target.release()
    assert seen(path) == 1
    assert [each.name for each in tmp_path.glob("*.new")] == []


def test_a_release_of_nothing_new_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    before = path.stat()
    target.release()
    assert path.stat().st_ino == before.st_ino


def used(url: str) -> set[float]:
    """What readers see, which tells the generations apart."""
    return {row["used_quantity"] for row in tables_of(url)[MODEL.full_name()]}


def test_readers_are_taken_back_and_brought_forward_again(tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/warehouse.duckdb"
    target = open_warehouse(url)

    def command(*options: str) -> cli.Ended:
        return cli.run("rollback", "--warehouse", url, *options)

    assert "there is no release before this one" in command().err
    for number in (1, 2):
        publish(target, MODEL, generation(number))
        target.release()
    with duckdb.connect(tmp_path / "warehouse.duckdb", read_only=True):  # nobody waits for it
        assert "newer ones are held back" in command().out.lower()
    assert used(url) == {1.0}
    assert "already" in command().err
    publish(target, MODEL, generation(3))
    target.release()
    assert used(url) == {1.0}, "held back"
    assert command("--undo").code == 0
    assert used(url) == {2.0}
    target.release()
    assert used(url) == {3.0}
    assert "no release is held back" in command("--undo").err
    target.release(keeps_previous=False)
    publish(target, MODEL, generation(4))
    target.release(keeps_previous=False)
    assert "KEEP_PREVIOUS_RELEASE" in command().err


def test_an_engine_without_releases_cannot_go_back(tmp_path: Path) -> None:
    ended = cli.run("rollback", "--warehouse", f"sqlite://{tmp_path}/warehouse.sqlite")
    assert (ended.code, "has no releases" in ended.err) == (1, True)


def test_what_is_written_besides_publications_makes_nothing_be_copied(tmp_path: Path) -> None:
    """As the results of checks are, and alerts."""
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    before = path.stat()
    with target.transaction() as transaction:
        record(transaction, [Result(model_check(MODEL), None, passed=True)])
    book = AlertStore(target)
    alert = Alert("check", "a table", State.alarm, 1, datetime(2026, 1, 1), "It fails.")
    book.write([alert], [(Transition(State.ok, alert, 1.0), ["mail"])])
    target.release()
    assert path.stat().st_ino == before.st_ino
    assert list(AlertStore(target.released()).alerts().values()) == [alert]
    publish(target, MODEL, generation(2))
    target.release()
    assert seen(path) == 2
    assert target.released().find(CheckResult) is not None


def test_a_state_that_nobody_is_to_see_is_not_released(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release(lambda _: False)
    assert seen(path) == 1, "there is nothing else to see"
    publish(target, MODEL, generation(2))
    target.release(lambda _: False)
    assert seen(path) == 1
    target.release(lambda backend: len(target.tables(backend)) > 0)
    assert seen(path) == 2
    assert target.released().as_of() is not None


def of_days(first: int, last: int, used: float) -> pd.DataFrame:
    """A row on each of some days."""
    days = pd.date_range(day(first), day(last))
    return pd.concat([generation(0).head(1).assign(day=each, used_quantity=used) for each in days])


def test_a_release_without_raw_telemetry_is_equal_in_all_else(tmp_path: Path) -> None:
    path, raw = tmp_path / "warehouse.duckdb", raw_of(Telemetry)
    target = open_warehouse(f"duckdb://{path}")
    others = [MODEL, DimDay, Publication]

    def release() -> None:
        target.release(models=[raw, MODEL, DimDay], left_out=[raw])
        with target.reader() as working, target.released().reader() as readers:
            assert raw.full_name() not in target.tables(readers)
            for model in others:
                table = target.table(model)
                assert sorted(map(str, rows_of(working, table))) == sorted(
                    map(str, rows_of(readers, table))
                )

    publish(target, DimDay, dim_day())
    reading = dict.fromkeys(raw.ibis_schema(), "") | {"event_ts": noon(1), "quantity": 1.0}
    readings = pd.DataFrame([reading | {"dump_day": day(1)}])
    publish(target, raw, readings.astype({"event_ts": "datetime64[us]"}), Days(day(1), day(3)))
    publish(target, MODEL, of_days(1, 3, 1.0), Days(day(1), day(3)))
    release()
    publish(target, MODEL, of_days(2, 2, 5.0), Days(day(2), day(2)))
    publish(target, MODEL, of_days(4, 4, 6.0), Days(day(4), day(4)))
    release()
    publish(target, MODEL, of_days(9, 9, 6.0), Days(day(1), day(1)))
    release()
    (tmp_path / "warehouse.working.duckdb").unlink()
    published = read_ledger(open_warehouse(target.url)).published
    assert set(published) == {each.full_name() for each in (raw, MODEL, DimDay)}
    publish(open_warehouse(target.url), MODEL, of_days(4, 4, 7.0), Days(day(4), day(4)))
    published = read_ledger(open_warehouse(target.url)).published
    assert raw.full_name() not in published, "it is to be loaded anew"


SUMS = """
import sys, time, duckdb
path, until, reads = sys.argv[1], float(sys.argv[2]), 0
while time.time() < until:
    with duckdb.connect(path, read_only=True) as connection:
        raw, fact, used = (connection.execute(f"SELECT sum({column}) FROM {table}").fetchone()[0]
            for column, table in (("quantity", "lake.raw_telemetry"),
                ("total_quantity", "mart.fact_usage_daily"),
                ("used_quantity", "mart.fact_consumption_daily")))
    assert raw == fact == used, (raw, fact, used)
    reads += 1
print(reads)
"""


def test_readers_see_facts_and_readings_of_one_state(tmp_path: Path, lake: Path) -> None:
    url = f"duckdb://{tmp_path / 'warehouse.duckdb'}"
    write_dump(lake, "entitlements", day(1), [entitlement()])
    settings = Settings(lake=str(lake), warehouse=url)

    def restate(quantity: float) -> None:
        for number in (1, 2, 3):
            readings = [usage(event_ts=noon(number), quantity=quantity)]
            write_dump(lake, "telemetry", day(number), readings)
        assert not build(settings).failures

    restate(1.0)
    until = time.time() + 2 * SECONDS
    command = [sys.executable, "-c", SUMS, str(tmp_path / "warehouse.duckdb"), str(until)]
    readers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(READERS // 2)
    ]
    quantity = 1.0
    while time.time() < until:
        quantity += 1.0
        restate(quantity)
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        assert int(out) > 1


def test_writers_go_on_from_a_file_that_stands_alone(tmp_path: Path) -> None:
    """As of an earlier version, or one that was copied from another computer."""
    path = tmp_path / "warehouse.duckdb"
    made = open_warehouse(f"duckdb://{path}")
    publish(made, MODEL, generation(1))
    made.release()
    (tmp_path / "warehouse.working.duckdb").unlink()
    target = open_warehouse(f"duckdb://{path}")
    assert target.exists(MODEL)
    with target.transaction() as transaction:
        assert len(transaction.rows(transaction.slice(MODEL))) == ROWS
    assert len(tables_of(target.url)[MODEL.full_name()]) == ROWS


def test_a_release_where_the_system_cannot_copy_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.copy_file_range", refused)
    path = tmp_path / "warehouse.duckdb"
    target = open_warehouse(f"duckdb://{path}")
    publish(target, MODEL, generation(1))
    target.release()
    assert seen(path) == 1


@contextmanager
def as_another_user(folder: Path) -> Iterator[None]:
    """Nothing in a folder may be written."""
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:  # whom no mode keeps out
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o755)


def test_who_may_only_read_can_do_so(engine: str) -> None:
    with TemporaryDirectory() as name:
        target = open_warehouse(f"{engine}://{name}/warehouse.{engine}")
        publish(target, MODEL, generation(1))
        alert = Alert("check", "a table", State.alarm, 1, datetime(2026, 1, 1), "It fails.")
        AlertStore(target).write([alert], [])
        target.release()

        def found() -> tuple[int, int]:
            readers = target.released()
            return len(readers.whole_rows(MODEL)), len(AlertStore(readers).alerts())

        assert found() == (ROWS, 1)
        with as_another_user(Path(name)):
            assert found() == (ROWS, 1)
