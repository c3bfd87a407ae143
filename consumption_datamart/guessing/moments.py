"""The SQL by which an own column becomes a day, a time, or the end of a term."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from consumption_datamart.guessing.mapping import Match, Sureness
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.sql import reference
from consumption_datamart.guessing.values import Kind, epoch_of, offset_of, telling
from consumption_datamart.guessing.words import INCLUSIVE, plain
from consumption_datamart.guessing.written import Written, parsed
from consumption_datamart.lake.formats import literal

EPOCHS = {
    "s": "make_timestamp({0} * 1000000)", "ms": "epoch_ms({0})", "us": "make_timestamp({0})",
}  # fmt: skip
CLOCK = r"\d\d?:\d\d(:\d\d)?(\.\d+)?"


def moment(
    name: str,
    kind: str,
    match: Match,
    written: Written,
    clock: Column | None,
    remarks: list[str],
) -> str:
    """The expression of a day or a time.

    Args:
        name: the contract column's.
        kind: `day` or `instant`.
        match: the own column.
        written: how the source's values are written.
        clock: a column of times of day, for a day that has none.
        remarks: gets what is to be looked at.
    """
    column, own = match.column, reference(match.column)
    if column.kind is Kind.epoch and (unit := epoch_of(telling(column.texts))):
        remarks.append(f"times since 1970, in {unit}")
        since = EPOCHS[unit].format(f"TRY_CAST({own} AS BIGINT)" if column.is_text else own)
        return since if kind == "instant" else f"CAST({since} AS DATE)"
    form = written.formats.get(name)
    if kind == "instant":
        if match.sureness is not Sureness.sure and not _has_offset(column):
            remarks.append("times without an offset are read as UTC")
        if column.kind is Kind.day and clock is not None:
            return _with_clock(own, clock, form or "")
        if column.kind is Kind.day:
            remarks.append("it has no time of day")
    if form is None or _lands(form, kind, written):
        return own
    to = "DATE" if kind == "day" else "TIMESTAMP"
    return f"TRY_CAST({own} AS {to})" if not form else f"CAST({_strptime(own, form)} AS {to})"


def end(column: Column, start: Column | None, written: Written, remarks: list[str]) -> str:
    """The expression of an end, which may be a term's last day, and may be open.

    Args:
        column: the own column of the end.
        start: that of the start.
        written: how the source's values are written.
        remarks: gets what is to be looked at.
    """
    own, form = reference(column), written.formats.get("ends_on", "")
    is_last = start is not None and _is_last_day(
        start, column, written.formats.get("starts_on", ""), form
    )
    is_open = column.has_blanks or not set(column.texts) <= set(telling(column.texts))
    if is_last:
        remarks.append("its values are last days of terms, and the mart wants the day after")
    elif plain(column.name) in INCLUSIVE:
        remarks.append("if it is the last day of the term, add + 1 to it (of a DATE)")
    if is_open:
        remarks.append("without an end it is open")
    if not column.is_text:
        day = own if column.type == "DATE" or not is_last else f"CAST({own} AS DATE)"
        day = f"{day} + 1" if is_last else day
        return f"coalesce({day}, DATE '9999-12-31')" if is_open else day
    is_short = "%y" in form  # which has no year 9999
    if is_open and not is_short:
        forever = date(9999, 12, 30 if is_last else 31).strftime(form or "%Y-%m-%d")
        own = f"coalesce(nullif({own}, ''), {literal(forever)})"
    if _lands(form, "day", written) and not is_last and not (is_open and is_short):
        return own
    day = f"CAST({_strptime(own, form)} AS DATE)" if form else f"TRY_CAST({own} AS DATE)"
    day += " + 1" if is_last else ""
    return f"coalesce({day}, DATE '9999-12-31')" if is_open and is_short else day


def clock_of(columns: Sequence[Column]) -> Column | None:
    """The column of times of day, if there is one."""
    clocks = [
        column
        for column in columns
        if column.texts and all(re.fullmatch(CLOCK, text) for text in column.texts)
    ]
    return clocks[0] if len(clocks) == 1 else None


def _lands(form: str, kind: str, written: Written) -> bool:
    """Whether a text is read as it is: by ISO, or by the format that `csv` says."""
    usual = written.date_format if kind == "day" else written.timestamp_format
    return form == usual and (written.is_csv or not form)


def _has_offset(column: Column) -> bool:
    if not column.is_text:
        return column.type.endswith("TIME ZONE")
    return any(offset_of(text) or text.endswith(("Z", "UTC")) for text in column.texts)


def _with_clock(own: str, clock: Column, form: str) -> str:
    """A day and a time of day that are columns of their own."""
    both = f"{own} || ' ' || {reference(clock)}"
    if not form:
        return f"TRY_CAST({both} AS TIMESTAMP)"
    seconds = ":%S" if all(text.count(":") == 2 for text in clock.texts) else ""
    return _strptime(both, f"{form} %H:%M{seconds}")


def _strptime(text: str, form: str) -> str:
    return f"try_strptime({text}, {literal(form)})"


def _is_last_day(starts: Column, ends: Column, start_form: str, end_form: str) -> bool:
    """Whether terms that begin on a day of the month mostly end on the day before."""
    begins = {day.day for text in starts.texts if (day := parsed(text, start_form))}
    found = [day for text in ends.texts if (day := parsed(text, end_form)) and day.year < 9999]
    after = sum((day + timedelta(1)).day in begins for day in found)
    return len(begins) <= 15 and after > sum(day.day in begins for day in found)
