"""What every engine offers."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from pathlib import Path
from typing import Self, TypeVar

from duckdb import DuckDBPyConnection
from ibis.backends.sql import SQLBackend

from consumption_datamart.errors import WarehouseError, first_line
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.in_memory import duckdb_in_memory
from consumption_datamart.warehouse.readable import Readable
from consumption_datamart.warehouse.releases import Releases
from consumption_datamart.warehouse.transaction import Transaction

T = TypeVar("T")


class Warehouse(Readable):
    """An engine, and the database that it keeps the tables in.

    Attributes:
        scheme: of its URLs.
        lock_seconds: how long to wait for another who writes.
        memory_limit: how much memory a DuckDB that reads files for it may use.
    """

    scheme: str
    lock_seconds: float
    memory_limit: str

    @classmethod
    @abstractmethod
    def at(cls, url: str, memory_limit: str, password: str | None) -> "Warehouse":
        """The warehouse at a URL of its scheme; nothing is connected yet.

        Raises:
            WarehouseError: the URL does not name a database of this engine.
        """

    @property
    @abstractmethod
    def url(self) -> str:
        """The warehouse as Ibis writes it, without a password."""

    @property
    @abstractmethod
    def spill(self) -> Path:
        """Folder for what a DuckDB that reads files for it cannot hold in memory."""

    @abstractmethod
    def qualified_name(self, schema: str, table: str) -> str:
        """Name of a table as SQL, quoted."""

    def qualified(self, model: type[Table]) -> str:
        """Name of the model's table as SQL, quoted."""
        return self.qualified_name(model.schema_name(), model.table_name())

    @abstractmethod
    @contextmanager
    def transaction(
        self,
        writes: Collection[type[Table]] | None = None,
        reads: Collection[type[Table]] = (),
    ) -> Iterator[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Args:
            writes: tables that nobody else publishes meanwhile; None: nobody publishes any. To
                others of the ledger rows are only added. Where one writes at a time it is all one.
            reads: tables of which nobody publishes another state meanwhile.

        Raises:
            WarehouseError: the warehouse cannot be opened, or another does not give way in time.
        """

    @contextmanager
    def session(self) -> Iterator[None]:
        """For a thread that writes a table after the other: an engine may keep others out."""
        yield

    def in_transaction(
        self,
        work: Callable[[Transaction], T],
        writes: Collection[type[Table]] | None = None,
        reads: Collection[type[Table]] = (),
    ) -> T:
        """What a function gives that is called in a transaction; see there.

        An engine whose connections can be lost calls it again, in another transaction, if that was
        before the first was committed.
        """
        with self.transaction(writes, reads) as transaction:
            return work(transaction)

    def patiently(self, work: Callable[[], T]) -> T:
        """What a function gives; where a connection is lost in it, it is called again.

        Args:
            work: that may be done more than once: what it publishes is whole, or is not there.
        """
        return work()

    def in_memory(self) -> AbstractContextManager[DuckDBPyConnection]:
        """A connection to a DuckDB in memory."""
        return duckdb_in_memory(self.memory_limit, self.spill)

    @abstractmethod
    def release(
        self,
        is_wanted: Callable[[SQLBackend], bool] = lambda _: True,
        models: Collection[type[Table]] = (),
        left_out: Collection[type[Table]] = (),
        *,
        keeps_previous: bool = True,
    ) -> None:
        """Lets readers see what was published until now, unless they were taken back.

        Args:
            is_wanted: whether readers are to see the state that is read by this connection; the
                first is released whatever it says.
            models: of the tables, as far as they are known.
            left_out: tables that readers need not see.
            keeps_previous: whether what they have seen before is kept to go back to.

        Raises:
            WarehouseError: it cannot be; readers see what they saw before.
        """

    @property
    def releases(self) -> Releases:
        """What readers see, where that is a file of its own.

        Raises:
            WarehouseError: the engine has no releases.
        """
        raise WarehouseError(
            f"warehouse {self.url}: {self.scheme} has no releases, its readers see each"
            " publication; restore a backup"
        )

    @abstractmethod
    def copied(self) -> AbstractContextManager["Warehouse"]:
        """A copy of it as writers see it, gone when the block ends; it is as large.

        Raises:
            WarehouseError: it cannot be read, or the copy not be written.
        """

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """The same, but that all who read within the block see one state, as far as it can be."""
        yield self

    def grant_readers(self, role: str) -> None:  # noqa: ARG002  # an engine with roles
        """Lets a role of the engine read schema `mart`, and nothing else; creates the role.

        Raises:
            WarehouseError: the engine has no roles, or one may not create or let them.
        """
        raise WarehouseError(
            f"warehouse {self.url}: {self.scheme} knows no roles; who may read the file reads all"
        )

    @abstractmethod
    def released(self) -> "Warehouse":
        """The warehouse as readers see it, whatever is being written."""

    def operations(self) -> "Warehouse":
        """Where alerts are kept, which come and go while the mart is built."""
        return self

    @abstractmethod
    def turn(self) -> AbstractContextManager[None]:
        """Keeps out others who ask for their turn, in any process; it locks no table.

        Raises:
            WarehouseError: another does not give it up in time, or there is no place for a lock.
        """

    def waiting_at_most(self, seconds: float) -> "Warehouse":
        """The same, but that it waits no longer than that for another process."""
        impatient = copy(self)
        impatient.lock_seconds = seconds
        return impatient

    def unreachable(self, error: Exception) -> WarehouseError:
        """What to tell a user whose warehouse cannot be opened."""
        return WarehouseError(f"warehouse {self.url}: {first_line(error)}")
