"""Reading a value of a file as the contract's type (spec, sections 2 and 6)."""

import re

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from consumption_datamart.lake.formats import Dialect
from consumption_datamart.schema.patterns import matches

WHITE = (
    "".join(map(chr, [*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200E)]))
    + "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""White space, also non-breaking and of no width: a text loses it at both ends."""
BLANK = "\\N"
BLANKS = ("NULL", "N/A", "#N/A")
"""What stands for no value; the latter in any letter case."""
STANDARD = Dialect()
DIGITS = r"(\d+\.?\d*|\.\d+)"
EXPONENT = r"([eE][+-]?\d+)?"
MOMENT = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z| UTC| ?[+-]\d{2}(:?\d{2})?)?)?"
"""How a value of a type is written; DuckDB alone would also take 0x1F, 1_000, epoch, 3.7 for 4.

Days and times have all their digits: 12:0 may be what is left of 12:05.
"""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def timezone(zone: str, moment: dt.Timestamp("UTC")) -> dt.timestamp:  # type: ignore[valid-type]
    """The local time of a point in time, in a time zone; DuckDB's own."""
    raise NotImplementedError  # the engine has it


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def epoch_ns(moment: dt.timestamp) -> int:
    """Nanoseconds since 1970; DuckDB's own."""
    raise NotImplementedError  # the engine has it


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def make_timestamp_ns(nanoseconds: int) -> dt.timestamp:
    """A point in time by the nanoseconds since 1970; DuckDB's own."""
    raise NotImplementedError  # the engine has it


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def trim(text: str, characters: str) -> str:
    """A text without some characters at both ends; DuckDB's own."""
    raise NotImplementedError  # the engine has it


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def try_strptime(text: str, written: str) -> dt.timestamp:
    """A point in time by how it is written, null where it is not; DuckDB's own."""
    raise NotImplementedError  # the engine has it


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def ascii(text: str) -> int:
    """The number of a text's first character, 0 of an empty one; DuckDB's own."""
    raise NotImplementedError  # the engine has it


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # so Ibis has it
def array_extract(text: str, place: int) -> str:
    """The character of a text at a place; DuckDB's own, quicker than `right`."""
    raise NotImplementedError  # the engine has it


def is_converted(found: dt.DataType, dtype: dt.DataType) -> bool:
    """Whether a value may not be readable as the contract's type, or look otherwise as text."""
    same = found.copy(nullable=True) == dtype or (found.is_timestamp() and dtype.is_timestamp())
    return not dtype.is_string() and not same


def read(
    column: ir.Column, dtype: dt.DataType, dialect: Dialect = STANDARD
) -> tuple[ir.Column, ir.BooleanValue]:
    """A column of a file as the contract's type, and whether there is no value at all.

    Integers are whole numbers of 64 bits, decimals are rounded to their scale, timestamps with an
    offset are converted to UTC, and cut off at the microsecond.

    Args:
        column: as it is in the file.
        dtype: of the contract.
        dialect: how texts are written.

    Returns:
        The value is null where it cannot be read; a text that is blank is as it is.
    """
    found = column.type()
    if not found.is_string():
        if dtype.is_string():
            return column.cast("string"), column.isnull()
        return _converted(column, dtype), column.isnull()
    text, blank = _stripped(column), is_blank(column, dialect)
    if dtype.is_string():
        return text, blank
    return _parsed(text, dtype, dialect), blank


def _converted(column: ir.Column, dtype: dt.DataType) -> ir.Column:
    """A column that is no text as the contract's type, which is not text either."""
    found = column.type()
    if found.copy(nullable=True) == dtype:
        return column
    if found.is_timestamp() and found.scale == 9:  # a cast would round up, into the next day
        nanoseconds = epoch_ns(column)
        column = make_timestamp_ns(nanoseconds - nanoseconds % 1000)
    if dtype.is_integer() and found.is_numeric():
        whole = (column == column.floor()).ifelse(column, ibis.null())
        return whole.try_cast(dtype)
    if (dtype.is_temporal() and found.is_temporal()) or (dtype.is_numeric() and found.is_numeric()):
        return column.try_cast(dtype)
    return _parsed(column.cast("string"), dtype, STANDARD)


def _stripped(text: ir.StringColumn) -> ir.StringColumn:
    """Without white space at both ends; only what may have any is looked at closely."""
    first, last = ascii(text), array_extract(text, -1)
    suspect = (first < 33) | (first > 126) | (last < "!") | (last > "~")
    return suspect.ifelse(trim(text, WHITE), text)


def is_blank(text: ir.StringColumn, dialect: Dialect) -> ir.BooleanValue:
    """Whether a text, stripped or not, stands for no value; most are told by how they begin."""
    words = sorted({BLANK, *dialect.nulls})
    begins = {ord(each[0]) for word in [*BLANKS, *words] for each in (word, word.lower()) if word}
    first, stripped = ascii(text), trim(text, WHITE)
    is_word = stripped.upper().isin(BLANKS) | stripped.isin(["", *words])
    suspect = (first < 33) | (first > 126) | first.isin(sorted(begins))
    return text.isnull() | suspect.ifelse(is_word, False)


def _parsed(text: ir.StringColumn, dtype: dt.DataType, dialect: Dialect) -> ir.Column:
    """A stripped text as the contract's type; null where it is not written like one."""
    if dtype.is_numeric():
        return _number(text, dtype, dialect)
    written = dialect.timestamp_format if dtype.is_timestamp() else dialect.date_format
    if written is not None:
        return _by_format(text, dtype, written)
    text = matches(text, MOMENT).ifelse(text, ibis.null("string"))
    if dtype.is_timestamp():
        # DuckDB takes an offset only right behind the time
        text = text.replace(" +", "+").replace(" -", "-")
        return text.try_cast(dt.Timestamp("UTC")).cast(dtype)
    return text.try_cast(dtype)


def _by_format(text: ir.StringColumn, dtype: dt.DataType, written: str) -> ir.Column:
    """DuckDB's strptime gives UTC where the format has an offset."""
    return try_strptime(text, written).cast(dtype)


def _number(text: ir.StringColumn, dtype: dt.DataType, dialect: Dialect) -> ir.Column:
    if dtype.is_integer():
        pattern = r"[+-]?\d+(\.0*)?"
    elif dtype.is_floating():
        pattern = rf"(?i)([+-]?{DIGITS}{EXPONENT}|[+-]?(nan|inf|infinity))"
    else:
        pattern = rf"[+-]?{DIGITS}{EXPONENT}"
    if dialect.thousands or dialect.decimal != ".":
        text = _in_english(text, dialect)
    return matches(text, pattern).ifelse(text, ibis.null("string")).try_cast(dtype)


def _in_english(text: ir.StringColumn, dialect: Dialect) -> ir.StringColumn:
    """A number with a point for the decimal mark, and none for thousands; null if it is none."""
    decimal, thousands = re.escape(dialect.decimal), re.escape(dialect.thousands)
    grouped = rf"\d{{1,3}}({thousands}\d{{3}})+|" if thousands else ""
    pattern = rf"(?i)[+-]?(({grouped}\d*)({decimal}\d*)?{EXPONENT}|nan|inf|infinity)"
    is_number = matches(text, pattern)
    if dialect.thousands:
        text = text.replace(dialect.thousands, "")
    return is_number.ifelse(text.replace(dialect.decimal, "."), ibis.null("string"))
