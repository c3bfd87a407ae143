"""Deciding what becomes of each row of a dump (spec, section 2), in one expression.

The contract's model gives types, required columns and rules; here they become SQL that runs in the
pass that reads the files.
"""

from collections.abc import Collection

import ibis
import ibis.expr.types as ir

from consumption_datamart.lake.sources import Source
from consumption_datamart.lake.values import is_converted, read, timezone
from consumption_datamart.schema.codes import flag
from consumption_datamart.schema.lake import Contract

PASSED_ON = ("own_text", "is_excluded")
"""Columns that only rows of configured sources have: they are passed on as they are."""


def text_column(name: str) -> str:
    """Name of the staged column that keeps a value's text where it was converted."""
    return f"text__{name}"


def converted(contract: type[Contract], rows: ir.Table) -> set[str]:
    """Columns of files whose values are not as the contract's types, or look otherwise as text."""
    return {
        name
        for name, dtype in contract.ibis_schema().items()
        if is_converted(rows[name].type(), dtype)
    }


def classify(source: Source, rows: ir.Table, as_text: Collection[str]) -> ir.Table:
    """Rows as the contract's types, with what is wrong with them.

    Args:
        source: whose rows they are.
        rows: as they are in the files, with dump_day, own_day and file.
        as_text: columns whose text is kept, too: those that are converted, and perhaps others.

    Returns:
        The same rows: the contract's columns in its types (null where unreadable, or blank; a text
        that must not be blank is as it is), the
        text of values that were converted, dump_day, file, and `reason`: the first quarantine
        reason that holds, but for duplicate_key; null for a good row. Of a source that cuts days in
        another zone `is_elsewhere` says that a row belongs to another day than dump_day.
    """
    contract = source.contract
    values, texts, unreadable, missing = {}, {}, [ibis.literal(False)], []
    for name, dtype in contract.ibis_schema().items():
        found = rows[name]
        values[name], was_blank = read(found, dtype, source.dialect)
        if name in contract.required():
            missing.append(was_blank)
        elif dtype.is_string():
            values[name] = was_blank.ifelse(ibis.null("string"), values[name])
        if name in as_text:
            text = found if found.type().is_string() else found.cast("string")
            texts[text_column(name)] = was_blank.ifelse(ibis.null("string"), text)
        if is_converted(found.type(), dtype):
            unreadable.append(values[name].isnull() & ~was_blank)
    more = [name for name in PASSED_ON if name in rows.columns]
    typed = rows.select(
        *more,
        **values,
        **texts,
        dump_day="dump_day",
        own_day="own_day",
        file="file",
        unreadable=ibis.or_(*unreadable),
        missing=ibis.or_(*missing),
    )
    broken = [~rule for rule in contract.rules(typed).values()]
    wrong_day = None
    if (moment := contract.moment(typed)) is not None:
        day = _day(moment, source.zone)
        if source.is_zoned:
            is_near = day.delta(typed.own_day, unit="day").abs() <= 1
            belongs = is_near.fill_null(False).ifelse(day, typed.own_day)
            typed = typed.mutate(is_elsewhere=belongs != typed.dump_day)
        wrong_day = contract.wrong_day(day, typed.dump_day)
    reason = ibis.cases(
        (typed.unreadable, "unreadable_value"),
        (typed.missing, "missing_value"),
        (ibis.or_(*broken), "out_of_range"),
        *([] if wrong_day is None else [(wrong_day, "wrong_day")]),
        else_=ibis.null("string"),
    )
    return typed.mutate(reason=reason).drop("unreadable", "missing", "own_day")


def flagged(contract: type[Contract], rows: ir.Table) -> ir.Table:
    """Classified rows with meta__warnings; not before they are chosen, as patterns are slow."""
    return rows.mutate(meta__warnings=flag(contract.flags(rows)))


def _day(moment: ir.Value, zone: str) -> ir.DateValue:
    """The calendar day of a date, or of a timestamp (UTC) in a zone."""
    if moment.type().is_date():
        return moment
    if zone == "UTC":
        return moment.date()
    return timezone(zone, moment.cast("timestamp('UTC')")).date()
