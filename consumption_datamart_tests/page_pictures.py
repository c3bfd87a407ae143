"""Pictures of the site of the sample lake, for docs/page.md: `make pictures`.

`python -m consumption_datamart_tests.page_pictures SITE FOLDER`
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

COLOURS = 128


def pictures(site: Path, folder: Path) -> None:
    """The index, charts of the fullest customer, and the index on a phone in the dark."""
    fullest = max((site / "customers").iterdir(), key=lambda page: page.stat().st_size)
    shots = {
        "page-index": (site / "index.html", "light", (1120, 0, 760)),
        "page-customer": (fullest, "light", (1120, 455, 760)),
        "page-phone": (site / "index.html", "dark", (390, 0, 844)),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (page, scheme, (width, top, height)) in shots.items():
            view = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            view.goto(page.resolve().as_uri())
            clip = {"x": 0, "y": top, "width": width, "height": height}
            taken = Image.open(io.BytesIO(view.screenshot(full_page=True, clip=clip)))
            taken.convert("RGB").quantize(COLOURS).save(folder / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    pictures(*map(Path, sys.argv[1:]))
