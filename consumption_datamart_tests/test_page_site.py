"""How pages are published: all at once on a disk, and what is the same stays."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from filelock import FileLock

from consumption_datamart.errors import DatamartError
from consumption_datamart.page import names, plane, series
from consumption_datamart.page.site import Page, publish
from consumption_datamart_tests.lakes import day

FIRST = {"customers/a.html": b"a", "customers/b.html": b"b", "index.html": b"first"}
SECOND = {"customers/a.html": b"a", "customers/c.html": b"c", "index.html": b"second"}


class Broken(Exception):
    """What stops a site half-way."""


def breaking(pages: Mapping[str, bytes]) -> Iterator[Page]:
    """A site that is broken off before its index."""
    for name, content in pages.items():
        if name == "index.html":
            raise Broken
        yield name, content


def files(folder: Path) -> dict[str, bytes]:
    """What a reader finds."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_site_replaces_the_one_before_and_keeps_what_is_the_same(tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = publish(str(out), FIRST.items())
    assert (done.place, done.pages, done.written, done.removed) == (f"{out}/index.html", 3, 3, 0)
    assert files(out) == FIRST
    same = (out / "customers/a.html").stat().st_ino
    done = publish(str(out), SECOND.items())
    assert (done.pages, done.written, done.removed) == (3, 2, 1)
    assert files(out) == SECOND
    assert (out / "customers/a.html").stat().st_ino == same
    assert done.size == 8


def test_what_has_not_changed_is_not_written(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(str(out), FIRST.items())
    before = out.readlink(), (out / "index.html").stat()
    done = publish(str(out), FIRST.items())
    assert (done.pages, done.written, done.removed) == (3, 0, 0)
    after = out.readlink(), (out / "index.html").stat()
    assert after[0] == before[0]
    assert (after[1].st_ino, after[1].st_mtime_ns) == (before[1].st_ino, before[1].st_mtime_ns)


def test_a_site_that_is_broken_off_leaves_the_former_one(tmp_path: Path) -> None:
    out = tmp_path / "site"
    with pytest.raises(Broken):
        publish(str(out), breaking(FIRST))
    assert not out.exists()
    publish(str(out), FIRST.items())
    with pytest.raises(Broken):
        publish(str(out), breaking(SECOND))
    assert files(out) == FIRST
    left = tmp_path / ".site.releases" / "fresh-killed"
    left.mkdir()
    left.with_name("fresh-link").symlink_to("nowhere")
    left.with_name("7").mkdir()
    publish(str(out), SECOND.items())
    assert files(out) == SECOND
    assert sorted(each.name for each in left.parent.iterdir()) == ["1", "8", "lock"]


def test_a_reader_of_the_former_site_can_go_on(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(str(out), FIRST.items())
    reader = out.resolve()
    publish(str(out), SECOND.items())
    assert files(reader) == FIRST
    publish(str(out), FIRST.items())
    assert not reader.exists(), "two are kept"


def test_a_folder_that_is_empty_or_linked_to(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    publish(f"file://{tmp_path}/site", FIRST.items())
    assert files(tmp_path / "site") == FIRST
    assert os.access(tmp_path / "site" / "index.html", os.R_OK)
    assert (tmp_path / "site").stat().st_mode & 0o055 == 0o055


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_site_is_left_alone(kind: str, tmp_path: Path) -> None:
    out, other = tmp_path / "site", tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    if kind == "file":
        out.write_text("mine")
    elif kind == "folder":
        other.rename(out)
    else:
        out.symlink_to(other)
    with pytest.raises(DatamartError, match="no site"):
        publish(str(out), FIRST.items())


def test_two_do_not_write_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumption_datamart.page.site.LOCK_SECONDS", 0.1)
    out = tmp_path / "site"
    publish(str(out), FIRST.items())
    lock = FileLock(tmp_path / ".site.releases" / "lock")
    with lock, pytest.raises(DatamartError, match="another process is writing it"):
        publish(str(out), SECOND.items())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatamartError, match="cannot be written to"):
        publish(str(tmp_path / "file" / "site"), FIRST.items())
    with pytest.raises(DatamartError, match="cannot be written to"):
        publish("nowhere://bucket/site", FIRST.items())


def test_names_of_files_never_meet() -> None:
    ids = ["CUST-1", "cust-1", "CUST 1", "../CUST-1", "", "é" * 300, "شركة", "a/b", "a\\b", "."]
    found = [names.slug(each) for each in ids]
    assert len({each.lower() for each in found}) == len(ids)
    assert all(len(each) <= 57 and each.replace("-", "").isalnum() for each in found)
    assert names.of_customer("CUST-1").startswith("customers/cust-1-")


def test_charts_are_thinned_and_have_round_numbers() -> None:
    assert series.step(day(1), day(100)) == 1
    assert series.step(day(1), day(365)) == 7
    assert series.step(day(1), day(3650)) == 28
    runs = [series.Run(day(n), day(n), float(n), is_unlimited=False) for n in range(1, 401)]
    thinned = series._thinned(runs)
    assert len(thinned) == 80
    assert (thinned[0].first, thinned[0].last, thinned[-1].last) == (day(1), day(5), day(400))
    assert plane.round_numbers(0) == [0, 1]
    assert plane.round_numbers(7) == [0, 2, 4, 6, 8]
    assert plane.round_numbers(100) == [0, 25, 50, 75, 100]
    assert [plane.short(each) for each in (0, 2.5, 2500, 150_000, 2e6, 8e11)] == [
        "0", "2.5", "2,500", "150k", "2M", "800bn",
    ]  # fmt: skip
    assert plane.spark([1.0]) == ""
