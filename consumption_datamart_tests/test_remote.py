"""A lake that is a URI, not a folder on this machine, is read like the same files on the disk."""

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import fsspec
import pyarrow.parquet as pq
import pytest

from consumption_datamart.page.site import MANIFEST, publish
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.test_page_site import FIRST, SECOND, Broken, breaking

BUCKET = "acme"


class Remote:
    """The files of a folder, in a store of fsspec's."""

    def __init__(self, folder: Path, store: str) -> None:
        """Nothing is in the store yet."""
        self.folder, self.uri = folder, f"{store}://{BUCKET}/{uuid4()}"
        self.store = fsspec.filesystem(store)
        self.store.makedirs(self.uri, exist_ok=True)

    def upload(self) -> None:
        """Puts all files of the folder into the store."""
        self.store.put(f"{self.folder}/", f"{self.uri}/", recursive=True)

    def build(self, url: str) -> cli.Ended:
        """Runs the command on it."""
        return cli.run("build", "--lake", self.uri, "--warehouse", url)


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> str:
    """Each store in turn, reachable."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    return str(request.param)


@pytest.fixture
def remote(lake: Path, store: str) -> Iterator[Remote]:
    """Two days in CSV, the third in Parquet, of which one part has another type."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()], format="parquet")
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1)), "EV-2,one column too few"])
    write_dump(lake, "telemetry", day(2), [usage(event_ts=noon(2), quantity="many")])
    for part, how in (("a", {}), ("b", {"as_text": True})):
        row = usage(event_id=part, event_ts=noon(3))
        write_dump(lake, "telemetry", day(3), [row], part=part, format="parquet", **how)
    remote = Remote(lake, store)
    remote.upload()
    yield remote
    remote.store.rm(remote.uri, recursive=True)


def assert_built(remote: Remote, url: str) -> None:
    """The mart comes to have what the oracle makes of the same files."""
    ended = remote.build(url)
    assert ended.code == 0, ended.err
    assert differing(tables_of(url), expected_tables(remote.folder)) == {}


def test_it_is_built_and_so_is_what_changes_in_it(remote: Remote, warehouse: str) -> None:
    assert_built(remote, warehouse)
    assert "Nothing to build" in remote.build(warehouse).out
    write_dump(remote.folder, "telemetry", day(2), [usage(event_ts=noon(2), quantity=7.0)])
    remote.upload()
    assert_built(remote, warehouse)


def test_a_dump_that_cannot_be_read_is_named(remote: Remote, tmp_path: Path) -> None:
    (remote.folder / "telemetry" / str(day(3)) / "b.parquet").write_bytes(b"none")
    remote.upload()
    ended = remote.build(f"duckdb://{tmp_path}/warehouse.duckdb")
    assert ended.code == 1
    assert f"telemetry/{day(3)}/b.parquet: cannot be read as Parquet" in ended.err


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Unable to locate credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to the endpoint"),
        ({}, "there is no such folder, or it must not be listed"),
    ],
    ids=["without credentials", "that nobody serves", "without a bucket"],
)
@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_store_that_cannot_be_reached_is_told_in_a_line(
    access: dict[str, str], told: str, store: str, tmp_path: Path
) -> None:
    own = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"} | access
    place = ["--lake", "s3://nobody/lake", "--warehouse", f"duckdb://{tmp_path}/warehouse.duckdb"]
    ended = cli.run_apart("build", *place, **own)
    assert ended.code == 1
    # before it stands the alarm that the build has failed
    assert f"\nError: lake s3://nobody/lake: {told}" in ended.err
    assert "Traceback" not in ended.err


def test_sources_in_a_store_are_those_of_its_lake_toml(
    lake: Path, store: str, tmp_path: Path
) -> None:
    """Compressed files, by pattern and expression; the store lists its prefix once."""
    (lake / "lake.toml").write_text(
        """
        [[telemetry]]
        name = "api"
        files = "api/{day:%Y/%m/%d}/{hour}.csv.gz"
        [telemetry.columns]
        customer_id = "'CUST-' || account"
        """
    )
    header = "event_id,event_ts,account,deployment_id,product_id,infrastructure,quantity,unit\n"
    for hour in (8, 9):
        path = lake / f"api/2026/01/05/{hour:02}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        line = f"e{hour},2026-01-05 {hour:02}:00:00,7,d,p,,1,u\n"
        path.write_bytes(gzip.compress((header + line).encode()))
    remote = Remote(lake, store)
    remote.upload()
    url = f"duckdb://{tmp_path}/m.duckdb"
    assert remote.build(url).code == 0
    found = tables_of(url)
    rows = found["lake.raw_telemetry"]
    assert sorted((row["event_id"], row["customer_id"]) for row in rows) == [
        ("e8", "CUST-7"),
        ("e9", "CUST-7"),
    ]
    assert [row["source"] for row in found["lake.dumps"]] == ["api"]


def test_a_store_gets_what_of_a_site_has_changed_and_its_index_last(store: str) -> None:
    root, files = f"{store}://{BUCKET}/{uuid4()}", fsspec.filesystem(store)

    def stored() -> dict[str, bytes]:
        files.invalidate_cache()
        found = {each.split("/", 3)[-1] if store == "memory" else each.split("/", 2)[-1]: each
            for each in files.find(root)}  # fmt: skip
        return {name: files.cat_file(each) for name, each in found.items() if name != MANIFEST}

    done = publish(root, FIRST.items())
    assert (done.place, done.written, done.removed) == (f"{root}/index.html", 3, 0)
    assert stored() == FIRST
    assert publish(root, FIRST.items()).written == 0
    with pytest.raises(Broken):
        publish(root, breaking(SECOND))
    assert stored() == FIRST | {"customers/c.html": b"c"}, "the index is as it was"
    done = publish(root, SECOND.items())
    assert done.written == 3, "what was broken off is written anew"
    assert stored() == SECOND | {"customers/b.html": b"b"}
    assert publish(root, SECOND.items()).written == 0
    if store == "s3":
        files.invalidate_cache()
        told = files.info(f"{root}/index.html")["ContentType"]
        assert told == "text/html; charset=utf-8"
    files.rm(root, recursive=True)


def test_what_is_read_from_a_database_is_written_there(remote: Remote, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "erp.sqlite")) as connection:
        connection.execute("CREATE TABLE readings AS SELECT '2026-01-04 12:00:00' AS event_ts")
        connection.commit()
    remote.store.pipe_file(
        f"{remote.uri}/lake.toml",
        f"""[[ingest]]
name = "readings"
url = "sqlite://{tmp_path}/erp.sqlite"
query = "SELECT * FROM readings WHERE date(event_ts) = :day"
table = "telemetry"
since = 2026-01-01
""".encode(),
    )
    asked = ["ingest", "--lake", remote.uri, "--day", day(4)]
    first, second = cli.run(*asked), cli.run(*asked)
    assert first.out == f"readings {day(4)}: 1 rows, telemetry/{day(4)}.parquet\n", first.err
    assert second.out == first.out.replace("parquet", "parquet, as it was")
    with remote.store.open(f"{remote.uri}/telemetry/{day(4)}.parquet") as stream:
        assert pq.read_table(stream).num_rows == 1
