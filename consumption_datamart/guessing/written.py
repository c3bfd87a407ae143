"""How a source's numbers and days are written: what goes into `csv`, what into expressions."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from consumption_datamart.guessing.dialect import Dialect
from consumption_datamart.guessing.mapping import Match, type_of
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.values import (
    NULLS,
    REST,
    Kind,
    Marks,
    day_formats,
    instant_formats,
    marks_of,
    telling,
)
from consumption_datamart.schema.lake import Contract

PLAIN = Marks()


@dataclass(frozen=True)
class Written:
    """How a source's values are written.

    Attributes:
        is_csv: whether the source is CSV, so that formats can be said once for all columns.
        marks: of numbers.
        formats: contract column of a day or time → its format; `''` is ISO's.
        date_format: that of most columns of days.
        timestamp_format: that of times.
        nulls: words for none.
        remarks: contract column → what is unsure.
    """

    is_csv: bool
    marks: Marks = PLAIN
    formats: Mapping[str, str] = field(default_factory=dict)
    date_format: str = ""
    timestamp_format: str = ""
    nulls: tuple[str, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)


def written(
    contract: type[Contract], found: Mapping[str, Match], dialect: Dialect | None
) -> Written:
    """How the values of the columns that were found are written.

    Args:
        contract: of the lake table.
        found: contract column → own column.
        dialect: of CSV.
    """
    is_csv = dialect is not None
    types = {name: type_of(dtype) for name, dtype in contract.ibis_schema().items()}
    texts = {name: match.column for name, match in found.items() if match.column.is_text}
    numbers = [
        value
        for name, column in texts.items()
        if types[name] == "number" and column.kind in {Kind.number, Kind.integer}
        for value in telling(column.texts)
    ]
    formats, remarks = {}, {}
    for name, column in texts.items():
        if types[name] in {"day", "instant"} and column.kind in {Kind.day, Kind.instant}:
            formats[name], remark = _format(column)
            if remark:
                remarks[name] = remark
    days = Counter(each for name, each in formats.items() if types[name] == "day")
    times = Counter(each for name, each in formats.items() if types[name] == "instant")
    marks = marks_of(numbers)
    if not marks.is_sure and dialect is not None and dialect.delimiter == ";":
        marks = Marks(",", ".", is_sure=False)  # who writes ; needs the comma for decimals
    return Written(
        is_csv,
        marks,
        formats,
        days.most_common(1)[0][0] if days and is_csv else "",
        times.most_common(1)[0][0] if times and is_csv else "",
        tuple(_nulls(texts.values())) if is_csv else (),
        remarks,
    )


def parsed(text: str, form: str) -> datetime | None:
    """A day or a time that is written in a format (`''`: ISO's); None: it is none."""
    try:
        if not form:
            return datetime.fromisoformat(text[:10])
        return datetime.strptime(text, form)
    except ValueError:
        try:  # fractions and offsets do not count
            return datetime.strptime(REST.sub("", text), form) if form else None
        except ValueError:
            return None


def _format(column: Column) -> tuple[str, str]:
    """A column's format, and what is unsure about it."""
    values = telling(column.texts)
    formats = day_formats(values) if column.kind is Kind.day else instant_formats(values)
    if len(formats) <= 1:
        return (formats or [""])[0], ""

    def rank(form: str) -> int:
        """How many values are of their file's day."""
        return sum(_day(text, form) == day for text, day in column.values if day is not None)

    ranked = sorted(formats, key=rank, reverse=True)
    if rank(ranked[0]) > rank(ranked[1]):
        return ranked[0], ""
    if "." in ranked[0][:3]:  # nobody writes month.day.year
        return ranked[0], ""
    return ranked[0], f"day and month cannot be told apart: it may be {ranked[1]}"


def _day(text: str, form: str) -> date | None:
    found = parsed(text, form)
    return found.date() if found else None


def _nulls(columns: Iterable[Column]) -> list[str]:
    """Words for none, as they are written, in columns that are no mere texts."""
    found: dict[str, None] = {}
    for column in columns:
        if column.kind not in {Kind.text, Kind.flag}:
            found |= dict.fromkeys(text for text in column.texts if text.lower() in NULLS)
    return list(found)
