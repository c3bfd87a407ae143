"""Queries of real databases become dumps of the lake: whole, once, and what changes is told."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import DatamartError, LakeError
from consumption_datamart.factories import OBSERVE_JOB
from consumption_datamart.ingest import ingests
from consumption_datamart.ingest.reading import IngestError
from consumption_datamart.ingest.running import due, ingest
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.parsing import Ingest
from consumption_datamart.partitions import range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart_tests import cli, postgres_server
from consumption_datamart_tests.lakes import day
from consumption_datamart_tests.mart import ONLY_LOADED, tables_of
from consumption_datamart_tests.ticks import Automation

COLUMNS = (
    "event_id, event_ts, customer_id, deployment_id, product_id, infrastructure, quantity, unit"
)
QUERY = f"SELECT {COLUMNS} FROM readings WHERE event_ts >= :start AND event_ts < :end ORDER BY 1"
TABLE = """CREATE TABLE readings (event_id text, event_ts {moment}, customer_id text,
    deployment_id text, product_id text, infrastructure text, quantity {number}, unit text)"""
FIRST = day(1)
ENTRY = """[[ingest]]
name = "readings"
url = "{url}"
query = "{query}"
table = "telemetry"
since = 2026-01-01
"""


class Source:
    """A database with the table `readings`, and a lake that a query of it fills."""

    url: str

    def __init__(self, lake: Path) -> None:
        """The table is empty."""
        self.folder, self.lake = lake, Lake(str(lake))
        self.told()
        text = self.url.startswith("sqlite")
        kinds = ("text", "real") if text else ("timestamptz", "numeric(18,4)")
        self.run(TABLE.format(moment=kinds[0], number=kinds[1]))

    def told(self, more: str = "", query: str = QUERY, url: str = "") -> None:
        """What `lake.toml` says."""
        text = ENTRY.format(url=url or self.url, query=query) + more
        (self.folder / "lake.toml").write_text(text)

    def use(self, number: int, on: int, quantity: float = 1.5, moment: str = "12:00:00") -> None:
        """A reading of a day."""
        at = f"{day(on)} {moment}" + ("" if self.url.startswith("sqlite") else "+00")
        row = f"'E{number}', '{at}', 'CUST-1', 'D-1', 'db', NULL, {quantity}, 'vCPU'"
        self.run(f"INSERT INTO readings ({COLUMNS}) VALUES ({row})")

    def run(self, sql: str) -> None:
        """Runs a statement in the database."""
        raise NotImplementedError

    @property
    def one(self) -> Ingest:
        """The query."""
        return ingests(self.lake)[0]

    def rows(self, on: int) -> list[dict[str, Any]]:
        """The dump of a day."""
        return pq.read_table(self.folder / "telemetry" / f"{day(on)}.parquet").to_pylist()

    def files(self) -> list[str]:
        """All files of the lake."""
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        )


class OnSQLite(Source):
    """In a file."""

    @property
    def url(self) -> str:
        """Of the file."""
        return f"sqlite://{self.folder.parent}/erp.sqlite"

    def run(self, sql: str) -> None:
        """In a connection of its own."""
        with closing(sqlite3.connect(self.folder.parent / "erp.sqlite")) as connection:
            connection.execute(sql)
            connection.commit()


class OnPostgres(Source):
    """On a server."""

    url = "${READINGS_URL}"

    def run(self, sql: str) -> None:
        """In a connection of its own."""
        postgres_server.run(postgres_server.database_of(os.environ["READINGS_URL"]), sql)


@pytest.fixture(params=["sqlite", "postgres"])
def source(
    request: pytest.FixtureRequest, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Source]:
    """On each engine in turn."""
    if request.param == "sqlite":
        yield OnSQLite(lake)
    else:
        database = postgres_server.new_database()
        monkeypatch.setenv("READINGS_URL", database)
        yield OnPostgres(lake)
        postgres_server.drop_database(database)


@pytest.fixture
def sqlite(lake: Path) -> OnSQLite:
    """For what is the same on both."""
    return OnSQLite(lake)


def test_the_rows_of_a_day_are_its_dump(source: Source) -> None:
    source.use(1, on=1, moment="00:00:00")
    source.use(2, on=1, moment="23:59:59")
    source.use(3, on=2, moment="00:00:00", quantity=2.0)
    done = ingest(source.lake, source.one, FIRST)
    assert (done.rows, done.is_new, done.changes) == (2, True, [])
    assert [row["event_id"] for row in source.rows(1)] == ["E1", "E2"]
    assert float(source.rows(1)[0]["quantity"]) == 1.5
    assert source.files() == ["_ingest/readings.json", "lake.toml", "telemetry/2026-01-01.parquet"]


def test_a_day_that_is_as_it_was_is_not_written_again_and_late_rows_are(source: Source) -> None:
    source.use(1, on=1)
    ingest(source.lake, source.one, FIRST)
    file = source.folder / "telemetry" / f"{FIRST}.parquet"
    before = file.stat().st_mtime_ns
    assert not ingest(source.lake, source.one, FIRST).is_new
    assert file.stat().st_mtime_ns == before
    source.use(2, on=1)
    assert ingest(source.lake, source.one, FIRST).is_new
    assert len(source.rows(1)) == 2


def test_a_day_without_rows_is_an_empty_dump_and_no_change_of_columns(source: Source) -> None:
    source.use(1, on=1)
    ingest(source.lake, source.one, FIRST)
    done = ingest(source.lake, source.one, day(2))
    assert (done.rows, done.changes) == (0, [])
    assert source.rows(2) == []


def test_changed_columns_are_told_and_taken_or_frozen(source: Source) -> None:
    source.use(1, on=1)
    ingest(source.lake, source.one, FIRST)
    before = source.rows(1)
    now = QUERY.replace("unit", "CAST(quantity AS INTEGER) AS unit, 'x' AS region").replace(
        "infrastructure, ", ""
    )
    frozen = 'schema_changes = "freeze"'
    source.told(frozen, now)
    with pytest.raises(IngestError) as error:
        ingest(source.lake, source.one, FIRST)
    told = str(error.value)
    assert "region was added; infrastructure has vanished; unit was string and is int" in told
    assert "nothing was written" in told
    assert "ingest readings --accept-changes" in told
    assert source.rows(1) == before
    source.told("", now)
    changes = ingest(source.lake, source.one, FIRST).changes
    assert [change.split(" ")[0] for change in changes] == ["region", "infrastructure", "unit"]
    assert ingest(source.lake, source.one, FIRST).changes == []
    source.told(frozen)
    assert len(ingest(source.lake, source.one, FIRST, accept_changes=True).changes) == 3


def test_what_fails_leaves_the_dump_as_it_was(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.use(1, on=1)
    ingest(source.lake, source.one, FIRST)
    files, before = source.files(), source.rows(1)
    source.use(2, on=1)

    def broken(_: object, batch: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_batch", broken)
        with pytest.raises(LakeError, match=r"cannot be written: .*No space left on device"):
            ingest(source.lake, source.one, FIRST)
    source.told(query=QUERY.replace("readings", "reading"))
    with pytest.raises(IngestError, match=r"ingest readings: .*reading") as error:
        ingest(source.lake, source.one, FIRST)
    assert not error.value.may_pass
    assert "\n" not in str(error.value)
    assert (source.files(), source.rows(1)) == (files, before)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://me:${ERP_PASSWORD}@127.0.0.1:1/erp", "Connection refused"),
        ("sqlite:///nowhere/erp.sqlite", "failed to open"),
        ("${ERP_UNSET}", "the variable ERP_UNSET is not set"),
        ("oracle+none://me@db/erp", "Can't load plugin"),
    ],
)
def test_a_database_that_is_away_is_told_without_its_secret(
    url: str, told: str, sqlite: OnSQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_PASSWORD", "geheim")
    sqlite.told(url=url)
    with pytest.raises(DatamartError, match=told) as error:
        ingest(sqlite.lake, sqlite.one, FIRST)
    assert "geheim" not in str(error.value)
    assert "\n" not in str(error.value)
    assert sqlite.files() == ["lake.toml"]


def test_other_databases_are_read_by_sqlalchemy(sqlite: OnSQLite) -> None:
    sqlite.use(1, on=1)
    url = sqlite.url.replace("sqlite://", "sqlite+pysqlite:///")
    sqlite.told(url=url, query=QUERY.replace("event_ts,", "date(event_ts) AS event_ts,"))
    assert ingest(sqlite.lake, sqlite.one, FIRST).rows == 1
    assert sqlite.rows(1)[0]["infrastructure"] is None


def test_a_day_is_that_of_the_lake_s_time_zone(sqlite: OnSQLite) -> None:
    sqlite.use(1, on=1, moment="22:30:00")
    sqlite.use(2, on=1, moment="23:30:00")
    file = sqlite.folder / "lake.toml"
    file.write_text('time_zone = "Europe/Berlin"\n' + file.read_text())
    ingest(sqlite.lake, sqlite.one, FIRST)
    ingest(sqlite.lake, sqlite.one, day(2))
    assert [row["event_id"] for row in sqlite.rows(1)] == ["E1"]
    assert [row["event_id"] for row in sqlite.rows(2)] == ["E2"]


def test_due_is_what_the_lake_has_not_and_the_last_days_once_more(sqlite: OnSQLite) -> None:
    now = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    assert due(sqlite.lake, sqlite.one, now) == [day(1), day(2), day(3), day(4)]
    for number in (1, 3, 4):
        ingest(sqlite.lake, sqlite.one, day(number))
    assert due(sqlite.lake, sqlite.one, now) == [day(2), day(3), day(4)]
    sqlite.told("today = true\nreread_days = 0")
    assert due(sqlite.lake, sqlite.one, now) == [day(2), day(5)]


@pytest.mark.parametrize(
    ("more", "query", "told"),
    [
        ("", "SELECT 1", "query = 'SELECT 1': it asks for no day; write … >= :start AND … < :end"),
        ('policy = "manual"\nschedule = "0 0 * * *"', QUERY, "write policy or schedule, not both"),
        ('source = "erp"', QUERY, "source: write which of those of telemetry: telemetry"),
        ('schema_changes = "drop"', QUERY, "Input should be 'evolve' or 'freeze'"),
        ('[[telemetry]]\nname = "x"\nfiles = "{day}/{hour}.parquet"', QUERY, "at most one *"),
        ('[[telemetry]]\nname = "x"\nfiles = "{day}.csv"', QUERY, "must take files that end in"),
    ],
)
def test_a_mistake_in_the_file_is_told(more: str, query: str, told: str, sqlite: OnSQLite) -> None:
    sqlite.told(more, query)
    with pytest.raises(LakeError) as error:
        ingests(sqlite.lake)
    assert str(error.value).startswith("lake.toml: [[ingest]] readings: ")
    assert told in str(error.value)


def test_a_password_in_the_file_is_refused_and_not_repeated(sqlite: OnSQLite) -> None:
    sqlite.told(url="postgresql://me:geheim@db/erp")
    with pytest.raises(LakeError, match="write no password in it, but where it comes") as error:
        ingests(sqlite.lake)
    assert "geheim" not in str(error.value)


def test_two_at_once_leave_one_whole_dump(sqlite: OnSQLite) -> None:
    for number in range(50):
        sqlite.use(number, on=1)
    threads = [
        threading.Thread(target=ingest, args=(sqlite.lake, sqlite.one, FIRST)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sqlite.rows(1)) == 50
    assert not [name for name in sqlite.files() if name.endswith(".part")]


@ONLY_LOADED
def test_the_command_reads_what_is_due_and_the_build_goes_on_from_there(
    sqlite: OnSQLite, tmp_path: Path
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    text = (sqlite.folder / "lake.toml").read_text()
    (sqlite.folder / "lake.toml").write_text(text.replace("2026-01-01", str(yesterday)))
    offset = (yesterday - day(0)).days
    sqlite.use(1, on=offset, quantity=3.0)
    ended = cli.run("ingest", "--lake", sqlite.folder)
    assert ended.out == f"readings {yesterday}: 1 rows, telemetry/{yesterday}.parquet\n"
    assert (ended.code, ended.err) == (0, "")
    assert cli.run("ingest", "readings", "--lake", sqlite.folder).out.endswith(", as it was\n")
    url = f"duckdb://{tmp_path}/m.duckdb"
    assert cli.run("build", "--lake", sqlite.folder, "--warehouse", url).code == 0
    (row,) = tables_of(url)["lake.raw_telemetry"]
    assert (row["quantity"], row["dump_day"]) == (3.0, yesterday)
    ended = cli.run("ingest", "nothing", "--lake", sqlite.folder)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"Error: lake {sqlite.folder}: lake.toml: there is no [[ingest]] nothing; there are"
        " readings; see docs/ingest.md\n"
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--day", "2026-01-02", "--to", "2026-01-01"), "--to 2026-01-01 is before --day"),
        (("--day", "2999-01-01"), "ingest readings: 2999-01-01 is not there yet"),
    ],
)
def test_days_that_cannot_be_read_are_told_and_leave_no_dump(
    asked: tuple[str, ...], told: str, sqlite: OnSQLite
) -> None:
    ended = cli.run("ingest", "readings", *asked, "--lake", sqlite.folder)
    assert ended.code != 0
    assert told in ended.err
    assert not list(sqlite.folder.rglob("*.parquet"))


def test_validate_tries_the_database_and_the_policy(sqlite: OnSQLite, tmp_path: Path) -> None:
    asked = ["config", "validate", "--lake", sqlite.folder, "--warehouse"]
    asked.append(f"duckdb://{tmp_path}/m.duckdb")
    assert f"ingest readings: columns {COLUMNS}" in cli.run(*asked).out
    sqlite.told('policy = "hourly"')
    assert "Wrong: ingest readings: lake.toml: [[ingest]] readings: policy:" in cli.run(*asked).err
    sqlite.told(query="SELECT 1 FROM gone WHERE :day")
    assert "Wrong: ingest readings: ingest readings: " in cli.run(*asked).err


def definitions(source: Source, folder: Path) -> dg.Definitions:
    """The code location of its lake."""
    return build_definitions(lake=str(source.folder), warehouse=f"duckdb://{folder}/m.duckdb")


def run(
    found: dg.Definitions, instance: dg.DagsterInstance, days: Days
) -> dg.ExecuteInProcessResult:
    """Materializes days of the asset, as the UI does."""
    key = dg.AssetKey(["ingest", "readings"])
    job = found.resolve_implicit_job_def_def_for_assets({key})
    assert job is not None
    return job.get_subset(asset_selection={key}).execute_in_process(
        instance=instance, raise_on_error=False, tags=range_tags(days)
    )


def test_it_is_an_asset_upstream_of_the_source(sqlite: OnSQLite, tmp_path: Path) -> None:
    sqlite.use(1, on=1)
    sqlite.use(2, on=2)
    found = definitions(sqlite, tmp_path)
    key = dg.AssetKey(["ingest", "readings"])
    graph = found.resolve_asset_graph()
    assert graph.get(dg.AssetKey(["lake", "telemetry"])).parent_keys == {key}
    partitions = graph.get(dg.AssetKey(["lake", "telemetry"])).partitions_def
    assert partitions.get_first_partition_key() == str(FIRST)  # before there is any dump
    assert graph.get(key).automation_condition.get_label() == "on_cron(30 0 * * *)"
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(found, instance, Days(day(1), day(3)))
        assert result.success
        made = instance.get_materialized_partitions(key)
        assert made == {str(day(number)) for number in (1, 2, 3)}
        assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
        found = definitions(sqlite, tmp_path)
        assert found.resolve_job_def(OBSERVE_JOB).execute_in_process(instance=instance).success
        source = dg.AssetKey(["lake", "telemetry"])
        assert len(instance.fetch_observations(source, limit=10).records) == 3
        sqlite.told('schema_changes = "freeze"', QUERY.replace("unit", "unit, 1 AS more"))
        result = run(definitions(sqlite, tmp_path), instance, Days(day(1), day(1)))
        assert not result.success
        (check,) = result.get_asset_check_evaluations()
        assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert "more was added" in check.description


@pytest.mark.parametrize(
    ("policy", "told"),
    [("eager", "nobody tells when a database"), ("hourly", "there is no such policy; there are")],
)
def test_a_policy_that_is_none_leaves_it_to_be_read_by_hand(
    policy: str, told: str, sqlite: OnSQLite, tmp_path: Path
) -> None:
    sqlite.told(f'policy = "{policy}"')
    node = (
        definitions(sqlite, tmp_path).resolve_asset_graph().get(dg.AssetKey(["ingest", "readings"]))
    )
    assert node.automation_condition is None
    assert "**Is not read by itself**: lake.toml: [[ingest]] readings: policy: " in node.description
    assert told in node.description


def test_by_policy_missing_days_are_read_at_once_and_the_last_again(
    sqlite: OnSQLite, tmp_path: Path
) -> None:
    begin = datetime.now(UTC).date() - timedelta(days=3)
    sqlite.told('policy = "at_most_every(5)"\ntoday = true')
    text = (sqlite.folder / "lake.toml").read_text()
    (sqlite.folder / "lake.toml").write_text(text.replace("2026-01-01", str(begin)))
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(definitions(sqlite, tmp_path), instance)

        def tick(minutes: float = 0.5) -> set[date | None]:
            asked = automation.tick(minutes).get("readings", set())
            automation.run({"readings": asked} if asked else {})
            return asked

        assert len(tick()) == 4
        assert automation.failures == []
        assert tick(automation.until_next(5).total_seconds() / 60 + 0.1) == {
            begin + timedelta(days=2),
            begin + timedelta(days=3),
        }
        assert tick() == set()
    known = json.loads((sqlite.folder / "_ingest" / "readings.json").read_text())
    assert list(known) == COLUMNS.split(", ")
