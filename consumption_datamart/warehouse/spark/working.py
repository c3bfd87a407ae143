"""The versions of tables that a transaction works with: those that it has found, and has made."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.monitoring import MonitoringTable
from consumption_datamart.warehouse.spark import tables
from consumption_datamart.warehouse.spark.commits import Version

TIDY_EVERY = 50
"""Versions of a table after which it is tidied up."""


class Working:
    """Versions of tables, by full name.

    Attributes:
        found: that are published.
        versions: as they are for the transaction; also by names that only it knows.
    """

    def __init__(
        self,
        found: Mapping[str, Version],
        writable: Callable[[str, Version], Version],
        warehouse: str,
    ) -> None:
        """Nothing is made yet.

        Args:
            found: that are published.
            writable: makes a version of a table the last of it; see `SparkWarehouse.writable`.
            warehouse: its name, in messages.
        """
        self.found, self.versions = found, dict(found)
        self._writable, self._warehouse = writable, warehouse
        self._made: set[str] = set()

    def names(self) -> set[str]:
        """Full names of the tables that are there."""
        return {name for name in self.versions if "." in name}

    def form(self, name: str, version: Version) -> None:
        """Keeps a table that was made, or made anew."""
        self._made.add(name)
        self.versions[name] = version

    def own(self, name: str) -> str:
        """URI of a table that is about to be written to: its last version is the one we know.

        Raises:
            WarehouseError: another has made one, such as a statement of a run that was killed,
                which the cluster carries on with.
        """
        if name not in self._made:
            self._made.add(name)
            self.versions[name] = self._writable(name, self.versions[name])
        before = self.versions[name]
        if tables.head(before.uri) != before.number:
            raise self._disturbed(name)
        return before.uri

    def note(self, name: str) -> None:
        """Keeps the version that was made by one change, if that made any.

        Raises:
            WarehouseError: another has made one, too.
        """
        before = self.versions[name]
        now = tables.head(before.uri)
        if now > before.number + 1:
            raise self._disturbed(name)
        self.versions[name] = Version(before.uri, now)

    def to_publish(self) -> dict[str, Version]:
        """The versions to publish; tables that have had many are tidied up."""
        for name in self._made & self.versions.keys() & self.found.keys():
            now = self.versions[name]
            if now.number // TIDY_EVERY > self.found[name].number // TIDY_EVERY:
                is_small = name.startswith(f"{MonitoringTable.schema_name()}.")
                self.versions[name] = tables.tidy(now, is_small=is_small)
        return {name: self.versions[name] for name in self.names()}

    def take_back(self) -> None:
        """Makes the tables be what they were, for readers that know nothing of commits.

        In a copy of a mart, those that it is a copy of are left alone.
        """
        for name in self._made & self.found.keys() & self.versions.keys():
            if self.versions[name].uri == self.found[name].uri:
                with suppress(Exception):  # else the next who writes to it does
                    tables.take_back(self.found[name])

    def _disturbed(self, name: str) -> WarehouseError:
        return WarehouseError(
            f"warehouse {self._warehouse}: another process writes to {name}; nothing was"
            " published, run again"
        )
