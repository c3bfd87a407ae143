"""The SQL by which an own column becomes a contract column, and what is to be said of it."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from consumption_datamart.guessing.mapping import METERINGS, Match, Sureness, type_of
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.sql import literal, reference
from consumption_datamart.guessing.values import UNLIMITED, Kind, Marks, epoch_of, telling
from consumption_datamart.guessing.words import INCLUSIVE, plain, words_of
from consumption_datamart.guessing.written import Written, parsed
from consumption_datamart.schema.lake import Contract

BYTES = {"KiB": "1024.0", "MiB": "1024.0 ^ 2", "GiB": "1024.0 ^ 3", "TiB": "1024.0 ^ 4",
         "KB": "1e3", "MB": "1e6", "GB": "1e9", "TB": "1e12"}  # fmt: skip
"""What bytes are divided by to be of a unit."""
PERIODS = {"month", "quarter", "year"}
EPOCHS = {
    "s": "make_timestamp({0} * 1000000)", "ms": "epoch_ms({0})", "us": "make_timestamp({0})",
}  # fmt: skip


class Line(NamedTuple):
    """A line of a source's `columns`.

    Attributes:
        column: of the contract.
        sql: its expression.
        remark: how sure it is, and what is to be looked at.
        is_open: whether somebody has to decide; the line is then written as a comment.
        is_doubtful: whether it is to be told on the terminal, too.
    """

    column: str
    sql: str
    remark: str
    is_open: bool = False
    is_doubtful: bool = False


def line(
    contract: type[Contract],
    name: str,
    found: Mapping[str, Match],
    written: Written,
    bytes_unit: str,
) -> Line:
    """The line of a contract column for which an own column was found.

    Args:
        contract: of the lake table.
        name: the contract column's.
        found: contract column → own column.
        written: how the source's values are written.
        bytes_unit: that bytes are converted to.
    """
    match = found[name]
    column, own = match.column, reference(match.column)
    kind = type_of(contract.ibis_schema()[name])
    sql, remarks = own, [f"{match.sureness.name}: {match.why}"]
    if column.kind is Kind.empty:
        remarks.append("all values that were looked at are blank")
    if kind == "text":
        sql = _text(name, column, own, found, remarks)
    elif kind == "number":
        sql = _number(contract.table_name(), column, own, written, bytes_unit, remarks)
    elif name == "ends_on":
        sql = _end(column, own, found, written, remarks)
    elif kind in {"day", "instant"}:
        sql = _moment(name, kind, column, own, written, remarks)
    if name in written.remarks:
        remarks.append(written.remarks[name])
    if kind == "number" and column.is_text and not written.marks.is_sure:
        remarks.append("1,000 and 1.000 may be a thousand or one")
    doubtful = match.sureness is Sureness.guess or len(remarks) > 1 + (name == "customer_id")
    return Line(name, sql, "; ".join(remarks), is_doubtful=doubtful)


def _text(
    name: str, column: Column, own: str, found: Mapping[str, Match], remarks: list[str]
) -> str:
    texts = telling(column.texts)
    if name == "customer_id" and texts:
        if all(re.fullmatch(r"\d+(\.0)?", text) for text in texts):
            remarks.append(f"bare numbers such as {texts[0]} become CUST-<digits>")
            if any(re.match(r"0\d", text) for text in texts):
                remarks.append(
                    f"if other sources have no leading zeros: 'CUST-' || ltrim({own}, '0')"
                )
            is_whole = column.is_text or column.kind is not Kind.number
            return f"'CUST-' || {own if is_whole else f'CAST({own} AS BIGINT)'}"
        if not any(re.fullmatch(r"CUST-\d+", text) for text in texts):
            remarks.append(f"not of the form CUST-<digits>: {_few(texts)}; rows will be flagged")
    if name == "metering":
        if other := {text for text in texts if text.lower() not in METERINGS}:
            remarks.append(f"{_few(sorted(other))}: has to be {', '.join(sorted(METERINGS))}")
        elif not set(texts) <= METERINGS:
            own = f"lower({own})"
        quantity = found.get("quantity")
        if quantity and (words := _limitless(quantity.column)):
            amount = reference(quantity.column)
            return f"CASE WHEN {amount} {words} THEN 'unlimited' ELSE {own} END"
    if name == "period" and (other := set(texts) - PERIODS):
        remarks.append(f"{_few(sorted(other))}: has to be month, quarter or year")
    return own


def _number(
    table: str, column: Column, own: str, written: Written, unit: str, remarks: list[str]
) -> str:
    if words := _limitless(column):
        own = f"CASE WHEN {own} {words} THEN '0' ELSE {own} END"
        remarks.append("where it has no limit, metering says so and the quantity does not count")
    is_bytes = table == "telemetry" and bool({"bytes", "byte"} & set(words_of(column.name)))
    if is_bytes:
        remarks.append(f"bytes become {unit}, so unit has to be {unit}")
    if column.is_text and (is_bytes or (not written.is_csv and written.marks != Marks())):
        own = f"TRY_CAST({_unmarked(own, written.marks)} AS DOUBLE)"
    return f"{own} / {BYTES[unit]}" if is_bytes else own


def _unmarked(own: str, marks: Marks) -> str:
    if marks.thousands:
        own = f"replace({own}, {literal(marks.thousands)}, '')"
    return f"replace({own}, ',', '.')" if marks.decimal == "," else own


def _moment(
    name: str, kind: str, column: Column, own: str, written: Written, remarks: list[str]
) -> str:
    if column.kind is Kind.epoch and (unit := epoch_of(telling(column.texts))):
        remarks.append(f"times since 1970, in {unit}")
        return EPOCHS[unit].format(f"TRY_CAST({own} AS BIGINT)" if column.is_text else own)
    if column.kind is Kind.day and kind == "instant":
        remarks.append("it has no time of day")
    form = written.formats.get(name)
    if form is None:
        return own
    is_usual = form == (written.date_format if kind == "day" else written.timestamp_format)
    if is_usual and (written.is_csv or not form):
        return own
    to = "DATE" if kind == "day" else "TIMESTAMP"
    return f"TRY_CAST({own} AS {to})" if not form else f"CAST({_strptime(own, form)} AS {to})"


def _strptime(text: str, form: str) -> str:
    return f"try_strptime({text}, {literal(form)})"


def _end(
    column: Column, own: str, found: Mapping[str, Match], written: Written, remarks: list[str]
) -> str:
    """An end that may be the term's last day, and may be open."""
    start = found.get("starts_on")
    form = written.formats.get("ends_on", "")
    is_last = start is not None and _is_last_day(
        start.column, column, written.formats.get("starts_on", ""), form
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
    lands = form == written.date_format and (written.is_csv or not form)
    if lands and not is_last and not (is_open and is_short):
        return own
    day = _as_day(own, form) + (" + 1" if is_last else "")
    return f"coalesce({day}, DATE '9999-12-31')" if is_open and is_short else day


def _as_day(text: str, form: str) -> str:
    return f"CAST({_strptime(text, form)} AS DATE)" if form else f"TRY_CAST({text} AS DATE)"


def _is_last_day(starts: Column, ends: Column, start_form: str, end_form: str) -> bool:
    """Whether terms that begin on a day of the month mostly end on the day before."""
    begins = {day.day for text in starts.texts if (day := parsed(text, start_form))}
    found = [day for text in ends.texts if (day := parsed(text, end_form)) and day.year < 9999]
    after = sum((day + timedelta(1)).day in begins for day in found)
    return len(begins) <= 15 and after > sum(day.day in begins for day in found)


def _limitless(column: Column) -> str:
    """How a value is compared with the words for no limit that a column has; '' without any."""
    found = sorted({text for text in column.texts if text.lower() in UNLIMITED})
    if len(found) > 1:
        return f"IN ({', '.join(map(literal, found))})"
    return f"= {literal(found[0])}" if found else ""


def _few(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (" …" if len(texts) > 3 else "")
