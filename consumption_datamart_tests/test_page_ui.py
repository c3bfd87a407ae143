"""The executives' page as a reader sees it, in a headless Chromium: `make ui-page`.

No request leaves it. axe-core, which looks for what keeps people out, is fetched by the target.
"""

import shutil
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from consumption_datamart_tests import cli
from consumption_datamart_tests.dagster_dev import PROJECT
from consumption_datamart_tests.pages import SCRIPT, Read, build_mart, heading, write_page_lake
from consumption_datamart_tests.test_report import LONG_NAME

pytestmark = pytest.mark.ui
SCREENSHOTS = PROJECT / ".datamart" / "screenshots"
TITLED = {"customer": SCRIPT, "long": LONG_NAME, "product": "Db"}
KINDS = ("index", "customers", "trends", "objectives", *TITLED)
WIDTHS, SCHEMES = (1440, 768, 390), ("light", "dark")
LOOKED_AT = ((1440, "light"), (390, "dark"))
"""Where axe, which takes its time, and a picture have all that a width or a scheme can do wrong."""
AXE = PROJECT / ".datamart" / "node_modules" / "axe-core" / "axe.min.js"
# what passes is not of interest, and to tell it takes more time than to find out
KEEPS_OUT = "axe.run({preload: false, resultTypes: ['violations']})"
WIDER = """[...document.querySelectorAll('main *')].filter(each =>
    each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scroll'))
    .map(each => each.outerHTML.slice(0, 80))"""
CUT = """[...document.querySelectorAll('svg.drawing text')].filter(each => {
    const own = each.getBoundingClientRect(), whole = each.closest('svg').getBoundingClientRect();
    return own.left < whole.left - 1 || own.right > whole.right + 1; })
    .map(each => each.textContent)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The site of the lake that has every band, and names that are out to do harm."""
    folder = tmp_path_factory.mktemp("page")
    write_page_lake(folder / "lake")
    ended = cli.run("page", "--warehouse", build_mart(folder), "--out", folder / "site")
    assert ended.code == 0, ended.err
    return Read(folder / "site")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium")
    assert executable, "there is no chromium; install it (Debian: apt install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


class Reader:
    """A page of a browser that hears what goes wrong, and lets no request out."""

    def __init__(self, browser: Any, site: Read, width: int = 1440, scheme: str = "light") -> None:
        self.site, self.wrong = site, list[str]()
        self.asked: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False
        )
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda told: self.wrong.append(told.text))
        self.page.route("**/*", self._route)

    def _route(self, route: Any) -> None:
        url = route.request.url
        if url.startswith("file:"):
            route.continue_()
        else:
            self.asked.append(url)
            route.abort()

    def open(self, name: str) -> Any:
        """Opens a page of the site."""
        self.page.goto((self.site.folder / name).as_uri())
        return self.page

    def close(self) -> None:
        """Nothing may have gone wrong, and nothing been asked of others."""
        self.page.context.close()
        assert self.wrong == []
        assert [url for url in self.asked if not url.startswith("data:")] == []


def named(site: Read, kind: str) -> str:
    """The page of a kind."""
    if kind not in TITLED:
        return f"{kind}.html"
    (name,) = (name for name, page in site.pages.items() if heading(page) == TITLED[kind])
    return name


@pytest.mark.parametrize("kind", KINDS)
def test_pages_fit_and_keep_nobody_out(kind: str, browser: Any, site: Read) -> None:
    assert AXE.is_file(), "make ui-page fetches it: npm install --prefix .datamart axe-core"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    reader = Reader(browser, site)
    page = reader.open(named(site, kind))
    page.evaluate(AXE.read_text())
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
        assert page.evaluate(WIDER) == [], (width, scheme)
        assert page.evaluate(CUT) == [], (width, scheme)
        assert page.evaluate("getComputedStyle(document.body).maxWidth") == "1152px", "its style"
        if (width, scheme) not in LOOKED_AT:
            continue
        page.screenshot(path=SCREENSHOTS / f"page-{kind}-{width}-{scheme}.png", full_page=True)
        found = page.evaluate(KEEPS_OUT)["violations"]
        told = [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found]
        assert told == [], (width, scheme)
    reader.close()


def test_search_finds_customers_and_products(browser: Any, site: Read) -> None:
    reader = Reader(browser, site)
    page = reader.open("index.html")
    page.get_by_label("Find a customer or a product").fill("ALERT(1")
    links = page.locator("#found a")
    assert links.count() == 1
    assert links.first.text_content() == f"{SCRIPT} (CUST-900)"
    links.first.click()
    assert page.locator("h1").text_content() == SCRIPT
    page = reader.open("index.html")
    page.get_by_label("Find a customer or a product").fill("nobody")
    assert page.locator("#found").text_content() == "Nothing has that in its name."
    page = reader.open("customers.html")
    page.get_by_label("Show those whose name or id has").fill("شركة")
    assert page.locator("tbody tr:visible").count() == 1
    reader.close()


def test_tables_are_sorted_by_what_is_meant(browser: Any, site: Read) -> None:
    reader = Reader(browser, site)
    page = reader.open("customers.html")
    raw = "rows => rows.map(row => row.cells[1].querySelector('data')?.value ?? null)"

    def shares() -> list[float]:
        page.get_by_role("button", name="Share").click()
        found = page.locator("tbody tr").evaluate_all(raw)
        return [float(each) for each in found if each is not None]

    up, down = shares(), shares()
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert len(set(up)) > 5
    assert page.locator("th[aria-sort=descending]").count() == 1
    reader.close()


def test_without_script_all_can_be_read(browser: Any, site: Read) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site.folder / "index.html").as_uri())
    assert not page.locator("form").first.is_visible()
    page.get_by_role("link", name="Customers").click()
    page.get_by_role("link", name=SCRIPT).click()
    assert page.locator("svg.drawing").first.is_visible()
    context.close()


def test_the_index_is_printed_on_two_sheets(browser: Any, site: Read) -> None:
    reader = Reader(browser, site)
    printed = reader.open("index.html").pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") == 2
    reader.close()
