"""How days and hours are written in the names of folders and files."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

YEAR, MONTH, DAY = r"(?:19|20|21)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
HOUR = r"(?:[01]\d|2[0-3])"
NAME = r"(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

SHAPES = {
    "hive": (
        rf"(?<![A-Za-z])((?i:yyyy|year|y)=){YEAR}(/(?i:month|mon|mm|m)=){MONTH}"
        rf"(/(?i:day|dd|d)=){DAY}(?!\d)"
    ),
    "compact": rf"(?<!\d){YEAR}{MONTH}{DAY}(?=(?:{HOUR}(?:\d\d){{0,2}})?(?!\d))",
    "ymd": rf"(?<!\d){YEAR}([-_./ ]?){MONTH}([-_./ ]?){DAY}(?!\d)",
    "dmy": rf"(?<!\d){DAY}([-_./ ]){DAY}([-_./ ]){YEAR}(?!\d)",
    "dmy_compact": rf"(?<!\d){DAY}{DAY}{YEAR}(?!\d)",
    "dby": rf"(?<![A-Za-z0-9]){DAY}([-_. ]?){NAME}([-_. ]?){YEAR}(?!\d)",
    "ybd": rf"(?<!\d){YEAR}([-_. ]?){NAME}([-_. ]?){DAY}(?!\d)",
    "hour": rf"(?<![A-Za-z])(?i:hour|hr|hh|h)=?({HOUR})(?!\d)",
    "time": rf"(?<=\d)(?P<t>[T_-]?)({HOUR})(?=[^0-9]|$|\d\d(?!\d)|\d{{4}}(?!\d))",
    "bare": rf"(?<=/)({HOUR})(?=/|$)",
    "partition": r"(?<=[A-Za-z0-9_]=)[^/=]+(?=/)",
    "uuid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "hex": r"(?<![A-Za-z0-9])(?=[0-9a-f]*\d)[0-9a-f]{8,}(?![A-Za-z0-9])",
    "number": r"\d+",
}
"""What may stand in a path, the first that holds."""
FORMATS = {
    "compact": ["%Y%m%d"],
    "ymd": ["%Y{0}%m{1}%d"],
    "dmy": ["%d{0}%m{1}%Y", "%m{0}%d{1}%Y"],
    "dmy_compact": ["%d%m%Y", "%m%d%Y"],
    "dby": ["%d{0}%b{1}%Y"],
    "ybd": ["%Y{0}%b{1}%d"],
    "hive": ["{0}%Y{1}%m{2}%d"],
    "short": ["%y%m%d"],
}
SHORT = rf"(?<!\d)[23]\d{MONTH}{DAY}(?!\d)"
"""Six digits are a day only where a path has no other."""
UNPADDED = re.compile(rf"(?<!\d){YEAR}\D{{1,7}}\d{{1,2}}\D{{1,5}}\d{{1,2}}(?!\d)")
"""A day without leading zeros, which `{day:…}` cannot say."""


class Token(NamedTuple):
    """A piece of a path.

    Attributes:
        kind: `text`, `slash`, `day`, `hour`, `maybe` (an hour or a number) or `wild`.
        text: as it is in the path.
        formats: of a day, how it may be read.
    """

    kind: str
    text: str
    formats: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, ...]:
        """What paths with one pattern have in common here."""
        if self.kind == "day":
            return ("day", *self.formats)
        return ("text", self.text) if self.kind in {"text", "slash"} else ("wild",)


def _expression(shapes: dict[str, str]) -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile(shape)) for name, shape in shapes.items()]


_USUAL = _expression(SHAPES)
_WITH_SHORT = _expression({"short": SHORT, **SHAPES})
_STARTS = re.compile(r"[0-9A-Za-z]")


def tokens_of(stem: str) -> tuple[Token, ...]:
    """A path, taken apart.

    Args:
        stem: relative to the folder, without the suffix.
    """
    found = tuple(_tokens(stem, _USUAL))
    if any(token.kind == "day" for token in found) or not re.search(SHORT, stem):
        return found
    return tuple(_tokens(stem, _WITH_SHORT))


def _tokens(stem: str, shapes: Sequence[tuple[str, re.Pattern[str]]]) -> Iterator[Token]:
    position, text, last = 0, "", ""
    seen = False
    while position < len(stem):
        for name, shape in shapes:
            match = shape.match(stem, position)
            if match is None:
                continue
            if (name == "time" and last != "day") or (name in {"bare", "hour"} and not seen):
                continue
            break
        else:
            name, match = "", None
        if match is None:
            if stem[position] == "/":
                yield from [Token("text", text)] if text else []
                yield Token("slash", "/")
                text, last = "", "slash"
            else:
                text += stem[position]
            position += 1
            if text and last == "day" and text not in {"T", "_", "-"}:
                last = "text"
            continue
        start = match.start(match.lastindex or 0) if name in {"hour", "time"} else position
        text += stem[position:start]
        if text:
            yield Token("text", text)
        piece, text = stem[start : match.end()], ""
        yield Token(_kind(name, match), piece, _formats(name, match))
        position, last = match.end(), "day" if name in FORMATS else name
        seen = seen or name in FORMATS
    if text:
        yield Token("text", text)


def _kind(shape: str, match: re.Match[str]) -> str:
    if shape in FORMATS:
        return "day"
    if (
        shape == "time"
    ):  # 20261001_07 may be an hour or a part; 20261001T07 and 2026100107 are hours
        return "maybe" if match["t"] in {"_", "-"} else "hour"
    return "hour" if shape in {"hour", "bare"} else "wild"


def _formats(shape: str, match: re.Match[str]) -> tuple[str, ...]:
    if shape not in FORMATS:
        return ()
    formats = FORMATS[shape]
    if shape == "dmy" and match[1] == ".":  # nobody writes month.day.year
        formats = formats[:1]
    return tuple(each.format(*match.groups()) for each in formats)


@cache
def day_of(text: str, written: str) -> date | None:
    """The day that a text is in a format; None: it is none."""
    try:
        return datetime.strptime(text, written).date()
    except ValueError:
        return None
