"""Writing a file into the lake: whole or not at all, and only where it is another."""

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from consumption_datamart.errors import LakeError
from consumption_datamart.lake.dumps import BLOCK_BYTES, Lake, in_a_line

LEFT_SECONDS = 24 * 3600
"""After which a part that a killed process has left is deleted."""


@dataclass
class Delivery:
    """A file that is to be in the lake.

    Attributes:
        part: where its bytes are written first, on this machine.
        is_new: afterwards, whether the lake had it not, or another.
        size: afterwards, in bytes.
    """

    part: Path
    is_new: bool = True
    size: int = 0


@contextmanager
def delivery(lake: Lake, name: str) -> Iterator[Delivery]:
    """A file to write into; it is in the lake when the block ends, and is not when it raises.

    A file that is as it was is left alone, so that nothing is loaded anew. Who reads meanwhile sees
    what was there before, and a process that is killed leaves a hidden part, which is no dump.

    Args:
        lake: a folder, or a store.
        name: of the file, relative to the lake.

    Raises:
        LakeError: the lake must not be written to, or cannot be.
    """
    target = lake.place(name)
    folder = Path(target).parent if lake.is_local else Path(tempfile.gettempdir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        found = Delivery(folder / f".{Path(name).name}.{uuid.uuid4().hex}.part")
        try:
            yield found
            found.size = found.part.stat().st_size
            found.is_new = not _is_same(lake, target, found)
            if found.is_new:
                _put(lake, found.part, target)
        finally:
            found.part.unlink(missing_ok=True)
    except LakeError:
        raise
    except OSError as error:
        told = f"{name} cannot be written: {in_a_line(error)}"
        raise LakeError(f"lake {lake.uri}: {told}; let this user write there") from error


def _put(lake: Lake, part: Path, target: str) -> None:
    if lake.is_local:
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
    else:  # an object is there when all of it has been received
        lake.filesystem.put_file(str(part), target)


def _is_same(lake: Lake, target: str, found: Delivery) -> bool:
    with suppress(FileNotFoundError):
        if lake.filesystem.size(target) == found.size:
            with lake.filesystem.open(target, "rb") as there, found.part.open("rb") as here:
                return all(
                    one == other for one, other in zip(_blocks(there), _blocks(here), strict=True)
                )
    return False


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(BLOCK_BYTES):
        yield block


def _sweep(folder: Path) -> None:
    """Deletes what killed processes have left."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            if part.stat().st_mtime < time.time() - LEFT_SECONDS:
                part.unlink()
