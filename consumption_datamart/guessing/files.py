"""Walking a company's folder: which files are data, and which are not (spec, section 6)."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from consumption_datamart.errors import LakeError
from consumption_datamart.lake.files import NOT_DATA, NOT_YET_DATA
from consumption_datamart.lake.sources_file import FILE

FORMATS = {"csv": "csv", "tsv": "tsv", "parquet": "parquet", "jsonl": "jsonl", "ndjson": "jsonl"}
"""Suffix → format, in any letter case."""
COMPRESSIONS = {"gz": "gzip", "zst": "zstd"}


class DataFile(NamedTuple):
    """A file of a format that the mart reads.

    Attributes:
        name: relative to the folder, with `/`.
        path: where it is.
        suffix: as it is written, with the compression: `.CSV`, `.jsonl.gz`.
    """

    name: str
    path: str
    suffix: str

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self.name[: -len(self.suffix)]

    @property
    def format(self) -> str:
        """csv, tsv, parquet or jsonl."""
        return FORMATS[self.suffix.lower().split(".")[1]]

    @property
    def compression(self) -> str | None:
        """gzip, zstd, or none."""
        return COMPRESSIONS.get(self.suffix.lower().rpartition(".")[2])


@dataclass
class Folder:
    """What is in a company's folder.

    Attributes:
        files: of formats that the mart reads, by name.
        tables: folders that are a Delta or Iceberg table → `delta` or `iceberg`.
        others: suffix → how many files have it that the mart cannot read.
        closed: folders that could not be listed.
    """

    files: list[DataFile] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    closed: list[str] = field(default_factory=list)


def walk(folder: Path) -> Folder:
    """All files below a folder; links are followed.

    Args:
        folder: of the company.

    Raises:
        LakeError: there is no such folder, or it cannot be listed.
    """
    if not folder.is_dir():
        raise LakeError(f"{folder}: there is no such folder; name the one that the dumps are in")
    found = Folder()
    for name, path in _walk(str(folder), "", frozenset(), found):
        suffix = suffix_of(name)
        if suffix is None:
            found.others[os.path.splitext(name)[1].lower() or "no suffix"] += 1  # noqa: PTH122
        else:
            found.files.append(DataFile(name, path, suffix))
    if found.closed == [""]:
        raise LakeError(f"{folder}: it must not be listed; give this user the right to read it")
    found.files.sort()
    return found


def suffix_of(name: str) -> str | None:
    """The suffix of a file that the mart reads, as it is written; None: of any other."""
    parts = name.rpartition("/")[2].split(".")
    kept = 2 if parts[-1].lower() in COMPRESSIONS else 1
    if len(parts) <= kept or parts[-kept].lower() not in FORMATS:
        return None
    return "".join(f".{part}" for part in parts[-kept:])


def _walk(
    folder: str, prefix: str, above: frozenset[tuple[int, int]], found: Folder
) -> Iterator[tuple[str, str]]:
    try:
        status = os.stat(folder)  # noqa: PTH116
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError:
        found.closed.append(prefix.rstrip("/"))
        return
    here = (status.st_dev, status.st_ino)
    if here in above:  # a link to a folder above would never end
        return
    names = {entry.name for entry in entries}
    if kind := _table_format(names, folder):
        found.tables[prefix.rstrip("/")] = kind
        return
    for entry in entries:
        if entry.name.startswith(NOT_DATA) or entry.name.endswith(NOT_YET_DATA):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, f"{prefix}{entry.name}/", above | {here}, found)
        elif entry.is_file() and f"{prefix}{entry.name}" != FILE:
            yield f"{prefix}{entry.name}", entry.path


def _table_format(names: set[str], folder: str) -> str | None:
    if "_delta_log" in names:
        return "delta"
    if {"metadata", "data"} <= names and any(Path(folder, "metadata").glob("*.metadata.json")):
        return "iceberg"
    return None
