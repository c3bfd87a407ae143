"""Bringing a copy of a DuckDB warehouse up to date: only what was published since is written."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

import duckdb

from consumption_datamart.schema.monitoring import LoadedFile, Publication, Release
from consumption_datamart.schema.table import Table

Name = tuple[str, str]
"""Schema and table."""
Versions = Mapping[str, Mapping[date | None, int]]
"""Full name of a table → partition → version of its last publication."""


class Attached(NamedTuple):
    """A database file that is attached to a connection.

    Attributes:
        connection: to DuckDB.
        catalog: the name by which it is attached.
    """

    connection: duckdb.DuckDBPyConnection
    catalog: str

    def tables(self) -> dict[Name, str]:
        """Its tables, with the statements that create them."""
        found = self.connection.execute(
            "SELECT schema_name, table_name, sql FROM duckdb_tables() WHERE database_name = ?",
            [self.catalog],
        ).fetchall()
        return {(schema, table): sql for schema, table, sql in found}

    def named(self, name: Name) -> str:
        """A table as SQL, quoted."""
        return f'"{self.catalog}"."{name[0]}"."{name[1]}"'

    def versions(self) -> Versions:
        """What was published, by its ledger."""
        ledger = (Publication.schema_name(), Publication.table_name())
        found: dict[str, dict[date | None, int]] = {}
        if ledger in self.tables():
            columns = "published_table, published_day, version"
            rows = self.connection.execute(f"SELECT {columns} FROM {self.named(ledger)}")
            for table, day, version in rows.fetchall():
                found.setdefault(table, {})[day] = version
        return found


def latest(versions: Versions) -> int:
    """The last publication."""
    return max((version for days in versions.values() for version in days.values()), default=0)


def bring_up_to_date(
    source: Attached, copy: Attached, models: Iterable[type[Table]], left_out: Iterable[type[Table]]
) -> None:
    """Makes the tables of a copy equal to those of the source.

    Tables of the ledger are written by the partitions that were published since; all others, which
    are small, as a whole.

    Args:
        source: the warehouse.
        copy: of it, or empty.
        models: of the tables, as far as they are known.
        left_out: tables that the copy does not have.
    """
    by_name = {(model.schema_name(), model.table_name()): model for model in models}
    omitted = {(model.schema_name(), model.table_name()) for model in left_out}
    wanted = {name: sql for name, sql in source.tables().items() if name not in omitted}
    before, there = copy.tables(), (source.versions(), copy.versions())
    for name in before.keys() - wanted.keys():
        copy.connection.execute(f"DROP TABLE {copy.named(name)}")
    for name, sql in wanted.items():
        if before.get(name) == sql:
            model = by_name.get(name)
            where = "" if model is None else _changed(model, *there)
            if where is None:
                continue
            copy.connection.execute(f"DELETE FROM {copy.named(name)} {where}")
            copy.connection.execute(
                f"INSERT INTO {copy.named(name)} BY NAME FROM {source.named(name)} {where}"
            )
            continue
        copy.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{copy.catalog}"."{name[0]}"')
        copy.connection.execute(f"DROP TABLE IF EXISTS {copy.named(name)}")
        made = sql.replace("CREATE TABLE ", f'CREATE TABLE "{copy.catalog}".', 1)
        copy.connection.execute(made)
        copy.connection.execute(f"INSERT INTO {copy.named(name)} BY NAME FROM {source.named(name)}")


def _changed(model: type[Table], now: Versions, before: Versions) -> str | None:
    """Condition for the partitions that were published since; '' for all, None where none were."""
    ledger = model.published_with()
    if ledger not in now:
        return ""
    column, own, then = model.day_column(), now[ledger], before.get(ledger, {})
    if own == then:
        return None
    if column is None:
        return ""
    days = sorted(day for day in own.keys() | then.keys() if day and own.get(day) != then.get(day))
    listed = ", ".join(f"DATE '{day}'" for day in days)
    return f'WHERE "{column}" IN ({listed})'


def sign(signed: Attached, version: int) -> None:
    """Writes down which publication is the last, and since when readers see it."""
    name = (Release.schema_name(), Release.table_name())
    signed.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{signed.catalog}"."{name[0]}"')
    columns = "released_at TIMESTAMP NOT NULL, version BIGINT NOT NULL"
    signed.connection.execute(f"CREATE OR REPLACE TABLE {signed.named(name)} ({columns})")
    now = datetime.now(UTC).replace(tzinfo=None)
    signed.connection.execute(f"INSERT INTO {signed.named(name)} VALUES (?, ?)", [now, version])


def signed_version(copy: Attached) -> int | None:
    """The last publication that a copy has; None: it does not say."""
    name = (Release.schema_name(), Release.table_name())
    if name not in copy.tables():
        return None
    (version,) = copy.connection.execute(f"SELECT version FROM {copy.named(name)}").fetchall()[0]
    return int(version)


def forget_missing(copy: Attached) -> None:
    """Strikes out of the ledger what a copy was made without: it is loaded and published anew."""
    there = ", ".join(f"'{schema}.{table}'" for schema, table in copy.tables())
    for model, table in (
        (Publication, "published_table"),
        (LoadedFile, "'lake.raw_' || lake_table"),
    ):
        name = (model.schema_name(), model.table_name())
        if name in copy.tables():
            copy.connection.execute(
                f"DELETE FROM {copy.named(name)} WHERE {table} NOT IN ({there})"
            )
