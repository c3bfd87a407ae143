"""The files that readers of a DuckDB see: the last release, and the one before to go back to."""

import os
from contextlib import suppress
from pathlib import Path

from consumption_datamart.errors import WarehouseError


class Releases:
    """The release that readers see, the one before, and a mark that holds newer ones back.

    Attributes:
        current: the file that readers open.
        previous: what it was before it was last replaced.
    """

    def __init__(self, current: Path) -> None:
        """None of the files has to be there."""
        stem, dot, suffix = current.name.partition(".")
        self.current = current
        self.previous = current.with_name(f"{stem}.previous{dot}{suffix}")
        self._mark = current.with_name(f"{current.name}.held")

    @property
    def are_held(self) -> bool:
        """Whether readers were taken back, and are to see no newer release for now."""
        return self._mark.exists()

    def replace(self, fresh: Path, *, keeps_previous: bool) -> None:
        """Lets readers see another file, in one step; those who have the old one open keep it."""
        Path(f"{self.current}.wal").unlink(missing_ok=True)
        if not keeps_previous:
            self.previous.unlink(missing_ok=True)
        elif self.current.exists():
            with suppress(OSError):  # a file system without links: there is nothing to go back to
                _link(self.current, self.previous)
        fresh.replace(self.current)

    def roll_back(self) -> None:
        """Lets readers see the release before, and no newer one until `undo`.

        Raises:
            WarehouseError: there is none, or it was done before.
        """
        if self.are_held:
            raise WarehouseError(
                f"{self.current}: readers were taken back already; consumption-datamart rollback"
                " --undo lets them see the last release again"
            )
        if not self.previous.exists():
            raise WarehouseError(
                f"{self.current}: there is no release before this one; it is kept from the second"
                " release on, unless CONSUMPTION_DATAMART_KEEP_PREVIOUS_RELEASE is false"
            )
        self._mark.touch()
        self._exchange()

    def undo(self) -> None:
        """Lets readers see the release that they were taken back from, and newer ones.

        Raises:
            WarehouseError: nothing is held back.
        """
        if not self.are_held:
            raise WarehouseError(f"{self.current}: no release is held back")
        self._exchange()
        self._mark.unlink()

    def _exchange(self) -> None:
        """At each moment there is a file for readers."""
        aside = self.current.with_name(f"{self.current.name}.aside")
        _link(self.current, aside)
        self.previous.replace(self.current)
        aside.replace(self.previous)


def _link(file: Path, name: Path) -> None:
    """Gives a file a further name, that of another if there is one."""
    fresh = name.with_name(f"{name.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    os.link(file, fresh)
    fresh.replace(name)
