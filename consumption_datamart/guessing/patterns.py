"""From the paths of files to patterns: which files are one source's (spec, section 6, `files`)."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from consumption_datamart.guessing.days import UNPADDED, Token, day_of, tokens_of
from consumption_datamart.guessing.files import DataFile

MANY = 10
"""So many folders or files beside each other that differ in a name only are taken together."""
HOURS = 20
"""So many different numbers from 00 to 23 behind a day are hours."""
MOVING = r"20\d\d|0\d{2,}"
"""A number that will be another one some day, though all files have the same."""

Tokens = tuple[Token, ...]
Members = list[tuple[DataFile, Tokens]]


@dataclass(frozen=True)
class Group:
    """Files with one pattern.

    Attributes:
        pattern: of their paths, as `files` of a source has it.
        files: with their days, by day and name; without days where the pattern has none.
        remarks: what is unsure about it.
    """

    pattern: str
    files: tuple[tuple[DataFile, date | None], ...]
    remarks: tuple[str, ...] = ()

    @property
    def format(self) -> str:
        """csv, tsv, parquet or jsonl."""
        return self.files[0][0].format

    @property
    def days(self) -> list[date]:
        """All days that there are, in order."""
        return sorted({day for _, day in self.files if day is not None})


def groups(files: Iterable[DataFile], alike: Callable[[list[DataFile]], bool]) -> list[Group]:
    """Files, by pattern; every file is in one group.

    Args:
        files: of the folder.
        alike: whether some files have the same columns; asked where names alone do not tell.
    """
    found: dict[tuple[object, ...], Members] = defaultdict(list)
    for file in files:
        tokens = tokens_of(file.stem)
        found[file.format, *(token.place for token in tokens)].append((file, tokens))
    together = _together(list(found.values()), alike)
    return _told_apart(sorted(map(_group, together), key=lambda group: group.pattern))


def _told_apart(found: list[Group]) -> list[Group]:
    """Says where a pattern takes files of another one, too."""
    stars = {
        group.pattern: re.compile(_expression(group.pattern))
        for group in found
        if "*" in group.pattern
    }

    def remarked(group: Group) -> Group:
        star = stars.get(group.pattern)
        taken = [
            f"its pattern takes the files of {other.pattern}, too"
            for other in (found if star else [])
            if star and other.pattern != group.pattern and star.fullmatch(other.files[0][0].name)
        ]
        return replace(group, remarks=(*group.remarks, *taken[:1]))

    return [remarked(group) for group in found]


def _expression(pattern: str) -> str:
    """A pattern as a regular expression; the day is as long as it is written."""
    parts = re.split(r"(\{[^}]*\}|\*)", pattern)
    days = {"*": "[^/]*", "{hour}": r"\d\d", "{day}": r"\d{4}-\d\d-\d\d"}
    return "".join(
        days.get(part, r"[\w./=-]*" if part.startswith("{") else re.escape(part)) for part in parts
    )


def _together(found: list[Members], alike: Callable[[list[DataFile]], bool]) -> list[Members]:
    """Takes what differs in one name only as one, where it is much and has the same columns."""
    depth = max((_components(members[0][1]) for members in found), default=0)
    for index in reversed(range(depth)):
        families: dict[object, list[Members]] = defaultdict(list)
        for number, members in enumerate(found):
            families[_family(members[0], index, number)].append(members)
        found = []
        for family in families.values():
            sample = [members[0][0] for members in family[:: max(1, len(family) // 4)]]
            if len(family) >= MANY and alike(sample):
                masked = [(f, _masked(t, index)) for members in family for f, t in members]
                found.append(masked)
            else:
                found += family
    return found


def _components(tokens: Tokens) -> int:
    return 1 + sum(token.kind == "slash" for token in tokens)


def _family(member: tuple[DataFile, Tokens], index: int, number: int) -> object:
    file, tokens = member
    if index >= _components(tokens) or any(t.kind == "day" for t in _component(tokens, index)):
        return number
    return (file.format, *(token.place for token in _masked(tokens, index)))


def _component(tokens: Tokens, index: int) -> Tokens:
    count, found = 0, []
    for token in tokens:
        if token.kind == "slash":
            count += 1
        elif count == index:
            found.append(token)
    return tuple(found)


def _masked(tokens: Tokens, index: int) -> Tokens:
    count, found, done = 0, list[Token](), False
    for token in tokens:
        if token.kind == "slash":
            count += 1
        if token.kind == "slash" or count != index:
            found.append(token)
        elif not done:
            name = "".join(each.text for each in _component(tokens, index))
            found.append(Token("wild", name))
            done = True
    return tuple(found)


def _group(members: Members) -> Group:
    columns = list(zip(*(tokens for _, tokens in members), strict=True))
    remarks: list[str] = []
    place, written = _day_place(columns, remarks)
    pieces = [
        _piece(column, is_alone=len(members) == 1)
        if index != place
        else ("{day}" if written == "%Y-%m-%d" else f"{{day:{written}}}")
        for index, column in enumerate(columns)
    ]
    if place is not None:  # folders of years and months move on
        pattern = re.sub(r"(?<![^/])\d{1,4}(?=/)", "*", "".join(pieces))
    else:
        pattern = "".join(pieces)
    pattern = _tidy(pattern) + _suffix([file for file, _ in members])
    dated = [
        (file, None if place is None else day_of(tokens[place].text, written))
        for file, tokens in members
    ]
    strays = [file.name for file, day in dated if place is not None and day is None]
    if strays:
        remarks.append(f"{len(strays)} files are of no day that there is, such as {strays[0]}")
    if place is None:
        remarks += _undated([file for file, _ in members])
    files = tuple(sorted(dated, key=lambda each: (each[1] or date.min, each[0].name)))
    return Group(pattern, files, tuple(remarks))


def _piece(column: Sequence[Token], *, is_alone: bool) -> str:
    texts = {token.text for token in column}
    kinds = {token.kind for token in column}
    if kinds <= {"text", "slash"}:
        return re.sub(r"[{}*]", "*", column[0].text)
    if kinds == {"hour"} or (kinds <= {"hour", "maybe"} and len(texts) >= HOURS):
        return "{hour}"
    # what is everywhere the same is a name; years, 0001 and a second day move on
    is_name = len(texts) == 1 and kinds == {"wild"} and not re.fullmatch(MOVING, column[0].text)
    return column[0].text if is_name and (is_alone or len(column) > 1) else "*"


def _day_place(columns: Sequence[Sequence[Token]], remarks: list[str]) -> tuple[int | None, str]:
    """Where the day is in the tokens, and how it is written."""
    places = [index for index, column in enumerate(columns) if column[0].kind == "day"]
    if not places:
        return None, ""
    written = {place: _format(columns[place]) for place in places}
    days = {
        place: [day_of(token.text, written[place][0]) for token in columns[place]]
        for place in places
    }
    place = places[0] if all(days[each] == days[places[0]] for each in places) else places[-1]
    if days[place] != days[places[0]]:
        remarks.append("there are two days in the paths; the last one is taken")
    chosen, others = written[place]
    if others:
        remarks.append(f"day and month could also be {others[0]}")
    return place, chosen


def _format(column: Sequence[Token]) -> tuple[str, list[str]]:
    """The format that most can be read in; of several the one with the fewest days between."""

    def rank(written: str) -> tuple[int, int]:
        days = [day for token in column if (day := day_of(token.text, written)) is not None]
        return (-len(days), (max(days) - min(days)).days if days else 0)

    ranked = sorted(column[0].formats, key=rank)
    same = [each for each in ranked[1:] if rank(each)[0] == rank(ranked[0])[0]]
    return ranked[0], same


def _tidy(text: str) -> str:
    """Neighbouring stars are one; behind `part-` nothing stays as it is."""
    text = re.sub(r"\*(?:[-_.]?\*)+", "*", text)
    return re.sub(r"(^|/)(part[-_])[^/{}]*$", r"\1\2*", text)


def _suffix(files: Sequence[DataFile]) -> str:
    suffixes = {file.suffix for file in files}
    if len(suffixes) == 1:
        return suffixes.pop()
    return os.path.commonprefix(list(suffixes)) + "*"  # noqa: RUF071  # these are no paths


def _undated(files: Sequence[DataFile]) -> list[str]:
    if any(UNPADDED.search(file.stem) for file in files):
        return ["its days are written without leading zeros, which lake.toml cannot say"]
    if any(re.search(r"(?<!\d)20\d\d[-_/]?(0[1-9]|1[0-2])(?!\d)", file.stem) for file in files):
        return ["its names have a month but no day"]
    return []
