"""Looking at a company's folder, and proposing a `lake.toml` (spec, section 6)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consumption_datamart.errors import LakeError
from consumption_datamart.guessing.files import Folder, walk
from consumption_datamart.guessing.missing import Known
from consumption_datamart.guessing.patterns import Group, groups
from consumption_datamart.guessing.sample import alike, sample
from consumption_datamart.guessing.source import Source
from consumption_datamart.guessing.sql import reference
from consumption_datamart.guessing.tables import table_of
from consumption_datamart.guessing.writing import seen, slug, toml

MOST = 100
"""Groups of files that are looked at; more are hardly sources."""


@dataclass(frozen=True)
class Proposal:
    """What was found, and what is proposed.

    Attributes:
        found: for each source its name, lake table (`?`: none), pattern, and what was seen.
        text: of `lake.toml`; None: the folder is as the mart wants it, none is needed.
        open: what could not be guessed or has to be looked at: source, and what.
    """

    found: Sequence[tuple[str, str, str, str]]
    text: str | None
    open: Sequence[tuple[str, str]]


def propose(folder: Path) -> Proposal:
    """Guesses the sources of a folder.

    Args:
        folder: a local one.

    Raises:
        LakeError: there is no such folder, or none of its files can be read by the mart.
    """
    listed = walk(folder)
    if not listed.files and not listed.tables:
        unread = _others(listed)
        raise LakeError(
            f"{folder}: no file in it is of a format that the mart reads (csv, tsv, parquet, jsonl,"
            " ndjson, each also .gz or .zst)" + (f"; there are {unread}" if unread else "")
        )
    all_groups = groups(listed.files, alike)
    sources = _named([_guessed(group) for group in all_groups[:MOST]])
    known = Known()
    for source in sources:
        if source.guess:
            known.learn(source.guess.columns)
    proper, others = _apart(sources)
    is_proper = bool(proper) and not others and not listed.tables and len(all_groups) <= MOST
    zones = [zone[0] for source in sources if (zone := source.day_zone) and zone[0]]
    text = toml(
        others, proper, listed.tables, known, _currency(sources), zones[0] if zones else None
    )
    opened = [] if is_proper else list(_open(listed, others, known))
    if rest := all_groups[MOST:]:
        opened.append(("…", f"{len(rest)} more patterns of files, such as {rest[0].pattern}"))
    found = [
        (
            source.name,
            source.guess.table if source.guess else "?",
            source.group.pattern,
            seen(source),
        )
        for source in sources
    ]
    return Proposal(found, None if is_proper else text, opened)


def _guessed(group: Group) -> Source:
    found = sample(group)
    return Source("", group, found, table_of(group.pattern, found.columns))


def _named(sources: Sequence[Source]) -> list[Source]:
    """Names are folders, or files; longer ones where these are not unique."""
    parts = {source.group.pattern: _parts(source.group.pattern) for source in sources}
    for length in range(1, 1 + max(map(len, parts.values()), default=0)):
        names = {pattern: slug(" ".join(each[:length])) for pattern, each in parts.items()}
        if len(set(names.values())) == len(names):
            break
    used: Counter[str] = Counter()
    named = []
    for source in sources:
        name = names[source.group.pattern]
        used[name] += 1
        name = name if used[name] == 1 else f"{name}_{used[name]}"
        named.append(Source(name, source.group, source.sample, source.guess))
    return named


def _parts(pattern: str) -> list[str]:
    """The names in a path that say something."""
    *folders, file = re.sub(r"\{[^}]*\}|\*", " ", pattern).split("/")
    names = [*folders, file.partition(".")[0]]
    return [name for name in names if re.search("[A-Za-z]", name)] or ["lake"]


def _apart(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """Sources of tables that are wholly as the mart wants them, and all others."""
    rest = {source.guess.table for source in sources if source.guess and not source.is_by_contract}
    proper = [s for s in sources if s.guess and s.is_by_contract and s.guess.table not in rest]
    return proper, [source for source in sources if source not in proper]


def _currency(sources: Sequence[Source]) -> str | None:
    """The currency of all invoices, if it is one."""
    found = {
        text
        for source in sources
        if source.guess and "currency" in source.guess.columns
        for text in source.guess.columns["currency"].column.texts
    }
    return found.pop() if len(found) == 1 else None


def _open(listed: Folder, sources: Sequence[Source], known: Known) -> Iterator[tuple[str, str]]:
    for source in sources:
        if source.guess is None:
            yield source.name, "which lake table it is, if any"
        yield from ((source.name, remark) for remark in source.remarks)
        if source.day_zone:
            yield source.name, f"day_zone: {source.day_zone[1]}"
        if source.condition and source.guess:
            yield source.name, f"where: whether only rows with {source.condition} are the mart's"
        for line in source.lines(known):
            if line.is_doubtful:
                yield source.name, f"{line.column}: {_told(source, line.column)}{line.remark}"
    for folder, kind in listed.tables.items():
        yield folder, f"it is a table of {kind}: which lake table, and which column has the day"
    for folder in listed.closed:
        yield folder, "it must not be listed"
    if others := _others(listed):
        yield "…", f"files that the mart cannot read: {others}"


def _told(source: Source, column: str) -> str:
    match = source.guess.columns.get(column) if source.guess else None
    return f"{reference(match.column)}, " if match else ""


def _others(listed: Folder) -> str:
    return ", ".join(f"{count:,} of {kind}" for kind, count in listed.others.most_common(5))
