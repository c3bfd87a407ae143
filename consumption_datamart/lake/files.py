"""Files as a disk or a store tells of them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import fsspec

TAGS = ("ETag", "etag", "md5Hash", "content_md5")
TIMES = ("mtime", "ino", "LastModified", "last_modified", "updated", "created")
"""Where the stores' drivers tell of a file's content and of its last change."""
NOT_DATA = ("_", ".", "~$")
NOT_YET_DATA = (".tmp", ".crc", ".part", ".inprogress")
"""How the names of files begin and end that are nobody's data, and are not spoken of."""


class LakeFile(NamedTuple):
    """A file of the lake, whether a source takes it or not.

    Attributes:
        path: as DuckDB reads it: a local path, or a URI.
        name: relative to the lake, e.g. `telemetry/2026-01-05.csv`.
        size: in bytes.
        stamp: what the store tells of it that changes whenever the file does.
        tag: the store's own name for the file's content, where it has one.
        changed: when it was last changed, where the store says so, in seconds since 1970 (UTC).
    """

    path: str
    name: str
    size: int
    stamp: str
    tag: str | None
    changed: float


def is_local(filesystem: fsspec.AbstractFileSystem) -> bool:
    """Whether it is this machine's disk."""
    protocol = filesystem.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


def found(filesystem: fsspec.AbstractFileSystem, root: str) -> Iterator[LakeFile]:
    """All files of a store below a prefix, which it lists a page a call."""
    filesystem.invalidate_cache()
    for path, entry in filesystem.find(root, detail=True).items():
        tags = _tags(entry)
        yield LakeFile(
            filesystem.unstrip_protocol(path),
            str(path).removeprefix(root).removeprefix("/"),
            int(entry.get("size") or 0),
            stamp_of_entry(entry),
            tags[0] if tags else None,
            _changed(entry),
        )


def walked(root: str) -> Iterator[LakeFile]:
    """All files below a folder; a link that leads back to a folder above it is not followed."""
    above: list[tuple[str, frozenset[tuple[int, int]]]] = [(root, frozenset())]
    while above:
        folder, seen = above.pop()
        own = Path(folder).stat()
        if (own.st_dev, own.st_ino) in seen:
            continue
        for entry in os.scandir(folder):
            try:
                if entry.is_dir():
                    above.append((entry.path, seen | {(own.st_dev, own.st_ino)}))
                    continue
                status = entry.stat()
            except FileNotFoundError:
                try:
                    status = entry.stat(follow_symlinks=False)  # a link to nothing: told when read
                except FileNotFoundError:  # it was there a moment ago: a part of a dump
                    continue
            name = entry.path.removeprefix(root).removeprefix("/")
            yield LakeFile(
                entry.path, name, status.st_size, stamp_of_status(status), None, status.st_mtime
            )


def stamp_of_status(status: os.stat_result) -> str:
    """What a disk tells of a file that changes whenever the file does."""
    return f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} {status.st_size}"


def _tags(entry: Mapping[str, Any]) -> list[str]:
    return [str(entry[name]) for name in TAGS if entry.get(name)]


def stamp_of_entry(entry: Mapping[str, Any]) -> str:
    """What a store tells of a file that changes whenever the file does."""
    times = [str(entry[name]) for name in TIMES if entry.get(name)]
    return " ".join([*_tags(entry), *times, str(entry.get("size") or 0)])


def _changed(entry: Mapping[str, Any]) -> float:
    for name in TIMES:
        value: Any = entry.get(name)
        if hasattr(value, "timestamp"):
            return float(value.timestamp())
        if isinstance(value, int | float) and name == "mtime":
            return float(value)
    return 0.0
