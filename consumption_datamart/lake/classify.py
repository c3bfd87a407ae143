"""Deciding what becomes of each row of a dump (spec, section 2), in one expression.

The contract's model gives types, required columns and rules; here they become SQL that runs in the
pass that reads the files.
"""

from collections.abc import Collection

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from consumption_datamart.schema.codes import flag
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.patterns import matches

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
MOMENT = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)?)?"
READABLE = {
    dt.Int64: r"\s*[+-]?\d+(\.0*)?\s*",
    dt.Decimal: rf"\s*{NUMBER}\s*",
    dt.Float64: rf"(?i)\s*({NUMBER}|[+-]?(nan|inf|infinity))\s*",
    dt.Date: rf"\s*{MOMENT}\s*",
    dt.Timestamp: rf"\s*{MOMENT}\s*",
}
"""How a value of a type is written; DuckDB alone would also take 0x1F, 1_000, epoch, 3.7 for 4.

Days and times have all their digits: 12:0 may be what is left of 12:05.
"""


def text_column(name: str) -> str:
    """Name of the staged column that keeps a value's text where it was converted."""
    return f"text__{name}"


def converted(contract: type[Contract], source: ir.Table) -> set[str]:
    """Columns of files whose values are not as the contract's types, or look otherwise as text."""
    return {
        name
        for name, dtype in contract.ibis_schema().items()
        if _is_converted(source[name].type(), dtype)
    }


def classify(contract: type[Contract], source: ir.Table, as_text: Collection[str]) -> ir.Table:
    """Rows as the contract's types, with what is wrong with them.

    Args:
        contract: the lake table's contract.
        source: rows as they are in the files, with dump_day and file.
        as_text: columns whose text is kept, too: those that are converted, and perhaps others.

    Returns:
        The same rows: the contract's columns in its types (null where blank or unreadable), the
        text of values that were converted, dump_day, file, and `reason`: the first quarantine
        reason that holds, but for duplicate_key; null for a good row.
    """
    values, texts, unreadable = {}, {}, [ibis.literal(False)]
    for name, dtype in contract.ibis_schema().items():
        found = source[name]
        values[name] = value = read(found, dtype)
        if name in as_text:
            texts[text_column(name)] = read(found, dt.string)
        if _is_converted(found.type(), dtype):
            unreadable.append(value.isnull() & ~blank(found))
    typed = source.select(
        **values, **texts, dump_day="dump_day", file="file", unreadable=ibis.or_(*unreadable)
    )
    missing = ibis.or_(*(typed[name].isnull() for name in contract.required()))
    broken = [~rule for rule in contract.rules(typed).values()]
    wrong_day = contract.wrong_day(typed)
    reason = ibis.cases(
        (typed.unreadable, "unreadable_value"),
        (missing, "missing_value"),
        (ibis.or_(*broken), "out_of_range"),
        *([] if wrong_day is None else [(wrong_day, "wrong_day")]),
        else_=ibis.null("string"),
    )
    return typed.mutate(reason=reason).drop("unreadable")


def flagged(contract: type[Contract], rows: ir.Table) -> ir.Table:
    """Classified rows with meta__warnings; not before they are chosen, as patterns are slow."""
    return rows.mutate(meta__warnings=flag(contract.flags(rows)))


def _is_converted(found: dt.DataType, dtype: dt.DataType) -> bool:
    """Whether a value may not be readable as the contract's type, or look otherwise as text."""
    same = found.copy(nullable=True) == dtype or (found.is_timestamp() and dtype.is_timestamp())
    return not dtype.is_string() and not same


def blank(column: ir.Column) -> ir.BooleanValue:
    """Whether there is no value: null, or nothing but white space.

    White space sorts before "!": only what does is looked at closely.
    """
    if not column.type().is_string():
        return column.isnull()
    return column.isnull() | (column < "!").ifelse(column.strip() == "", False)


def read(column: ir.Column, dtype: dt.DataType) -> ir.Column:
    """A column of a file as the contract's type; null where it is blank or cannot be read.

    Integers are whole numbers of 64 bits, decimals are rounded to their scale, timestamps with an
    offset are converted to UTC.
    """
    found = column.type()
    if dtype.is_string():
        text = column if found.is_string() else column.cast("string")
        return blank(text).ifelse(ibis.null("string"), text)
    if found.copy(nullable=True) == dtype:
        return column
    if dtype.is_integer() and found.is_numeric():
        whole = (column == column.floor()).ifelse(column, ibis.null())
        return whole.try_cast(dtype)
    if (dtype.is_temporal() and found.is_temporal()) or (dtype.is_numeric() and found.is_numeric()):
        return column.try_cast(dtype)
    text = column if found.is_string() else column.cast("string")
    written = matches(text, READABLE[type(dtype)]).ifelse(text.strip(), ibis.null("string"))
    if dtype.is_integer():
        return written.try_cast(dtype)
    if dtype.is_timestamp():
        return written.try_cast(dt.Timestamp("UTC")).cast(dtype)
    return written.try_cast(dtype)
