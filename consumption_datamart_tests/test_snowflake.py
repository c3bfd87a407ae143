"""What a Snowflake URL says, and that no secret is told; the mart itself is in test_servers.py."""

import re
import sys
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import AuditError, WarehouseError
from consumption_datamart.settings import Settings
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import open_warehouse, publish
from consumption_datamart.warehouse.snowflake_connection import parameters_of
from consumption_datamart_tests import cli, fakesnow_server
from consumption_datamart_tests.fakesnow_server import key_file, new_database
from consumption_datamart_tests.mart import SLOW
from consumption_datamart_tests.test_publication import MODEL, OLD, as_frame
from consumption_datamart_tests.test_table_versions import SHARE, WORDS, put
from consumption_datamart_tests.test_table_versions import target as versioned

PLACE = "snowflake://me@acme-eu/MART"
SECRET = "s3cret/ü"
LAST = date(2026, 3, 31)


@SLOW
def test_a_frozen_table_keeps_its_columns_and_rows() -> None:
    opened = open_warehouse(new_database())
    put(opened, versioned(1, share=SHARE), share=0.5)
    with pytest.raises(AuditError, match=r"the table is frozen as 1.*write _frozen = 2 in Target"):
        put(opened, versioned(1, share=WORDS), share="half")
    assert opened.fetch(opened.table(versioned(1, share=SHARE))).share.tolist() == [0.5]
    put(opened, versioned(2, share=WORDS), share="half")
    assert opened.fetch(opened.table(versioned(2, share=WORDS))).share.tolist() == ["half"]


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
