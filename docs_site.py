"""Writes the pages of the site into build/docs, from which a generator makes it: `make site`.

On GitHub `../README.md` is a page as good as any; a site has it as its first page. What is no page
is linked in the repository, where SITE_REPOSITORY says where that is.
"""

import os
import re
import shutil
from pathlib import Path

PROJECT = Path(__file__).parent
DOCS, OUT = PROJECT / "docs", PROJECT / "build" / "docs"
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages of the project's folder, by their names on the site."""
LEFT_OUT = ("docs/decisions/archive", "docs/superset")
LINK = re.compile(r"\]\((?P<target>[^)\s:#]+)(?P<anchor>#[^)\s]*)?\)")


def main() -> None:
    """Writes all pages anew."""
    repository = os.environ.get("SITE_REPOSITORY", "").rstrip("/")
    shutil.rmtree(OUT, ignore_errors=True)
    left_out = shutil.ignore_patterns(*(Path(each).name for each in LEFT_OUT))
    shutil.copytree(DOCS, OUT, ignore=left_out)
    sources = {OUT / name: PROJECT / page for page, name in PAGES.items()}
    sources |= {page: DOCS / page.relative_to(OUT) for page in OUT.rglob("*.md")}
    for page, source in sources.items():
        page.write_text(mended(source, page, repository))


def mended(source: Path, page: Path, repository: str) -> str:
    """The text of a page, with links that hold on the site.

    Args:
        source: the page in the project.
        page: where it is written to.
        repository: URL of the project's files; '': links to them lead to the page itself.
    """
    up = "../" * (len(page.relative_to(OUT).parts) - 1)

    def link(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(source.parent / found["target"]))
        name, anchor = path.relative_to(PROJECT).as_posix(), found["anchor"] or ""
        if name in PAGES:
            return f"]({up}{PAGES[name]}{anchor})"
        if name.startswith("docs/") and not name.startswith(LEFT_OUT):
            return f"]({up}{name.removeprefix('docs/')}{anchor})"
        return f"]({repository}/{name}{anchor})" if repository else "](#)"

    return LINK.sub(link, source.read_text())


if __name__ == "__main__":
    main()
