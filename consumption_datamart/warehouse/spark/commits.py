"""Which version of each table is the published one; and who writes.

A Delta table is changed by itself, and keeps its earlier versions. What makes a transaction of
changes to several tables is a commit: a small object that names the version of every table. It is
written last, under a name that nobody has written yet. Readers begin with the last commit.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from consumption_datamart.errors import WarehouseError, first_line
from consumption_datamart.warehouse import lease

KEPT = 100
"""Commits that are kept, the last; and past holders of a lease."""
COMMITS, LOCKS = "_commits", "_locks"
ERRORS = (BaseError, OSError)
"""What a store raises."""


class Version(NamedTuple):
    """A state of a table.

    Attributes:
        uri: of the Delta table.
        number: of its version there.
    """

    uri: str
    number: int


class Commit(NamedTuple):
    """What is published.

    Attributes:
        number: of the commit; 0: nothing was ever committed.
        tables: full name → version.
    """

    number: int
    tables: Mapping[str, Version]


class Commits:
    """The commits of a mart, in a folder or bucket."""

    def __init__(self, location: str, name: str) -> None:
        """Nothing is read yet.

        Args:
            location: of the mart.
            name: of the warehouse, in messages.
        """
        self.location, self.name = location, name

    def last(self) -> Commit:
        """The last commit.

        Raises:
            WarehouseError: the place cannot be read.
        """
        try:
            store = store_of(self.location)
            numbers = listed(store, COMMITS)
            if not numbers:
                return Commit(0, {})
            content = bytes(obstore.get(store, _path(COMMITS, numbers[-1])).bytes())
        except ERRORS as error:
            raise self._unreachable(error) from error
        tables = json.loads(content)["tables"]
        within = {name: Version(self._whole(uri), number) for name, (uri, number) in tables.items()}
        return Commit(numbers[-1], within)

    def write(self, commit: Commit) -> None:
        """Publishes the versions that a commit names, all of them at once.

        Raises:
            WarehouseError: another has made a commit of this number, or the place cannot be
                written to; nothing is published.
        """
        # a mart that is moved or copied as a whole finds its own tables
        inside = f"{self.location}/"
        tables = {name: (uri.removeprefix(inside), n) for name, (uri, n) in commit.tables.items()}
        content = json.dumps({"tables": tables, "at": time.time()}).encode()
        try:
            store = store_of(self.location)
            obstore.put(store, _path(COMMITS, commit.number), content, mode="create")
        except AlreadyExistsError as error:
            raise WarehouseError(
                f"warehouse {self.name}: another process has written to it meanwhile; nothing was"
                " published, run again"
            ) from error
        except ERRORS as error:
            raise self._unreachable(error) from error
        forget(store, COMMITS, commit.number - KEPT)

    def _whole(self, uri: str) -> str:
        return uri if "://" in uri or uri.startswith("/") else f"{self.location}/{uri}"

    def _unreachable(self, error: Exception) -> WarehouseError:
        return WarehouseError(
            f"warehouse {self.name}: {first_line(error)}; the folder or bucket of its tables is"
            " written to by this process, and by the cluster"
        )


class ObjectLease(lease.Lease):
    """A lease that is an object, whose name has the number of times that it was taken.

    Nobody's clock counts: it has run out when whoever waits has seen it unchanged for that long.

    Attributes:
        number: of this holder.
        is_after_crash: whether whoever held it before did not give it up.
    """

    def __init__(self, location: str, which: str, name: str) -> None:
        """It is not held yet.

        Args:
            location: of the mart.
            which: of the locks.
            name: of the warehouse, in messages.
        """
        super().__init__(name)
        self.store, self.folder = store_of(location), f"{LOCKS}/{which}"
        self.number, self.is_after_crash = 0, False
        self._seen: tuple[int, object] = (0, None)
        self._since = 0.0

    def try_once(self) -> bool:
        """Takes the next number, if nobody has the last, or has not renewed it for long."""
        last = max(listed(self.store, self.folder), default=0)
        is_free, is_crashed = last == 0, False
        if last:
            with suppress(FileNotFoundError):
                found = obstore.get(self.store, _path(self.folder, last))
                is_free = bytes(found.bytes()) == b""
                seen = (last, (found.meta["e_tag"], found.meta["last_modified"]))
                if seen != self._seen:
                    self._seen, self._since = seen, time.monotonic()
                is_crashed = time.monotonic() - self._since > lease.LEASE_SECONDS
        if not is_free and not is_crashed:
            return False
        try:
            obstore.put(self.store, _path(self.folder, last + 1), self._content(), mode="create")
        except AlreadyExistsError:
            return False
        self.number, self.is_after_crash = last + 1, is_crashed
        forget(self.store, self.folder, last)
        return True

    def extend(self) -> bool:
        """Writes the object anew."""
        if max(listed(self.store, self.folder), default=0) != self.number:
            return False
        obstore.put(self.store, _path(self.folder, self.number), self._content())
        return True

    def give_up(self) -> None:
        """Empties the object."""
        with suppress(*ERRORS):
            if self.extend():
                obstore.put(self.store, _path(self.folder, self.number), b"")

    def _content(self) -> bytes:
        return json.dumps({"holder": self.holder, "at": time.time()}).encode()


def store_of(location: str) -> ObjectStore:
    """A folder or bucket; what lets one in is where its own tools look for it, too."""
    if "://" not in location:
        return LocalStore(location, mkdir=True, automatic_cleanup=True)
    return from_url(location)


def listed(store: ObjectStore, folder: str) -> list[int]:
    """The numbers of the objects in a folder, from the least."""
    paths = [str(each["path"]) for each in obstore.list(store, folder).collect()]
    return sorted(int(path.rpartition("/")[2].removesuffix(".json")) for path in paths)


def forget(store: ObjectStore, folder: str, until: int) -> None:
    """Deletes numbered objects, as far as that can be done."""
    with suppress(*ERRORS):
        old = [_path(folder, number) for number in listed(store, folder) if number <= until]
        if old:
            obstore.delete(store, old)


def remove(location: str, folder: str) -> None:
    """Deletes all that is in a folder of a mart, if anything is."""
    store = store_of(location)
    if paths := [each["path"] for each in obstore.list(store, folder).collect()]:
        obstore.delete(store, paths)


def _path(folder: str, number: int) -> str:
    return f"{folder}/{number:020d}.json"
