"""The version of the code that builds tables."""

import hashlib
from functools import cache
from pathlib import Path

ROOMS = ("schema", "lake", "warehouse", "assets")
"""Where it is decided what tables hold."""


@cache
def code_version() -> str:
    """A hash of the code that decides what tables hold: where it differs, so may they."""
    package = Path(__file__).parents[1]
    sources = sorted(path for room in ROOMS for path in (package / room).rglob("*.py"))
    content = b"\0".join(path.read_bytes() for path in sources)
    return hashlib.blake2b(content, digest_size=8).hexdigest()
