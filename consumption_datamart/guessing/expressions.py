"""The SQL by which an own column becomes a contract column, and what is to be said of it."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from consumption_datamart.guessing.mapping import METERINGS, Match, Sureness, type_of
from consumption_datamart.guessing.moments import end, moment
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.sql import reference
from consumption_datamart.guessing.values import (
    UNLIMITED,
    Kind,
    Marks,
    telling,
)
from consumption_datamart.guessing.words import plain, words_of
from consumption_datamart.guessing.written import Written
from consumption_datamart.lake.formats import literal
from consumption_datamart.schema.lake import Contract

BYTES = {"KiB": "1024.0", "MiB": "1024.0 ^ 2", "GiB": "1024.0 ^ 3", "TiB": "1024.0 ^ 4",
         "KB": "1e3", "MB": "1e6", "GB": "1e9", "TB": "1e12"}  # fmt: skip
"""What bytes are divided by to be of a unit."""
PERIODS = {"month", "quarter", "year"}


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
    clock: Column | None = None,
) -> Line:
    """The line of a contract column for which an own column was found.

    Args:
        contract: of the lake table.
        name: the contract column's.
        found: contract column → own column.
        written: how the source's values are written.
        bytes_unit: that bytes are converted to.
        clock: a column of times of day, for a day that has none.
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
        start = found["starts_on"].column if "starts_on" in found else None
        sql = end(column, start, written, remarks)
    elif kind in {"day", "instant"}:
        sql = moment(name, kind, match, written, clock, remarks)
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
            if all(re.fullmatch(r"\D*\d+", text) for text in texts):
                remarks.append(f"of that form: 'CUST-' || regexp_extract({own}, '[0-9]+')")
    if name == "metering":
        if other := {text for text in texts if text.lower() not in METERINGS}:
            remarks.append(f"{_few(sorted(other))}: has to be {', '.join(sorted(METERINGS))}")
        elif not set(texts) <= METERINGS:
            own = f"lower({own})"
        quantity = found.get("quantity")
        if quantity and (words := _limitless(quantity.column)):
            amount = reference(quantity.column)
            return f"CASE WHEN {amount} {words} THEN 'unlimited' ELSE {own} END"
    if name == "currency" and any(text != text.upper() for text in texts):
        return f"upper({own})"
    if name == "period" and (other := set(texts) - PERIODS):
        remarks.append(f"{_few(sorted(other))}: has to be month, quarter or year")
    return own


def _number(
    table: str, column: Column, own: str, written: Written, unit: str, remarks: list[str]
) -> str:
    if plain(column.name) == "unitamount" and column.kind is Kind.integer:
        remarks.append("it may be in cents")
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


def _limitless(column: Column) -> str:
    """How a value is compared with the words for no limit that a column has; '' without any."""
    found = sorted({text for text in column.texts if text.lower() in UNLIMITED})
    if len(found) > 1:
        return f"IN ({', '.join(map(literal, found))})"
    return f"= {literal(found[0])}" if found else ""


def _few(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (" …" if len(texts) > 3 else "")
