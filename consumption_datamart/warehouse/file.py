"""Engines that keep all tables in one file."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse.base import Warehouse


class FileWarehouse(Warehouse):
    """An engine and its file."""

    def __init__(self, path: str, memory_limit: str) -> None:
        """See `open_warehouse`."""
        self.path, self.memory_limit = Path(path), memory_limit

    @classmethod
    def at(cls, url: str, memory_limit: str) -> Self:
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

    def unreachable(self, error: Exception) -> WarehouseError:
        """Most often the folder is missing."""
        if not self.path.parent.is_dir():
            return WarehouseError(
                f"warehouse {self.url}: there is no folder {self.path.parent}; create it, or name "
                "another file"
            )
        return super().unreachable(error)
