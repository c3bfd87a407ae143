"""The files of a warehouse: copied, and removed."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

COPY_BYTES = 16 << 20
"""How much of a file is copied at a time."""


def copy_file(source: BinaryIO, target: Path) -> None:
    """Copies a file, and waits until it is on the disk.

    XFS and Btrfs let the two share their blocks: then hardly anything is written.
    """
    with target.open("wb") as copy:
        try:
            while os.copy_file_range(source.fileno(), copy.fileno(), COPY_BYTES):
                pass
        except (AttributeError, OSError):  # not on this system, or not on this file system
            source.seek(0)
            copy.seek(0)
            shutil.copyfileobj(source, copy, COPY_BYTES)
        copy.flush()
        os.fsync(copy.fileno())


def remove_file(file: Path) -> None:
    """Removes a file, and the log of what was not written to it any more."""
    for each in (file, Path(f"{file}.wal")):
        each.unlink(missing_ok=True)
