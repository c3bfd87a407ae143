"""The mart on an emulator of Snowflake is as the oracle has it; who gets in, and who waits.

`make engines` makes the emulator's environment. What it cannot show is in docs/snowflake.md.
"""

import re
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from threading import Thread

import ibis
import pandas as pd
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import AuditError, WarehouseError
from consumption_datamart.settings import Settings
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import Warehouse, lease, open_warehouse, publish
from consumption_datamart.warehouse.snowflake_connection import parameters_of
from consumption_datamart_tests import cli, fakesnow_server
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.fakesnow_server import key_file, new_database
from consumption_datamart_tests.mart import SLOW, Mart, build, tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.test_publication import MODEL, OLD, as_expression, as_frame, row
from consumption_datamart_tests.test_table_versions import SHARE, WORDS, put
from consumption_datamart_tests.test_table_versions import target as versioned

PLACE = "snowflake://me@acme-eu/MART"
SECRET = "s3cret/ü"
LAST = date(2026, 3, 31)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """A lake of a few customers, with dirt, and its mart."""
    lake = tmp_path_factory.mktemp("simulated") / "lake"
    url = new_database()
    simulate(
        lake, days=32, customers=6, products=4, rows_per_day=9, end=LAST, seed=3, dirt=0.1,
        format="csv",
    )  # fmt: skip
    ended = cli.run("build", "--lake", lake, "--warehouse", url)
    assert ended.code == 0, ended.err
    return Mart(lake, url)


@pytest.fixture
def target() -> Warehouse:
    """A warehouse in which a table has its old rows."""
    opened = open_warehouse(new_database())
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
def test_a_mart_comes_from_duckdb_and_goes_back(built: Mart, tmp_path: Path) -> None:
    first, last = f"duckdb://{tmp_path}/first.duckdb", f"duckdb://{tmp_path}/last.duckdb"
    build(built.lake, first)
    between = new_database()
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
    assert found == [*texts, "NUL\ufffd"]


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
        assert tables_of(target.url)[MODEL.full_name()] == OLD, "readers wait for nobody"
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
    assert tables_of(target.url)[MODEL.full_name()] == OLD


@SLOW
def test_a_frozen_table_keeps_its_columns_and_rows() -> None:
    opened = open_warehouse(new_database())
    put(opened, versioned(1, share=SHARE), share=0.5)
    with pytest.raises(AuditError, match=r"the table is frozen as 1.*write _frozen = 2 in Target"):
        put(opened, versioned(1, share=WORDS), share="half")
    assert opened.fetch(opened.table(versioned(1, share=SHARE))).share.tolist() == [0.5]
    put(opened, versioned(2, share=WORDS), share="half")
    assert opened.fetch(opened.table(versioned(2, share=WORDS))).share.tolist() == ["half"]


@pytest.mark.parametrize(
    "given",
    [
        f"snowflake://me:{SECRET}@acme/MART",
        f"{PLACE}?password={SECRET}",
        f"{PLACE}?token={SECRET}",
        f"{PLACE}?warehouse=WH&private_key_file_pwd={SECRET}",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_told(given: str) -> None:
    ended = cli.run("report", "--warehouse", given)
    assert (ended.code, ended.out) == (1, "")
    assert SECRET not in ended.err
    assert re.search("write no password in it|secrets have no place in a URL", ended.err)


def test_what_a_password_is_the_url_says() -> None:
    assert parameters_of(PLACE, "p")[0]["password"] == "p"
    found, prefix = parameters_of(f"{PLACE}?warehouse=WH&role=R&prefix=dev_", None)
    assert (found, prefix) == (
        {"user": "me", "account": "acme-eu", "database": "MART", "warehouse": "WH", "role": "R"},
        "dev_",
    )
    by_token = parameters_of(f"{PLACE}?authenticator=oauth", "t")[0]
    assert by_token["token"] == "t"
    by_file = parameters_of(f"{PLACE}?private_key_file=/k.p8", "passphrase")[0]
    assert by_file["private_key_file_pwd"] == "passphrase"
    key = parameters_of(PLACE, key_file().read_text())[0]["private_key"]
    assert load_der_private_key(key, None).key_size == 2048


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("snowflake://me@acme", "write it as snowflake://<user>@<account>/<database>"),
        (f"{PLACE}?colour=red", "there is no parameter colour"),
        (f"{PLACE}?prefix=Pre-", "begins no name of a schema"),
        (f"{PLACE}?host=127.0.0.1&port=1&protocol=http&login_timeout=1", "warehouse snowflake://"),
    ],
)
def test_what_cannot_be_reached_is_told_in_a_line(
    given: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", SECRET)
    ended = cli.run("report", "--warehouse", given)
    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("Error: warehouse ")
    assert told in line
    assert SECRET not in line


def test_a_key_that_cannot_be_read_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = "-----BEGIN PRIVATE KEY-----\nZ2VoZWlt\n-----END PRIVATE KEY-----"
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", broken)
    ended = cli.run("report", "--warehouse", PLACE)
    assert ended.code == 1
    assert "the private key in CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD cannot be read" in ended.err
    assert "Z2VoZWlt" not in ended.err


def test_nobody_sees_the_secret_of_a_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", SECRET)
    given = Settings(warehouse=PLACE)
    resource = (build_definitions(given).resources or {})["warehouse"]
    assert SECRET not in repr(given) + repr(resource)


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    for name in [name for name in sys.modules if ".warehouse.snowflake" in name]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(WarehouseError, match=r"pip install 'consumption-datamart\[snowflake\]'"):
        open_warehouse(PLACE)


@SLOW
def test_no_secret_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where a load fails, in the words of the client or in its log."""
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", SECRET)
    url = re.sub(r"&private_key_file=[^&]*", "", new_database())
    lake = tmp_path / "lake"
    simulate(lake, days=2, customers=2, products=2, rows_per_day=3, end=LAST, seed=1)
    (lake / "invoices" / f"{LAST}.csv").write_text("not,what\nis,asked\n")
    for command in ("build", "report"):
        more = ["--lake", lake] if command == "build" else []
        ended = cli.run(command, "--warehouse", url, *more)
        assert SECRET not in ended.out + ended.err
    assert "Error" in cli.run("build", "--lake", lake, "--warehouse", url).err
    assert SECRET not in repr(fakesnow_server.tables_in(url))


@SLOW
def test_the_client_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    url = re.sub(r"&private_key_file=[^&]*", "", new_database())
    with caplog.at_level("DEBUG"):
        publish(open_warehouse(url, password=SECRET), MODEL, as_frame(OLD))
    assert "snowflake.connector" in {each.name.rpartition(".")[0] for each in caplog.records}
    assert SECRET not in caplog.text
    assert SECRET.split("/", maxsplit=1)[0] not in caplog.text
