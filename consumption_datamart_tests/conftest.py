"""What every test may ask for: an engine, a warehouse, a lake; and a clean environment."""

import gc
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from benchmarks.lakes import clean_environment
from consumption_datamart.definitions import catalog_of
from consumption_datamart.factories import Catalog
from consumption_datamart.settings import Settings
from consumption_datamart_tests import fakesnow_server, postgres_server, sail_server
from consumption_datamart_tests.mart import ENGINES

LONGEST = ("daemon", "cases", "partitions", "automation", "sources", "models", "properties", "diff")
"""Files that take minutes: no worker is to be left with one of them at the end."""
ON_EVERY_ENGINE = {
    f"test_{name}.py"
    for name in (
        "checks",
        "earlier_warehouses",
        "end_to_end",
        "in_memory",
        "increments",
        "properties",
        "publication",
        "readers",
        "table_versions",
        "upgrades",
    )
}
"""Tests of what engines do differently, and of builds as a whole; others run on DuckDB, and on the
others by `make test-all`."""
ON_SERVERS = {
    f"test_{name}.py"
    for name in (
        "cases",
        "increments",
        "own_assets",
        "publication",
        "retention",
        "table_versions",
        "upgrades",
    )
}
"""Tests of these that ask for a `warehouse`: by `make test-all` on the servers, too."""
SERVERS = ("postgres", "snowflake", "spark")
CANNOT = {
    "snowflake": {
        "test_a_table_that_was_never_good_is_not_there": "what creates a table commits at once",
        "test_a_publication_that_fails_leaves_the_table_as_it_was": "a new column is there at once",
        "test_a_frozen_table_takes_no_breaking_change_before_its_number_is_raised": "columns change"
        " before checks are evaluated, so that it is refused without a word of who reads it",
        "test_a_killed_process_leaves_the_table": "the transaction of a killed process stays open:"
        " in the emulator for good, on Snowflake until it is ended",
    },
}
"""Tests of what an engine cannot do, with the reason; they fail if it can."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `make test` leaves out, and lets the longest begin first."""
    places = {f"test_{name}.py": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
    items[:] = [item for item in items if _is_for_its_engine(item)]
    for item in items:
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
        if engine not in (None, "duckdb") and item.path.name not in ON_EVERY_ENGINE:
            item.add_marker("slow")
        if reason := CANNOT.get(str(engine), {}).get(getattr(item, "originalname", "")):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def _is_for_its_engine(item: pytest.Item) -> bool:
    engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
    return engine not in SERVERS or (
        item.path.name in ON_SERVERS and "warehouse" in item.fixturenames
    )


@pytest.fixture(autouse=True, scope="session")
def _environment() -> Iterator[None]:
    """No test sees the settings of the one who runs it."""
    # what is imported stays: to look through it again and again takes a twentieth
    gc.set_threshold(50_000, 20)
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - clean_environment().keys():
            patch.delenv(name)
        yield
    gc.unfreeze()  # DuckDB's bindings report what is frozen at the end as leaked


@pytest.fixture(
    params=[*ENGINES, *(pytest.param(each, marks=pytest.mark.slow) for each in SERVERS)]
)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return request.param


@pytest.fixture
def warehouse(engine: str, tmp_path: Path) -> Iterator[str]:
    """URL of a warehouse that is not there yet."""
    if engine not in SERVERS:
        yield f"{engine}://{tmp_path}/warehouse.{engine}"
        return
    if engine == "snowflake":
        yield fakesnow_server.new_database()
        return
    if engine == "spark":
        yield sail_server.new_mart()
        return
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def database() -> Iterator[str]:
    """URL of an empty database of PostgreSQL."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """URL of a server of S3 on this machine.

    One for all tests, as fsspec keeps what it has connected to; and a process of its own, as
    delta-rs holds up all threads of this one.
    """
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    answers = Retrying(wait=wait_fixed(0.1), stop=stop_after_delay(60))
    answers(socket.create_connection, ("127.0.0.1", port)).close()
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.fixture
def s3(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 is that server."""
    access = {"ENDPOINT_URL": s3_url, "DEFAULT_REGION": "us-east-1", "ALLOW_HTTP": "true"}
    access |= {"ACCESS_KEY_ID": "mart", "SECRET_ACCESS_KEY": "secret"}
    for name, value in access.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def only_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build ends with the raw tables: the star and the reports take four times as long."""

    def without_mart(settings: Settings) -> Catalog:
        return replace(catalog_of(settings), specs=[])

    monkeypatch.setattr("consumption_datamart.build.run.catalog_of", without_mart)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake without dumps."""
    path = tmp_path / "lake"
    path.mkdir()
    return path
