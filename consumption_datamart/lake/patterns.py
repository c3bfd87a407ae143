"""Which files of a lake a source takes, and of which day each is (spec, section 6)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from consumption_datamart.schema.days import Days

PLAUSIBLE = Days(date(1900, 1, 1), date(2199, 12, 31))
"""A file named by another day is misnamed; one would stretch the mart over centuries."""
DIRECTIVES = {
    "%Y": r"\d{4}",
    "%m": r"\d{2}",
    "%d": r"\d{2}",
    "%y": r"\d{2}",
    "%j": r"\d{3}",
    "%b": r"[^\W\d]{3}",
}
"""What may stand in `{day:…}`, and how it is written in a path."""
PART = re.compile(r"\{(?P<name>[^{}:]*)(:(?P<format>[^{}]*))?\}|\*\*/|\*\*|\*")


class PatternError(ValueError):
    """A pattern that cannot be used; says why, and what would be right."""


@dataclass(frozen=True)
class Pattern:
    """A path relative to the lake, with `{day}`, `{hour}`, `*` and `**`.

    `*` stands for any part of a name, `**` for any folders. `{day}` is a date as 2026-10-01, or as
    its format says: `{day:%Y%m%d}`, `{day:%Y/%m/%d}`.

    Raises:
        PatternError: it cannot be used.
    """

    text: str

    def __post_init__(self) -> None:
        """Finds mistakes at once."""
        self.expression  # noqa: B018  # compiles it

    @property
    def has_day(self) -> bool:
        """Whether it says of which day a file is."""
        return bool(self._formats)

    @property
    def has_marks(self) -> bool:
        """Whether it stands for more than one name."""
        return PART.search(self.text) is not None

    @property
    def top(self) -> str | None:
        """The first folder of all its paths; None: it may be any, or none."""
        first, slash, _ = self.text.partition("/")
        return None if not slash or "{" in first or "*" in first else first

    @property
    def expression(self) -> re.Pattern[str]:
        """The pattern as a regular expression."""
        return _compiled(self.text)[0]

    @property
    def _formats(self) -> list[tuple[str, str]]:
        return _compiled(self.text)[1]

    def day(self, name: str) -> date | None:
        """The day that a path says, None where it is no path of this pattern, or no day.

        Args:
            name: relative to the lake, of a pattern that has a day.
        """
        found = self.expression.fullmatch(name)
        if found is None:
            return None
        days = {_day(found[group], written) for group, written in self._formats}
        (day,) = days if len(days) == 1 else {None}
        return day if day is not None and day in PLAUSIBLE else None

    def written(self, day: date, part: str, ending: str) -> str:
        """A path of this pattern.

        Args:
            day: that it is of.
            part: what stands for the first `*`.
            ending: what stands for one at its end.

        Raises:
            PatternError: more than a day and a `*` is open.
        """
        text = self.text.replace("**/", "")
        if text.endswith(".*"):
            text = text.removesuffix(".*") + ending
        text = text.replace("*", part, 1)
        name = PART.sub(lambda found: _as_written(found, day), text)
        if not self.has_day or "*" in name or not self.takes(name) or self.day(name) != day:
            raise PatternError(
                f"{self.text}: a day alone does not say how a file is called; write it with {{day}}"
                " and at most one *"
            )
        return name

    def takes(self, name: str) -> bool:
        """Whether a path is one of this pattern."""
        return self.expression.fullmatch(name) is not None


@cache
def _compiled(text: str) -> tuple[re.Pattern[str], list[tuple[str, str]]]:
    """The expression, and of each `{day}` in it the group and how it is written."""
    formats: list[tuple[str, str]] = []
    return re.compile("".join(_parts(text, formats))), formats


def _parts(text: str, formats: list[tuple[str, str]]) -> Iterator[str]:
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise PatternError("it has to be a path below the lake's folder, without .. or a leading /")
    position = 0
    for found in PART.finditer(text):
        yield _literal(text[position : found.start()])
        position = found.end()
        if found[0] == "**/":
            yield "(?:[^/]+/)*"
        elif found[0] == "**":
            yield ".*"
        elif found[0] == "*":
            yield "[^/]*"
        elif found["name"] == "hour" and found["format"] is None:
            yield r"(?:[01]\d|2[0-3])"
        elif found["name"] == "day":
            group, written = f"day{len(formats)}", found["format"] or "%Y-%m-%d"
            formats.append((group, written))
            yield f"(?P<{group}>{''.join(_written(written))})"
        else:
            raise PatternError(
                f"{found[0]} is unknown; there are {{day}}, {{day:%Y%m%d}}, {{hour}}, * and **"
            )
    yield _literal(text[position:])


def _as_written(found: re.Match[str], day: date) -> str:
    return day.strftime(found["format"] or "%Y-%m-%d") if found["name"] == "day" else found[0]


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise PatternError("a brace is not closed; {day} is written with both")
    return re.escape(text)


def _written(written: str) -> Iterator[str]:
    found = re.findall(r"%.", written)
    unknown = [each for each in found if each not in DIRECTIVES]
    has_day = {"%m", "%d"} <= set(found) or {"%b", "%d"} <= set(found) or "%j" in found
    if unknown or not (has_day and {"%Y", "%y"} & set(found)):
        raise PatternError(
            f"{{day:{written}}} is no day; write year, month and day as in {{day:%Y%m%d}},"
            f" with {', '.join(DIRECTIVES)}"
        )
    for piece in re.split(r"(%.)", written):
        yield DIRECTIVES.get(piece, re.escape(piece))


def _day(text: str, written: str) -> date | None:
    try:
        return datetime.strptime(text, written).date()
    except ValueError:
        return None
