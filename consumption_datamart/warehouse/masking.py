"""URLs as they may be shown."""

import re
from urllib.parse import urlsplit


def masked(url: str) -> str:
    """The URL without its password."""
    password = urlsplit(url).password
    shown = url.replace(f":{password}@", ":***@") if password else url
    return re.sub(r"([?&]password=)[^&]*", r"\1***", shown)
