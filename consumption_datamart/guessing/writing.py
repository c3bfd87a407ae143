"""Writing the proposal as a commented `lake.toml` (spec, section 6)."""

import json
from collections.abc import Iterator, Sequence

from consumption_datamart.guessing.expressions import Line
from consumption_datamart.guessing.missing import Known
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.source import Source, gaps

HEAD = """\
# A proposal of `consumption-datamart init`, guessed from names and the first rows of some files.
# Look at each line. What somebody has to decide is commented out and says TODO.
#
# A source may also have: owner = "team:…", late_after_days = 2, where = "SQL on its rows".
"""
WIDTH, LENGTH = 40, 110


def toml(
    sources: Sequence[Source],
    by_contract: Sequence[Source],
    tables: dict[str, str],
    known: Known,
    currency: str | None,
    zone: str | None,
) -> str:
    """The text of a `lake.toml`.

    Args:
        sources: that have to be said, in order.
        by_contract: those that the mart reads as they are.
        tables: folders that are a Delta or Iceberg table → which.
        known: what the sources tell of each other.
        currency: of all invoices, if it is one.
        zone: whose days the mart's may be.
    """
    return "\n".join(_lines(sources, by_contract, tables, known, currency, zone)) + "\n"


def _lines(
    sources: Sequence[Source],
    by_contract: Sequence[Source],
    tables: dict[str, str],
    known: Known,
    currency: str | None,
    zone: str | None,
) -> Iterator[str]:
    yield HEAD
    yield f'# time_zone = "{zone or "Europe/Berlin"}"  # whose days the mart has; UTC without'
    if currency:
        yield f"currency = {quoted(currency)}  # of all invoices that were looked at; USD without"
    else:
        yield '# currency = "EUR"  # in which values are added up; USD without'
    for source in by_contract:
        yield from ("", _comment(f"{source.group.pattern}: {seen(source)}"))
        yield "# It is as the mart wants it, and need not be said here."
    for source in sources:
        yield from ("", *_source(source, known))
    for folder, kind in tables.items():
        yield from ("", _comment(f"{folder}: a table of {kind}. Which lake table is it?"))
        yield from ("# [[TODO]]", f"# name = {quoted(slug(folder))}")
        yield from (f"# files = {quoted(folder)}", f'# format = "{kind}"')
        yield '# day = "TODO"  # the column that has the day of a row; telemetry needs it'


def _source(source: Source, known: Known) -> Iterator[str]:
    table = source.guess.table if source.guess else "TODO"
    off = "" if source.is_usable else "# "
    yield _comment(f"{source.group.pattern}: {seen(source)}")
    if source.guess:
        yield _comment(f"Taken for {table}: {source.guess.why}.")
    else:
        yield "# TODO: it could not be told which lake table it is, if any."
    yield from (_comment(f"Look at it: {remark}.") for remark in source.remarks)
    yield f"{off}[[{table}]]"
    yield f"{off}name = {quoted(source.name)}"
    yield f"{off}files = {quoted(source.group.pattern)}"
    if source.day_zone:
        zone, why = source.day_zone
        yield from _said("# day_zone", zone or "Europe/Berlin", f"TODO: {why}")
    if source.guess is None:
        yield from ("# [TODO.columns]", *(_own(column) for column in source.sample.columns))
    else:
        if source.condition:
            yield from _said("# where", source.condition, "TODO: whether such rows are the mart's")
        yield f"{off}[{table}.columns]"
        for line in source.lines(known):
            yield from _column(line, off)
        if source.unused:
            names = ", ".join(column.name for column in source.unused)
            yield _comment(f"not used: {names}")
    if source.csv:
        yield f"{off}[{table}.csv]"
        yield from (f"{off}{key} = {_value(value)}" for key, value in source.csv.items())


def seen(source: Source) -> str:
    """How many files there are, of which days."""
    group, days = source.group, source.group.days
    count = f"{len(group.files):,} files" if len(group.files) > 1 else "1 file"
    if not days:
        return f"{count} without a day"
    missing = gaps(days)
    if len(days) == 1:
        return f"{count}, {days[0]}"
    span = f"{days[0]} … {days[-1]}"
    if not missing:
        return f"{count}, {span}, every day"
    few = ", ".join(map(str, missing[:3])) + (" …" if len(missing) > 3 else "")
    what = "1 day is" if len(missing) == 1 else f"{len(missing)} days are"
    return f"{count}, {span}; {what} missing: {few}"


def slug(text: str) -> str:
    """A name that a source may have."""
    kept = "".join(each if each.isascii() and each.isalnum() else "_" for each in text.lower())
    name = "_".join(filter(None, kept.split("_")))
    return name if name[:1].isalpha() else f"source_{name}".rstrip("_")


def quoted(text: str) -> str:
    """A text in TOML; without escapes where it can be."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _column(line: Line, off: str) -> Iterator[str]:
    open_ = "# " if line.is_open or off else ""
    remark = ("TODO: " if line.is_open else "") + line.remark
    return _said(open_ + line.column, line.sql, remark)


def _said(key: str, value: str, remark: str) -> Iterator[str]:
    """A line with a remark behind it, or before it where that would be too long."""
    said, comment = f"{key} = {quoted(value)}", _comment(remark)
    if len(said) > WIDTH or WIDTH + len(comment) > LENGTH:
        yield from (comment, said)
    else:
        yield f"{said:{WIDTH}}  {comment}"


def _own(column: Column) -> str:
    such = f", such as {column.texts[0][:40]}" if column.texts else ""
    return _comment(f"… = {quoted(column.name)}  {column.kind}{such}")


def _value(value: str | int | bool | list[str]) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(quoted, value)) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _comment(text: str) -> str:
    """Names of files and columns may have characters that a comment must not."""
    return "# " + "".join(each if each.isprintable() else "?" for each in text)
