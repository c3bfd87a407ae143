"""Names of the pages' files, and of their links."""

import re
import unicodedata
from hashlib import sha256

INDEX, CUSTOMERS, TRENDS, OBJECTIVES = (
    "index.html", "customers.html", "trends.html", "objectives.html",
)  # fmt: skip
STYLE = "style.css"
READABLE = 40
"""Characters of an id that stand in the name of its page."""


def of_customer(customer_id: str) -> str:
    """The file of a customer's page, relative to the site."""
    return f"customers/{slug(customer_id)}.html"


def of_product(product_id: str) -> str:
    """The file of a product's page."""
    return f"products/{slug(product_id)}.html"


def slug(name: str) -> str:
    """A name of small letters, digits and hyphens for any id, different for each.

    What can be read of the id comes first, a hash of it last: ids that differ in letter case only,
    or in signs, have different names, and none leads out of its folder.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain)[:READABLE].strip("-")
    return f"{readable}-{sha256(name.encode()).hexdigest()[:16]}".lstrip("-")
