"""The mart on a Spark cluster, as any other warehouse."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import Self
from urllib.parse import quote
from uuid import uuid4

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from duckdb import DuckDBPyConnection
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.backends.sql import SQLBackend

from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.lease import held
from consumption_datamart.warehouse.server import OURS, ServerWarehouse
from consumption_datamart.warehouse.spark import commits, tables
from consumption_datamart.warehouse.spark.backend import SparkBackend
from consumption_datamart.warehouse.spark.commits import Commit, Commits, ObjectLease, Version
from consumption_datamart.warehouse.spark.place import Place, place_of
from consumption_datamart.warehouse.spark.session import Sessions
from consumption_datamart.warehouse.spark.transaction import SparkTransaction
from consumption_datamart.warehouse.sql import sql_in
from consumption_datamart.warehouse.transaction import Transaction

LOCK_SECONDS = 600.0
PREVIEW = "_preview"
"""Folder of a copy; nothing else is in it."""
ASIDE = "_aside"
"""Folder of rows on their way into tables."""


class SparkWarehouse(ServerWarehouse):
    """Delta tables in a folder or bucket, and the cluster that computes them."""

    scheme = "spark"
    lock_seconds = LOCK_SECONDS
    prefix = ""
    fixed: Commit | None = None
    """The commit that is read, where that is not the last."""

    def __init__(self, url: str, place: Place, memory_limit: str, token: str | None) -> None:
        """See `open_warehouse`."""
        self._url, self.place, self.memory_limit = url, place, memory_limit
        self.sessions = Sessions(place, url, token)

    @classmethod
    def at(cls, url: str, memory_limit: str, password: str | None) -> Self:
        """`spark://<host>:<port>?location=<folder or bucket>`; the password is a token."""
        return cls(url, place_of(url), memory_limit, password)

    @property
    def commits(self) -> Commits:
        """What is published."""
        return Commits(self.place.location, self.url)

    def last(self) -> Commit:
        """What is published; see `Commits.last`."""
        return self.fixed or self.commits.last()

    def uri_of(self, name: str) -> str:
        """Where a table is made that is not there, by its full name."""
        return f"{self.place.location}/{name.replace('.', '/')}"

    def qualified_name(self, schema: str, table: str) -> str:
        """As Ibis writes it; the backend puts the version in its place."""
        return f"`{schema}`.`{table}`"

    def tables(self, backend: SQLBackend) -> set[str]:
        """As the commit says that is read, or the transaction."""
        assert isinstance(backend, SparkBackend)
        return {name for name in backend.versions if "." in name}

    def is_there(self) -> bool:
        """Without a connection to the cluster."""
        return any(name.split(".")[0] in OURS for name in self.last().tables)

    def stored_schema(self, model: type[Table]) -> ibis.Schema:
        """Any column may be null: that none is where none may be is audited."""
        return model.ibis_schema()

    @contextmanager
    def transaction(
        self,
        writes: Collection[type[Table]] | None = None,  # noqa: ARG002  # one at a time
        reads: Collection[type[Table]] = (),  # noqa: ARG002
    ) -> Iterator[Transaction]:
        """One at a time: who writes any table keeps out all others who write."""
        transaction = SparkTransaction(self)
        with (
            self._locked("write") as lease,
            self.in_memory() as staging,
            self.sessions.open() as on,
        ):
            last = self.commits.last()
            if lease.is_after_crash:
                self._heal(last)
            transaction.staging = ibis.duckdb.from_connection(staging)
            transaction.begin(SparkBackend.on(on, {}), last.tables)
            try:
                yield transaction
                now = transaction.to_publish()
                if now != last.tables:
                    lease.renew()
                    self.commits.write(Commit(last.number + 1, now))
            except BaseException:
                with suppress(*commits.ERRORS):  # else whoever writes next takes it back
                    if lease.extend():
                        transaction.working.take_back()
                raise

    @contextmanager
    def reader(self) -> Iterator[SQLBackend]:
        """All that is read within the block is of one commit."""
        last = self.last()
        with self.sessions.open() as session:
            yield SparkBackend.on(session, last.tables)

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """Of one commit."""
        fixed = copy(self)
        fixed.fixed = self.last()
        yield fixed

    def writable(self, name: str, version: Version) -> Version:
        """A version of a table that can be written to: the last of it, in this warehouse's place.

        What one left there who was killed is taken back; a table of another place is copied.
        """
        if version.uri == self.uri_of(name):
            return tables.take_back(version)
        uri = self.uri_of(name)
        tables.form(uri, tables.schema_of(version), tables.kept_apart_by(version))
        with self.sessions.open() as session:
            rows = session.sql(
                f"SELECT * FROM delta.`{version.uri}` VERSION AS OF {version.number}"
            )
            rows.write.format("delta").mode("append").save(uri)
        return Version(uri, tables.head(uri))

    @contextmanager
    def aside(self) -> Iterator[str]:
        """URI of a table that is not there, nor after the block."""
        folder = f"{ASIDE}/{uuid4().hex}"
        try:
            yield f"{self.place.location}/{folder}"
        finally:
            with suppress(*commits.ERRORS):
                commits.remove(self.place.location, folder)

    def copy_out(
        self, backend: SQLBackend, rows: ir.Table, target: DuckDBPyConnection, name: str
    ) -> None:
        """From the tables' files, as DuckDB streams them, and without the cluster."""
        assert isinstance(backend, SparkBackend)
        query = sql_in("duckdb", rows)
        for table in rows.op().find(ops.UnboundTable):
            full = f"{table.namespace.database}.{table.name}"
            target.register(full, tables.dataset(backend.versions[full]))
            query = query.replace(f'"{table.namespace.database}"."{table.name}"', f'"{full}"')
        types = DuckDBBackend.compiler.type_mapper
        columns = ", ".join(
            f'"{column}"::{types.to_string(dtype)} AS "{column}"'
            for column, dtype in rows.schema().items()
        )
        target.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM ({query})")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """By an object beside the tables."""
        with self._locked("turn"):
            yield

    @contextmanager
    def copied(self) -> Iterator[Warehouse]:
        """In a folder beside: a commit that names the same versions; what is written is copied."""
        copied = copy(self)
        location = f"{self.place.location}/{PREVIEW}"
        copied.place = self.place._replace(location=location)
        copied._url = re.sub("location=[^&]*", f"location={quote(location)}", self._url)
        with self._locked("turn"):
            try:
                commits.remove(self.place.location, PREVIEW)
                copied.commits.write(Commit(1, self.last().tables))
                yield copied
            finally:
                commits.remove(self.place.location, PREVIEW)

    def _heal(self, last: Commit) -> None:
        """Takes back what one left who was killed, in all tables."""
        commits.remove(self.place.location, ASIDE)
        for name, version in last.tables.items():
            if version.uri == self.uri_of(name):  # others are those that it is a copy of
                tables.take_back(version)

    @contextmanager
    def _locked(self, which: str) -> Iterator[ObjectLease]:
        """Keeps out others who ask for it, until the end of the block."""
        lease = ObjectLease(self.place.location, which, self.url)
        with held(lease, self.lock_seconds, commits.ERRORS) as taken:
            yield taken
