"""Versions of dumps: equal as long as a dump holds the same, cheap to compare."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from consumption_datamart.lake.dumps import READ_AS, DumpFile, Lake
from consumption_datamart.lake.listing import Listing
from consumption_datamart.lake.sources import Source

UNREADABLE = "unreadable"

Contents = Mapping[str, tuple[str, str]]
"""By the file's name: the stamp that the store gave it, and the hash of what it held then."""


@dataclass(frozen=True)
class Versions:
    """The versions of a lake table's dumps.

    Attributes:
        dumps: version of each day's dump.
        contents: what need not be read again as long as the stamps stay the same.
    """

    dumps: Mapping[date, str]
    contents: Contents

    @property
    def table(self) -> str:
        """The version of all dumps together."""
        return _hash(*(f"{day} {version}" for day, version in sorted(self.dumps.items())))


def versions(listing: Listing, source: Source, known: Contents) -> Versions:
    """The versions of a source's dumps as they are now.

    A file that the store itself has a tag for is not opened, nor is one whose stamp is known. What
    else there is, is read through: so a file that was only touched, or was written again with the
    same content, keeps its version. A file that cannot be read has a version all the same: it
    changes when the file can be read.

    Args:
        listing: of the lake.
        source: whose dumps they are.
        known: the contents of the last time.
    """
    files = [file for file in listing.of(source) if file.day == file.own_day]
    found = contents(listing.lake, files, known)
    parts: dict[date, list[str]] = defaultdict(list)
    for file in files:
        parts[file.day].append(f"{file.name} {found[file.name]}")
    return Versions(
        dumps={day: _hash(*contents) for day, contents in parts.items()},
        contents={
            file.name: (file.stamp, found[file.name])
            for file in files
            if found[file.name] != UNREADABLE
        },
    )


def contents(lake: Lake, files: Iterable[DumpFile], known: Contents) -> dict[str, str]:
    """Of each file, by name: the hash of what it holds, as far as possible without reading it."""
    listed = list({file.name: file for file in files}.values())
    found = {file.name: _without_reading(lake, file, known) for file in listed}
    unread = [file for file in listed if found[file.name] is None]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = pool.map(lambda file: _read(lake, file), unread)
        hashed = dict(zip((file.name for file in unread), read, strict=True))
    return {name: content for name, content in found.items() if content is not None} | hashed


def is_changed(listing: Listing, source: Source, known: Contents) -> bool:
    """Whether any file of a source is new, gone, or has another stamp; opens none."""
    return {file.name: file.stamp for file in listing.of(source)} != {
        name: stamp for name, (stamp, _) in known.items()
    }


def _without_reading(lake: Lake, file: DumpFile, known: Contents) -> str | None:
    """What the store tells of the content, or told before; None: the file has to be read."""
    if file.tag is not None:
        return file.tag
    stamp, content = known.get(file.name, (None, ""))
    if stamp == file.stamp:
        return content
    return None if lake.is_local else file.stamp


def _read(lake: Lake, file: DumpFile) -> str:
    try:
        with lake.filesystem.open(file.path, "rb") as stream:
            content = hashlib.file_digest(stream, "blake2b").hexdigest()[:32]
    except OSError:
        return UNREADABLE
    _, _, read_as = file.stamp.partition(READ_AS)
    return content + READ_AS + read_as if read_as else content


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
