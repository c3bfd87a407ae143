"""What commands write on the screen with."""

import re
from typing import Any

from rich.console import Console
from rich.text import Text

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys instead of showing them, but for tabs and ends of lines."""
UNSHOWN = "\N{REPLACEMENT CHARACTER}"


class Screen(Console):
    """Shows names as the lake has them: they are no markup, and do not steer the terminal."""

    def __init__(self, **how: Any) -> None:
        """As a console."""
        super().__init__(markup=False, emoji=False, **how)

    def render_str(self, text: str, **how: Any) -> Text:
        """A text as it is shown."""
        return super().render_str(STEERING.sub(UNSHOWN, text), **how)
