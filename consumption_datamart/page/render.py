"""From what was read to pages: templates, and what they may call."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from importlib.resources import files
from typing import Any

from consumption_datamart.errors import DatamartError
from consumption_datamart.page import index, markup, names, quality
from consumption_datamart.page.customer import Customers
from consumption_datamart.page.plane import HEIGHT, LEFT, RIGHT, WIDTH, Chart
from consumption_datamart.page.product import Products
from consumption_datamart.page.reading import Material
from consumption_datamart.page.site import Page
from consumption_datamart.report import amounts

TEMPLATES = "templates"
EMPTY = "The mart is empty: its lake had no dumps."
Tell = Callable[[int, int], None]
"""Is told how many pages are made, of how many."""


class Renderer:
    """Templates with what all pages have."""

    def __init__(self, **shared: Any) -> None:
        """Loads the templates.

        Args:
            shared: what all templates see.

        Raises:
            DatamartError: the library of the templates is missing.
        """
        try:
            from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415
        except ImportError as error:
            raise DatamartError(
                "page needs Jinja2: pip install 'consumption-datamart[page]'"
            ) from error
        self.environment = Environment(
            loader=PackageLoader("consumption_datamart.page", TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        script = source("script.js")
        policy = b64encode(sha256(script.encode()).digest()).decode()
        self.environment.globals |= {
            "m": markup,
            "a": amounts,
            "names": names,
            "script": script,
            "policy": f"sha256-{policy}",
            "plane": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT},
            **shared,
        }

    def page(self, template: str, name: str, context: dict[str, Any]) -> Page:
        """A page.

        Args:
            template: its file.
            name: of the page, relative to the site.
            context: what it says.
        """
        root = "../" * name.count("/")
        text = self.environment.get_template(template).render(root=root, here=name, **context)
        return name, text.encode()

    def picture(self, chart: Chart) -> bytes:
        """A chart as an SVG that needs no other file, in light colours."""
        text = self.environment.get_template("picture.svg").render(
            chart=chart, style=source("chart.css")
        )
        return text.encode()


def source(name: str) -> str:
    """A file that lies beside the templates."""
    return files("consumption_datamart.page").joinpath(TEMPLATES, name).read_text()


def stylesheet() -> Page:
    """The stylesheet of all pages."""
    return names.STYLE, (source("style.css") + source("chart.css")).encode()


def pages(material: Material, tell: Tell = lambda _, __: None) -> Iterator[Page]:
    """All pages, made one by one; the index last.

    Args:
        material: what was read.
        tell: is told how many are made, of how many.
    """
    report = material.report
    renderer = Renderer(
        day=report.day,
        last_day=report.last_day,
        first_day=material.first_day,
        window=report.window_days,
        currency=report.verdict.currency,
        is_priced=material.is_priced,
    )
    customers, products = Customers(material), Products(material)
    whole = len(customers.customers) + len(products.products)
    made = 0
    yield stylesheet()
    for customer_id in sorted(customers.customers):
        name = names.of_customer(customer_id)
        yield renderer.page("customer.html", name, customers.page(customer_id))
        made += 1
        tell(made, whole)
    for product_id in sorted(products.products):
        name = names.of_product(product_id)
        yield renderer.page("product.html", name, products.page(product_id))
        made += 1
        tell(made, whole)
    shared = {"as_of": report.as_of, "caveats": report.caveats}
    listed = index.customers(material)
    yield renderer.page("customers.html", names.CUSTOMERS, shared | {"customers": listed})
    yield renderer.page("trends.html", names.TRENDS, shared | quality.trends(material))
    yield renderer.page("objectives.html", names.OBJECTIVES, shared | quality.objectives(material))
    search = [[row["customer_name"], row["customer_id"], row["page"]] for row in listed]
    search += [
        [row["product_name"], key, names.of_product(key)]
        for key, row in sorted(products.products.items())
    ]
    yield renderer.page("index.html", names.INDEX, shared | index.index(material, search))


def empty() -> Iterator[Page]:
    """The pages of a mart without any day: an index that says so."""
    yield stylesheet()
    today: date | None = None
    renderer = Renderer(day=today, is_priced=False)
    yield renderer.page("empty.html", names.INDEX, {"told": EMPTY})
