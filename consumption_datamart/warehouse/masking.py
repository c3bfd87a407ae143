"""URLs as they may be shown."""

import re

PASSWORD = re.compile(r"(://[^:@/?]*:)[^@?]*(?=@)|([?&]password=)[^&]*")
"""As URLs have them, also one that is not escaped as it should be."""


def masked(url: str) -> str:
    """The URL without its password."""
    return PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", url)
