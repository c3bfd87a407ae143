"""Engines that keep all tables in one file."""

import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse.base import Warehouse


class FileWarehouse(Warehouse):
    """An engine and its file."""

    def __init__(self, path: str, memory_limit: str) -> None:
        """See `open_warehouse`."""
        self.path, self.memory_limit = Path(path), memory_limit

    @classmethod
    def at(cls, url: str, memory_limit: str, password: str | None) -> Self:  # noqa: ARG003
        """`<scheme>://<path>`, with three slashes for an absolute path."""
        parts = urlsplit(url)
        path = parts.netloc + parts.path
        if not path or path.endswith(":memory:") or parts.query:
            raise WarehouseError(f"warehouse URL '{url}': name a file, as {cls.scheme}://<path>")
        return cls(path, memory_limit)

    @property
    def url(self) -> str:
        """The scheme and the path."""
        return f"{self.scheme}://{self.path}"

    @property
    def file(self) -> Path:
        """The file that reading connects to."""
        return self.path

    @property
    def spill(self) -> Path:
        """Beside the file."""
        return self.path.with_name(f"{self.path.name}.tmp")

    def is_there(self) -> bool:
        """Whether the file is."""
        return self.file.exists()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """By a file beside, whose lock ends with the process that holds it."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        if not lock.parent.is_dir():  # it would be made
            raise self.unreachable(FileNotFoundError(str(lock.parent)))
        with ExitStack() as stack:
            try:
                stack.enter_context(FileLock(lock, timeout=self.lock_seconds))
            except Timeout as error:
                held = TimeoutError(f"another process holds {lock} since {self.lock_seconds:.0f} s")
                raise self.unreachable(held) from error
            except OSError as error:
                raise self.unreachable(error) from error
            yield

    @contextmanager
    def copied(self) -> Iterator[Warehouse]:
        """In a folder beside the file."""
        if self.path.parent.is_dir() and not self.is_there():
            raise WarehouseError(f"warehouse {self.url}: nothing was built yet; build it first")
        try:
            folder = tempfile.TemporaryDirectory(prefix="preview", dir=self.path.parent)
        except OSError as error:
            raise self.unreachable(error) from error
        with folder as name:
            yield self.copy_to(Path(name))

    @abstractmethod
    def copy_to(self, folder: Path) -> Warehouse:
        """A copy of it as writers see it, in a folder.

        Raises:
            WarehouseError: it cannot be read, or the copy not be written.
        """

    def unreachable(self, error: Exception) -> WarehouseError:
        """Most often the folder is missing."""
        if not self.path.parent.is_dir():
            return WarehouseError(
                f"warehouse {self.url}: there is no folder {self.path.parent}; create it, or name "
                "another file"
            )
        return super().unreachable(error)
