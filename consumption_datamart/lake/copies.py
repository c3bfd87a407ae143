"""Readable copies of files that DuckDB cannot read as they are, in a folder of their own."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from consumption_datamart.errors import DumpError
from consumption_datamart.lake.dumps import BLOCK_BYTES, DumpFile, Lake


class Copies:
    """Files of a lake, some of them by way of a copy in a folder that its user removes.

    Attributes:
        malformed: of files that were read line by line: the text of the lines that are no rows.
    """

    def __init__(self, lake: Lake, folder: Path) -> None:
        """No copies yet."""
        self.lake, self.folder = lake, folder
        self.malformed: dict[str, list[str]] = {}
        self._copies: dict[str, Path] = {}

    def is_salvaged(self, file: DumpFile) -> bool:
        """Whether its copy has only lines that are rows."""
        return file.path in self.malformed

    def path(self, file: DumpFile) -> str:
        """Where to read a file: its copy where there is one."""
        return str(self._copies.get(file.path, file.path))

    def compression(self, file: DumpFile) -> str:
        """How what is at this path is compressed."""
        return "" if file.path in self._copies else file.format.compression

    def blocks(self, file: DumpFile, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """The file's bytes, or those of its copy, uncompressed, so many at a time.

        Raises:
            DumpError: it cannot be read.
        """
        if file.path not in self._copies:
            yield from self.lake.blocks(file, size)
            return
        with self._copies[file.path].open("rb") as stream:
            while block := stream.read(size):
                yield block

    def read(self, file: DumpFile, size: int) -> bytes:
        """The first so many bytes.

        Raises:
            DumpError: it cannot be read.
        """
        return next(self.blocks(file, size), b"")

    def decompress(self, file: DumpFile) -> None:
        """Makes an uncompressed copy.

        Raises:
            DumpError: it cannot be read.
        """
        if file.path not in self._copies:
            with self._new(file).open("wb") as copy:
                for block in self.lake.blocks(file):
                    copy.write(block)
            self._copies[file.path] = self._new(file)

    def transcode(self, file: DumpFile, encoding: str) -> None:
        """Makes a copy in UTF-8; bytes that are none in this encoding stay, as broken UTF-8.

        Raises:
            DumpError: it cannot be read, or there is no such encoding.
        """
        if file.path in self._copies:
            return
        content = b"".join(self.lake.blocks(file))
        try:
            text = content.decode(encoding, errors="surrogateescape")
        except (LookupError, UnicodeError) as error:
            raise DumpError(file.name, file.day, f"it is not in {encoding}: {error}") from error
        self._new(file).write_bytes(text.encode(errors="surrogateescape"))
        self._copies[file.path] = self._new(file)

    def keep(self, file: DumpFile, rows: pa.RecordBatchReader) -> None:
        """Makes a copy, in Parquet, of rows that are in no file of their own."""
        if file.path in self._copies:
            return
        with ParquetWriter(self._new(file), rows.schema) as copy:
            for batch in rows:
                copy.write_batch(batch)
        self._copies[file.path] = self._new(file)

    def salvage(self, file: DumpFile, content: bytes, malformed: list[str]) -> None:
        """Makes a copy of the lines that are rows, and keeps those that are not."""
        self.malformed[file.path] = malformed
        self._new(file).write_bytes(content)
        self._copies[file.path] = self._new(file)

    def _new(self, file: DumpFile) -> Path:
        known = self._copies.get(file.path)
        return known or self.folder / f"{len(self._copies)}.copy"
