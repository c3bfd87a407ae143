"""Pictures of the site of the sample lake, for docs/page.md: `make pictures`.

`python -m consumption_datamart_tests.page_pictures SITE FOLDER`
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDE, PHONE = {"width": 1120, "height": 900}, {"width": 390, "height": 844}


def pictures(site: Path, folder: Path) -> None:
    """The index, the fullest customer's page, and the index on a phone in the dark."""
    fullest = max((site / "customers").iterdir(), key=lambda page: page.stat().st_size)
    shots = {
        "page-index": (site / "index.html", WIDE, "light"),
        "page-customer": (fullest, WIDE, "light"),
        "page-phone": (site / "index.html", PHONE, "dark"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (page, size, scheme) in shots.items():
            view = browser.new_page(viewport=size, color_scheme=scheme)
            view.goto(page.as_uri())
            view.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    pictures(*map(Path, sys.argv[1:]))
