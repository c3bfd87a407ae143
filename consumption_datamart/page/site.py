"""Publishing the pages: on a disk all at once, in a store page by page, what is the same stays."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from fsspec.core import url_to_fs

from consumption_datamart.errors import DatamartError
from consumption_datamart.page.names import INDEX

Page = tuple[str, bytes]
"""Its name, relative to the site, and what is in it."""
RELEASES, LOCK, FRESH, MANIFEST = ".{}.releases", "lock", "fresh-", "pages.json"
LOCK_SECONDS = 10.0


class Published(NamedTuple):
    """What was done.

    Attributes:
        place: where the index lies: a path, or a URI.
        pages: that the site has.
        written: of these those that are new, or other than before.
        removed: that there are no more.
        size: of all pages, in bytes.
    """

    place: str
    pages: int
    written: int
    removed: int
    size: int


def publish(out: str, pages: Iterable[Page]) -> Published:
    """Writes a site.

    On a disk `out` is a link to a folder beside, and turns to the next all at once. In a store each
    page is replaced whole, the index last; see docs/page.md.

    Args:
        out: a folder, or a URI that fsspec opens.
        pages: made one by one as they are asked for; the index is the last.

    Raises:
        DatamartError: it cannot be written; a site on a disk is as it was.
    """
    parts = urlsplit(out)
    try:
        if "://" in out and parts.scheme != "file":
            return _to_store(out, pages)
        return _to_disk(Path(parts.path if parts.scheme == "file" else out).absolute(), pages)
    except OSError as error:
        raise DatamartError(f"--out {out}: cannot be written to: {error}") from error


def _to_disk(out: Path, pages: Iterable[Page]) -> Published:
    if not out.is_symlink() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatamartError(f"--out {out}: it is there, and no site; name another folder")
    releases = out.with_name(RELEASES.format(out.name))
    releases.mkdir(parents=True, exist_ok=True)
    with _alone(releases / LOCK, out):
        former = out.resolve() if out.is_symlink() else None
        if former is not None and former.parent != releases.resolve():
            raise DatamartError(f"--out {out}: it is a link to {former}, which is no site")
        for left in releases.glob(f"{FRESH}*"):  # of one that was broken off
            left.unlink() if left.is_symlink() else shutil.rmtree(left)
        fresh = Path(mkdtemp(prefix=FRESH, dir=releases))
        fresh.chmod(0o755)
        try:
            return _turned(out, former, fresh, pages)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _turned(out: Path, former: Path | None, fresh: Path, pages: Iterable[Page]) -> Published:
    """Writes what is new into the fresh folder, and lets the link lead to it."""
    before = _names(former) if former else set()
    sizes: dict[str, int] = {}
    same: list[str] = []
    for name, content in pages:
        sizes[name] = len(content)
        (fresh / name).parent.mkdir(exist_ok=True)
        if former is not None and name in before and (former / name).read_bytes() == content:
            _link(former / name, fresh / name)
            same.append(name)
        else:
            (fresh / name).write_bytes(content)
    written, removed = len(sizes) - len(same), len(before - sizes.keys())
    if former is None or written or removed:
        release = fresh.with_name(str(max(map(int, _releases(fresh.parent)), default=0) + 1))
        fresh.rename(release)
        turn = release.with_name(f"{FRESH}link")
        turn.symlink_to(os.path.relpath(release, out.parent))
        if out.is_dir() and not out.is_symlink():
            out.rmdir()
        turn.replace(out)
        for each in _releases(fresh.parent):
            # whoever reads the former one can go on
            if release.with_name(each) not in (release, former):
                shutil.rmtree(release.with_name(each))
    return Published(str(out / INDEX), len(sizes), written, removed, sum(sizes.values()))


def _names(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def _releases(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.isdigit()]


def _link(page: Path, other: Path) -> None:
    """The same page in another folder, which takes no room where the disk knows hard links."""
    try:
        os.link(page, other)
    except OSError:
        shutil.copyfile(page, other)


@contextmanager
def _alone(lock: Path, out: Path) -> Iterator[None]:
    try:
        with FileLock(lock, timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise DatamartError(f"--out {out}: another process is writing it") from error


def _to_store(out: str, pages: Iterable[Page]) -> Published:
    """Replaces the pages whose hash is another than the list beside them says.

    The list is taken away while pages are written: after a break all are written anew.
    """
    with _told_of(out):
        filesystem, root = url_to_fs(out.rstrip("/"))
        manifest = f"{root}/{MANIFEST}"
        filesystem.makedirs(root, exist_ok=True)
        before = _read(filesystem, manifest)
    hashes: dict[str, str] = {}
    written = size = 0
    for name, content in pages:
        hashes[name] = sha256(content).hexdigest()
        size += len(content)
        if before.get(name) == hashes[name]:
            continue
        with _told_of(out):
            if before and not written:
                filesystem.rm_file(manifest)
            filesystem.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
            filesystem.pipe_file(f"{root}/{name}", content, **_kind(filesystem, name))
        written += 1
    gone = sorted(before.keys() - hashes.keys())
    with _told_of(out):
        if gone and not written:
            filesystem.rm_file(manifest)
        for name in gone:
            filesystem.rm_file(f"{root}/{name}")
        if written or gone:
            filesystem.pipe_file(manifest, json.dumps(hashes, indent=0).encode())
    place = f"{out.rstrip('/')}/{INDEX}"
    return Published(place, len(hashes), written, len(gone), size)


@contextmanager
def _told_of(out: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each store's driver has errors of its own
        raise DatamartError(f"--out {out}: cannot be written to: {error}") from error


def _read(filesystem: Any, manifest: str) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(filesystem.cat_file(manifest))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _kind(filesystem: Any, name: str) -> dict[str, str]:
    """What a browser must be told of a page, by a store that does not look at its name."""
    protocols = filesystem.protocol
    is_s3 = "s3" in ((protocols,) if isinstance(protocols, str) else protocols)
    kind = "text/css" if name.endswith(".css") else "text/html; charset=utf-8"
    return {"ContentType": kind} if is_s3 else {}
