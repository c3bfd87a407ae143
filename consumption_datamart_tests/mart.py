"""Building a mart for a test, and reading it with nothing but the engine's own client."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import duckdb
import ibis
import pytest

from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.build import BuildResult
from consumption_datamart.build import build as build_with_dagster
from consumption_datamart.definitions import models
from consumption_datamart.factories import Catalog, TableSpec
from consumption_datamart.factories.mart_table import arguments, computed
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import Listing, listing
from consumption_datamart.lake.loading import load
from consumption_datamart.lake.outcome import Outcome
from consumption_datamart.lake.sources import Sources
from consumption_datamart.partitions import partitions
from consumption_datamart.schema.alerts import ALERTS
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import CONTRACTS, Contract
from consumption_datamart.schema.monitoring import MONITORING
from consumption_datamart.schema.raw import Declarations, Dumps, models_of, raw_of
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Inspect, Warehouse, open_warehouse, publish
from consumption_datamart_tests import fakesnow_server, postgres_server, sail_server
from consumption_datamart_tests.compare import Row, Tables

ENGINES = ("duckdb", "sqlite")
DUCKDB = pytest.mark.parametrize("engine", ["duckdb"], indirect=True)
"""For what is the same on every engine."""
SLOW = pytest.mark.slow
"""For what a quicker test holds in short: `make test-all` passes it."""
ONLY_LOADED = pytest.mark.usefixtures("only_loaded")
"""For what ends with the raw tables."""
MODELS = {model.full_name(): model for model in [*models().values(), *MONITORING]}
STORED = MODELS | {model.full_name(): model for model in ALERTS}
COMPUTED = {spec.model.table_name(): spec for spec in STAR + REPORTS}
UPSTREAM = {name: set(spec.reads()) for name, spec in COMPUTED.items()}
DAY_OF_NO_LAKE = Days(date(2026, 1, 1), date(2026, 1, 1))


def build(lake: Path, url: str, first: date | None = None, last: date | None = None) -> BuildResult:
    """Build the mart as a user does; it must succeed."""
    result = build_with_dagster(settings(lake, url), first, last)
    assert result.failures == {}, result.failures
    assert result.skipped == []
    return result


class Mart(NamedTuple):
    """A lake, and the warehouse of its mart."""

    lake: Path
    url: str

    @classmethod
    def of(cls, folder: Path, engine: str) -> "Mart":
        """Those of a folder: `lake` and `warehouse.<engine>`."""
        return cls(folder / "lake", f"{engine}://{folder}/warehouse.{engine}")


class Built:
    """A lake that is built once on each engine that is asked for; copies are to do harm to."""

    def __init__(
        self,
        folder: Path,
        write_lake: Callable[[Path], None],
        build: Callable[[Path, str], object] = build,
    ) -> None:
        """Writes the lake into the folder."""
        self.folder, self.build, self.engines = folder, build, set()
        write_lake(folder / "lake")

    def copy(self, folder: Path, engine: str = "duckdb") -> Mart:
        """Another of the same, in another folder."""
        if engine not in self.engines:
            self.build(*Mart.of(self.folder, engine))
            self.engines.add(engine)
        return copy_mart(self.folder, folder, engine)


def copy_mart(source: Path, folder: Path, engine: str) -> Mart:
    """Copy the lake and the warehouse of one folder into another."""
    shutil.copytree(source / "lake", folder / "lake", dirs_exist_ok=True)
    for file in source.glob(f"warehouse*.{engine}"):
        shutil.copyfile(file, folder / file.name)
    return Mart.of(folder, engine)


def settings(lake: Path, url: str) -> Settings:
    """Settings of a lake, of which any dump may be taken away, and a warehouse."""
    return Settings(lake=str(lake), warehouse=url, accept_deletions=True)


def build_tables(
    lake: Path | str, url: str, only: Collection[str] | None = None, days: Days | None = None
) -> None:
    """Build tables by the functions that the assets call, without Dagster.

    Args:
        lake: its folder, or URI.
        url: of the warehouse.
        only: full names of the wanted tables, built with all that they read; by default all.
        days: of the daily tables; by default all days of the lake.
    """
    found, warehouse = listing(Lake(str(lake))), open_warehouse(url)
    asked = None if only is None else {name.split(".")[1] for name in only}
    wanted = None if asked is None else _with_upstream(asked)
    days = days or days_of(found)
    publish(warehouse, Dumps, found.dumps())
    publish(warehouse, Declarations, found.sources.declarations())
    with warehouse.transaction() as transaction:
        transaction.require(*(raw_of(contract) for contract in CONTRACTS))
    for source in found.sources.all:
        tables = {model.table_name() for model in models_of(source.contract)}
        if asked is not None and not found.of(source) and not asked & tables:
            continue
        if wanted is None or wanted & tables:
            load(warehouse, source, found, days if source.contract.day_column() else None)
    for name in TopologicalSorter(UPSTREAM).static_order():
        if name in COMPUTED and (wanted is None or name in wanted):
            spec = COMPUTED[name]
            of_table = days if spec.model.day_column() else None
            rows = computed(spec, arguments(spec, models(), warehouse, of_table))
            publish(warehouse, spec.model, rows, of_table)
    warehouse.release()


def load_table(
    warehouse: Warehouse,
    contract: type[Contract],
    lake: Path,
    days: Days | None = None,
    inspect: Inspect | None = None,
) -> Outcome:
    """Load the one source of a lake table of a lake without `lake.toml`."""
    found = listing(Lake(str(lake)))
    (source,) = found.sources.of(contract)
    return load(warehouse, source, found, days, inspect=inspect)


def days_of(found: Listing) -> Days:
    """The first to the last day of a lake."""
    return Days(min(found.days), max(found.days)) if found.days else DAY_OF_NO_LAKE


def _with_upstream(names: set[str]) -> set[str]:
    """The tables and all that they are made of."""
    more = names.union(*(UPSTREAM.get(name, ()) for name in names))
    return names if more == names else _with_upstream(more)


def as_written(url: str) -> str:
    """URL of what writers work in: of what was not released, too."""
    if url.startswith(("postgres:", "snowflake:", "spark:")):
        return url
    return f"{url.split('://', maxsplit=1)[0]}://{open_warehouse(url).file}"


def tables_of(url: str, *own: type[Table]) -> Tables:
    """Every table of a warehouse, by its full name, as rows of plain Python values.

    Args:
        url: of the warehouse.
        own: models of tables that are not the mart's.
    """
    engine, path = url.split("://")
    if engine == "postgres":
        return postgres_server.tables_in(url)
    if engine == "snowflake":
        return fakesnow_server.tables_in(url)
    if engine == "spark":
        return sail_server.tables_in(url)
    known = STORED | {model.full_name(): model for model in own}
    return _of_duckdb(path) if engine == "duckdb" else _of_sqlite(path, known)


def without_monitoring(tables: Tables) -> Tables:
    """What the mart says of the lake, without what it says of itself: that has times in it."""
    return {name: rows for name, rows in tables.items() if not name.startswith("monitoring.")}


def _of_duckdb(path: str) -> Tables:
    with duckdb.connect(path, read_only=True) as connection:
        names = connection.execute(
            "SELECT database_name, schema_name || '.' || table_name FROM duckdb_tables()"
        ).fetchall()
        tables = {}
        for catalog, name in names:
            rows = connection.execute(f'FROM "{catalog}".{name}').fetchall()
            columns = [column[0] for column in connection.description or ()]
            tables[name] = [dict(zip(columns, row, strict=True)) for row in rows]
        return tables


def _of_sqlite(path: str, known: Mapping[str, type[Table]]) -> Tables:
    """Dates and times are ISO text there, and flags are 0 and 1: by the model they are read."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [
                _plain(dict(row), known[name].ibis_schema() if name in known else ibis.schema({}))
                for row in connection.execute(f'SELECT * FROM "{name}"')
            ]
            for (name,) in names
        }


def _plain(row: Row, schema: ibis.Schema) -> Row:
    for name, value in row.items():
        if value is None or name not in schema:
            continue
        if schema[name].is_date():
            row[name] = date.fromisoformat(value)
        elif schema[name].is_timestamp():
            row[name] = datetime.fromisoformat(value)
        elif schema[name].is_boolean():
            row[name] = bool(value)
    return row


def catalog(settings: Settings, *specs: TableSpec, start: date = date(2026, 1, 1)) -> Catalog:
    """What factories need to know, of a mart of a few tables besides those of the lake."""
    sources = Sources().all
    return Catalog(models(), specs, partitions(start), settings, sources=sources)


@contextmanager
def written_by_another(path: Path) -> Iterator[None]:
    """Somebody writes to the file, for long."""
    script = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", script], **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield
        process.kill()


def as_of_other_code(patch: pytest.MonkeyPatch) -> None:
    """Makes what is built from now on be built by another version of the program."""
    for module in ("ledger", "ledger_reading"):
        patch.setattr(f"consumption_datamart.warehouse.{module}.code_version", lambda: "newer")
