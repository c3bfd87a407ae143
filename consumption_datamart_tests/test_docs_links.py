"""The pages link to what is there, and whoever begins with the README finds all of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

PROJECT = Path(__file__).parent.parent
README = PROJECT / "README.md"
DOCS = PROJECT / "docs"
PAGES = [README, PROJECT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

FENCE = re.compile(r"^(```|~~~).*?^\1[^\S\n]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)(?:\s+#+)?\s*$", re.MULTILINE)
README_LINES = 120


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def links(page: Path) -> Iterator[str]:
    """Targets of a page's links and pictures that are not on another site."""
    for target in LINK.findall(CODE.sub("", prose(page))):
        if not re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            yield unquote(target)


def anchors(page: Path) -> set[str]:
    """What GitHub calls a page's headings: lower case, no punctuation, hyphens for spaces."""
    found: set[str] = set()
    for heading in HEADING.findall(prose(page)):
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("*", "")
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        name, number = slug, 0
        while name in found:
            number += 1
            name = f"{slug}-{number}"
        found.add(name)
    return found


def target_of(page: Path, link: str) -> tuple[Path, str]:
    """The file that a link leads to, and the anchor in it."""
    path, _, anchor = link.partition("#")
    return ((page.parent / path).resolve() if path else page.resolve()), anchor


def problem(page: Path, link: str) -> str | None:
    """Why a link leads nowhere; None: it leads somewhere."""
    file, anchor = target_of(page, link)
    if not file.is_relative_to(PROJECT.resolve()):
        return f"{link}: it leads out of the project"
    if not file.exists():
        return f"{link}: there is no such file"
    if anchor and file.suffix == ".md" and anchor not in anchors(file):
        return f"{link}: there is no such heading; there are {', '.join(sorted(anchors(file)))}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not [found for link in links(page) if (found := problem(page, link))]


def test_the_readme_fits_two_screens() -> None:
    lines = len(README.read_text().splitlines())
    assert lines <= README_LINES, "move what only some readers need to a page of docs/"


def test_every_page_is_reachable_from_the_readme() -> None:
    reached, ahead = set(), [README.resolve()]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            targets = (target_of(page, link)[0] for link in links(page))
            ahead += [file for file in targets if file.suffix == ".md" and file.exists()]
    lost = {page.resolve() for page in DOCS.glob("*.md")} - reached
    assert not lost, "link to it from the README or from a page that it leads to"


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## Bad rows and suspicious rows", "bad-rows-and-suspicious-rows"),
        ("## lake.raw_invoices", "lakeraw_invoices"),
        ("# `consumption-datamart build`", "consumption-datamart-build"),
        ("## Why: [a *link*](b.md), twice", "why-a-link-twice"),
        ("## Again\n\n## Again", "again-1"),
    ],
)
def test_headings_are_named_as_github_names_them(heading: str, anchor: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        f"```sh\n# no heading, [no link](nowhere.md)\n```\n\n{heading}\n\n[to](#{anchor})\n"
    )
    assert anchor in anchors(page)
    assert "no-heading-no-link" not in anchors(page)
    assert "nowhere.md" not in list(links(page))
