"""Who gets into a PostgreSQL warehouse, and what those are told who do not."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.facts import FactUsageDaily
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse, publish, warehouse_of
from consumption_datamart_tests import cli
from consumption_datamart_tests.mart import tables_of
from consumption_datamart_tests.postgres_server import database_of, run, url
from consumption_datamart_tests.test_publication import MODEL, OLD, as_frame, row

SECRET = "s3cret/ü"


@pytest.fixture
def locked(database: str) -> Iterator[str]:
    """URL of a database for a user who has to give a password."""
    name = database_of(database)
    run(name, f"CREATE ROLE locked LOGIN PASSWORD '{SECRET}'")
    run(name, f"GRANT CREATE ON DATABASE {name} TO locked")
    with access_rule("local all locked scram-sha-256"):
        yield url(name, user="locked")
    run(name, "DROP OWNED BY locked")
    run(name, "DROP ROLE locked")


@contextmanager
def access_rule(rule: str) -> Iterator[None]:
    """A line before the server's own rules of who gets in how."""
    ((name,),) = run("postgres", "SHOW hba_file")
    file, before = Path(name), Path(name).read_text()
    file.write_text(f"{rule}\n{before}")
    run("postgres", "SELECT pg_reload_conf()")
    yield
    file.write_text(before)
    run("postgres", "SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    "given",
    [f"postgres://me:{SECRET}@h/d", f"postgresql://me@h/d?sslmode=require&password={SECRET}"],
)
def test_a_password_in_a_url_is_refused_and_not_told(given: str) -> None:
    ended = cli.run("build", "--warehouse", given)
    assert ended.code == 1
    assert "***" in ended.err
    assert "CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD" in ended.err
    assert SECRET not in ended.out + ended.err


def test_a_password_is_a_setting_that_nobody_sees(
    locked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "another")
    with pytest.raises(WarehouseError, match="password authentication failed") as error:
        publish(open_warehouse(locked), MODEL, as_frame(OLD))
    assert "another" not in str(error.value)
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", SECRET)
    given = Settings(warehouse=locked)
    publish(warehouse_of(given), MODEL, as_frame(OLD))
    assert os.environ["PGPASSWORD"] == "another"  # what others go by
    with monkeypatch.context() as tables:
        tables.setenv("PGPASSWORD", SECRET)
        assert tables_of(locked)["mart.fact_consumption_daily"] == OLD
    resource = (build_definitions(given).resources or {})["warehouse"]
    assert SECRET not in repr(given) + repr(resource)
    assert resource.open().is_there()
    with resource.process_config_and_initialize_cm() as started:  # as a run does
        assert started.open().is_there()


def test_a_copy_has_a_password_of_its_own(
    locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mart = f"duckdb://{tmp_path}/mart.duckdb"
    publish(open_warehouse(mart), MODEL, as_frame(OLD))
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD", SECRET)
    ended = [cli.run("copy", "--warehouse", mart, "--to", locked)]
    assert "no password supplied" in ended[-1].err, "that of the mart is not sent to others"
    monkeypatch.setenv("CONSUMPTION_DATAMART_COPY_PASSWORD", "another")
    ended.append(cli.run("copy", "--warehouse", mart, "--to", locked))
    assert "password authentication failed" in ended[-1].err
    assert not any(
        secret in each.out + each.err for each in ended for secret in (SECRET, "another")
    )
    monkeypatch.setenv("CONSUMPTION_DATAMART_COPY_PASSWORD", SECRET)
    ended.append(cli.run("copy", "--warehouse", mart, "--to", locked))
    assert [each.code for each in ended] == [1, 1, 0]
    assert SECRET not in ended[-1].out + ended[-1].err
    assert len(tables_of(url(database_of(locked)))["mart.fact_consumption_daily"]) == len(OLD)


def test_a_service_file_names_the_server(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = psycopg.conninfo.conninfo_to_dict(database)
    lines = "".join(f"{name}={value}\n" for name, value in parameters.items())
    (tmp_path / "services").write_text(f"[mart]\n{lines}")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    publish(open_warehouse("postgres://?service=mart"), MODEL, as_frame(OLD))
    assert tables_of(database)["mart.fact_consumption_daily"] == OLD


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("postgres://me@127.0.0.1:1/mart", "connection failed.*refused"),
        ("postgres://me@127.0.0.1:1/d?sslmode=never", "invalid sslmode"),
        ("postgres://me@h/d?colour=red", "invalid URI query parameter"),
        ("postgres://me@h/d?prefix=Pre-", "prefix=Pre- begins no name of a schema"),
    ],
)
def test_what_cannot_be_reached_is_told_in_a_line(given: str, told: str) -> None:
    ended = cli.run("report", "--warehouse", given)
    assert ended.code == 1
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert line.startswith("Error: warehouse ")
    with pytest.raises(WarehouseError, match=told):
        open_warehouse(given).is_there()


def test_what_is_not_built_is_told(database: str) -> None:
    ended = cli.run("report", "--warehouse", database)
    assert (ended.code, ended.out) == (1, "")
    assert "the mart is not built; run consumption-datamart build" in ended.err
    target = open_warehouse(database)
    with pytest.raises(WarehouseError, match="does not exist; build the mart first"):
        target.fetch(target.table(MODEL))


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if ".warehouse.postgres" in name]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(WarehouseError, match=r"pip install 'consumption-datamart\[postgres\]'"):
        open_warehouse("postgres://me@h/d")


def test_readers_read_the_mart_and_nothing_else(database: str) -> None:
    name = database_of(database)
    target = open_warehouse(database)
    publish(target, MODEL, as_frame(OLD))
    for _ in range(2):
        ended = cli.run("grant-readers", f"of {name}", "--warehouse", database)
        assert ended.code == 0, ended.err
    run(name, f'CREATE ROLE viewer LOGIN IN ROLE "of {name}"')
    reader = open_warehouse(url(name, user="viewer"))
    try:
        assert len(reader.whole_rows(MODEL)) == len(OLD)
        publish(target, FactUsageDaily, target.table(FactUsageDaily), inputs=[FactUsageDaily])
        publish(target, ReportingDay, as_frame(OLD)[["day"]])
        assert len(reader.whole_rows(ReportingDay)) == len(OLD), "made since"
        with reader.reader() as backend:
            assert all(each.startswith("mart.") for each in reader.tables(backend))
        for refused in ('TABLE "monitoring"."publication"', 'DELETE FROM "mart"."reporting_day"'):
            with (
                pytest.raises(WarehouseError, match="permission denied"),
                reader.server.session(1.0) as connection,
            ):
                connection.execute(refused)
        with pytest.raises(WarehouseError, match="permission denied"):
            publish(reader, MODEL, as_frame([row(4)]))
    finally:
        run(name, f'DROP OWNED BY viewer, "of {name}"')
        run(name, f'DROP ROLE viewer, "of {name}"')


def test_texts_lose_what_they_cannot_hold(database: str) -> None:
    target = open_warehouse(database)
    publish(target, MODEL, as_frame([row(1, customer_id="CUST\0-1")]))
    assert target.whole_rows(MODEL).customer_id.tolist() == ["CUST\ufffd-1"]


def test_engines_of_a_file_have_no_roles(tmp_path: Path) -> None:
    ended = cli.run("grant-readers", "all", "--warehouse", f"duckdb://{tmp_path}/mart.duckdb")
    assert ended.code == 1
    assert "duckdb knows no roles" in ended.err
