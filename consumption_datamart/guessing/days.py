"""How days and hours are written in the names of folders and files."""

import re
from collections.abc import Sequence
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
    "hour": rf"(?<![A-Za-z])(?i:hour|hr|hh|h)=?(?P<h>{HOUR})(?!\d)",
    "time": rf"(?<=\d)(?P<t>[T_-]?)(?P<h>{HOUR})(?=[^0-9]|$|\d\d(?!\d)|\d{{4}}(?!\d))",
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


Shapes = Sequence[tuple[str, re.Pattern[str]]]


def _expression(shapes: dict[str, str]) -> Shapes:
    return [(name, re.compile(shape)) for name, shape in shapes.items()]


_USUAL = _expression(SHAPES)
_WITH_SHORT = _expression({"short": SHORT, **SHAPES})


def tokens_of(stem: str) -> tuple[Token, ...]:
    """A path, taken apart.

    Args:
        stem: relative to the folder, without the suffix.
    """
    found = _tokens(stem, _USUAL)
    if any(token.kind == "day" for token in found) or not re.search(SHORT, stem):
        return found
    return _tokens(stem, _WITH_SHORT)


def _tokens(stem: str, shapes: Shapes) -> tuple[Token, ...]:
    found: list[Token] = []
    position = 0
    while position < len(stem):
        shape, match = _shape_at(stem, position, shapes, found)
        if match is None:
            _add_text(found, stem[position])
            position += 1
            continue
        # of hour=07 and T07 only the number is no text
        start = match.start("h") if shape in {"hour", "time"} else position
        if start > position:
            _add_text(found, stem[position:start])
        found.append(Token(_kind(shape, match), stem[start : match.end()], _formats(shape, match)))
        position = match.end()
    return tuple(found)


def _shape_at(
    stem: str, position: int, shapes: Shapes, before: Sequence[Token]
) -> tuple[str, re.Match[str] | None]:
    """The first shape that a path has at a position; hours only behind a day."""
    for name, shape in shapes:
        if (match := shape.match(stem, position)) is None:
            continue
        if name == "time" and not (before and before[-1].kind == "day"):
            continue
        if name in {"hour", "bare"} and all(token.kind != "day" for token in before):
            continue
        return name, match
    return "", None


def _add_text(found: list[Token], text: str) -> None:
    if text == "/":
        found.append(Token("slash", text))
    elif found and found[-1].kind == "text":
        found[-1] = Token("text", found[-1].text + text)
    else:
        found.append(Token("text", text))


def _kind(shape: str, match: re.Match[str]) -> str:
    if shape in FORMATS:
        return "day"
    if shape == "time" and match["t"] in {"_", "-"}:  # 20261001_07 may be an hour or a part
        return "maybe"
    return "hour" if shape in {"hour", "bare", "time"} else "wild"


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
