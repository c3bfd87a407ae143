"""The mart on servers where one writes at a time, by a lease, is as the oracle has it.

They are an emulator of Snowflake, whose environment `make engines` makes, and Sail, a server of
Spark Connect. What these cannot show is in docs/snowflake.md and docs/spark.md.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from threading import Thread

import ibis
import pandas as pd
import pytest

from consumption_datamart.errors import WarehouseError
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import Warehouse, lease, open_warehouse, publish
from consumption_datamart_tests import cli, fakesnow_server, sail_server
from consumption_datamart_tests.compare import Row, differing
from consumption_datamart_tests.mart import SLOW, Mart, build, tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.test_publication import MODEL, OLD, as_expression, as_frame, row

LAST = date(2026, 3, 31)
SECRET = "s3cret/ü"
NEW = {"snowflake": fakesnow_server.new_database, "spark": sail_server.new_mart}
New = Callable[[], str]
"""Gives the URL of a warehouse that is not there yet."""


@pytest.fixture(scope="module", params=[pytest.param("snowflake", marks=SLOW), "spark"])
def new(request: pytest.FixtureRequest) -> New:
    """Each server in turn."""
    return NEW[request.param]


@pytest.fixture(scope="module")
def built(new: New, tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """A lake of a few customers, with dirt, and its mart."""
    lake = tmp_path_factory.mktemp("simulated") / "lake"
    url = new()
    simulate(
        lake, days=32, customers=6, products=4, rows_per_day=9, end=LAST, seed=3, dirt=0.1,
        format="csv",
    )  # fmt: skip
    ended = cli.run("build", "--lake", lake, "--warehouse", url)
    assert ended.code == 0, ended.err
    return Mart(lake, url)


@pytest.fixture
def target(new: New) -> Warehouse:
    """A warehouse in which a table has its old rows."""
    opened = open_warehouse(new())
    publish(opened, MODEL, as_frame(OLD))
    return opened


@SLOW
def test_a_build_fills_every_table_and_the_next_builds_what_has_changed(built: Mart) -> None:
    assert differing(tables_of(built.url), expected_tables(built.lake)) == {}
    assert build(*built).tables == []
    dumps = sorted((built.lake / "telemetry").iterdir())
    dumps[5].write_bytes(dumps[6].read_bytes().replace(b"EV", b"EW"))
    dumps[20].unlink()
    assert build(*built).tables
    assert differing(tables_of(built.url), expected_tables(built.lake)) == {}


@SLOW
def test_a_mart_comes_from_duckdb_and_goes_back(built: Mart, new: New, tmp_path: Path) -> None:
    first, last = f"duckdb://{tmp_path}/first.duckdb", f"duckdb://{tmp_path}/last.duckdb"
    build(built.lake, first)
    between = new()
    for source, to in ((first, between), (between, last)):
        ended = cli.run("copy", "--warehouse", source, "--to", to)
        assert ended.code == 0, ended.err
        assert build(built.lake, to).tables == [], "nothing is new"
    expected = tables_of(first)
    del expected["monitoring.release"]  # is each one's own
    assert differing(tables_of(last), expected) == {}


@SLOW
def test_every_command_that_reads_reads_it(built: Mart, tmp_path: Path) -> None:
    for command in (
        ["report"],
        ["report", "--format", "json"],
        ["page", "--out", tmp_path / "page"],
        ["quarantine"],
        ["alerts"],
        ["slo"],
        ["trends"],
        ["metrics"],
        ["assets", "list"],
    ):
        ended = cli.run(*command, "--warehouse", built.url)
        assert ended.code == 0, (command, ended.err)
        assert ended.out + ended.err


@SLOW
def test_a_preview_is_built_beside_and_leaves_nothing(built: Mart, tmp_path: Path) -> None:
    before = tables_of(built.url)
    ended = cli.run("build", "--lake", built.lake, "--warehouse", built.url, "--preview")
    assert ended.code == 0, ended.err
    assert "They are the same." in ended.out
    assert tables_of(built.url).keys() == before.keys()


def test_a_preview_of_a_changed_lake_leaves_the_mart(built: Mart, tmp_path: Path) -> None:
    before = tables_of(built.url)
    lake = shutil.copytree(built.lake, tmp_path / "lake")
    max((lake / "telemetry").iterdir()).unlink()
    ended = cli.run("build", "--lake", lake, "--warehouse", built.url, "--preview")
    assert ended.code == 0, ended.err
    assert "fact_usage_daily" in ended.out
    assert tables_of(built.url) == before


@SLOW
def test_frames_of_a_team_are_rows(target: Warehouse) -> None:
    publish(target, MODEL, ibis.memtable(as_frame([row(5)])))
    assert tables_of(target.url)[MODEL.full_name()] == [row(5)]
    publish(target, MODEL, as_expression([row(6)]))
    assert tables_of(target.url)[MODEL.full_name()] == [row(6)]


@SLOW
def test_texts_come_through(target: Warehouse) -> None:
    texts = ["", "007", "\\N", 'a "quoted", text', "two\nlines\r\n", "ü 😀", "'; --", "NULL"]
    rows = [row(number + 1, customer_id=text) for number, text in enumerate(texts)]
    publish(target, MODEL, as_frame([*rows, row(20, customer_id="NUL\0")]))
    found = pd.DataFrame(target.whole_rows(MODEL)).sort_values("day").customer_id.tolist()
    assert found == [*texts, "NUL\0" if target.scheme == "spark" else "NUL\ufffd"]


def rows_of(url: str) -> list[Row]:
    """The rows of the table, by day."""
    return sorted(tables_of(url)[MODEL.full_name()], key=lambda each: each["day"])


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Seconds for which a lease is held without being renewed."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", 3)
    return 3


@SLOW
def test_one_writes_at_a_time(target: Warehouse, short_lease: float) -> None:
    """The second waits until the first is done, which takes longer than its lease."""
    order = []

    def second() -> None:
        publish(open_warehouse(target.url), MODEL, as_frame([row(4)]))
        order.append("second")

    waiting = Thread(target=second)
    with target.transaction([MODEL]) as transaction:
        transaction.clear(MODEL)
        waiting.start()
        time.sleep(2 * short_lease)
        assert rows_of(target.url) == OLD, "readers wait for nobody"
        with pytest.raises(WarehouseError, match="another process writes to it since 1 s"):
            publish(open_warehouse(target.url).waiting_at_most(1), MODEL, as_frame([row(9)]))
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
    assert tables_of(target.url)[MODEL.full_name()] == [row(4)]


def sleep_and_publish(target: Warehouse, seconds: float) -> None:
    """Write as a process that does nothing for some time before it commits."""
    with target.transaction([MODEL]) as transaction:
        transaction.clear(MODEL)
        transaction.load(MODEL, transaction.stage(as_frame([row(8)])))
        time.sleep(seconds)
        with open_warehouse(target.url).transaction([]):
            pass  # another has its turn


@SLOW
def test_who_has_lost_the_lease_publishes_nothing(
    target: Warehouse, short_lease: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "Thread", lambda **_: Thread())  # that renews nothing
    with pytest.raises(
        WarehouseError, match="did not answer for 3 s, and another writes to it now"
    ):
        sleep_and_publish(target, short_lease + 2)
    assert rows_of(target.url) == OLD


@pytest.mark.parametrize(
    "given",
    [
        f"snowflake://me:{SECRET}@acme/MART",
        f"snowflake://me@acme-eu/MART?password={SECRET}",
        f"snowflake://me@acme-eu/MART?token={SECRET}",
        f"snowflake://me@acme-eu/MART?warehouse=WH&private_key_file_pwd={SECRET}",
        f"spark://me:{SECRET}@spark.example.com?location=/srv/mart",
        f"spark://spark.example.com:15002?location=/srv/mart&password={SECRET}",
        f"spark://spark.example.com:15002?location=/srv/mart&token={SECRET}",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_told(given: str) -> None:
    ended = cli.run("report", "--warehouse", given)
    assert (ended.code, ended.out) == (1, "")
    assert SECRET not in ended.err
    assert re.search("write no password in it|secrets have no place in a URL", ended.err)
