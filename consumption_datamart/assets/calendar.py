"""Arithmetic with dates that every engine can do."""

import ibis
import ibis.expr.types as ir

FIRST_MONTH, LAST_MONTH = 12, 9999 * 12 + 11
"""January of the first year that a date can be of, and December of the last."""
FROM_ERA_TO_1970 = 719_468
"""Days from the first of March of the year 0, where the years of the calculation begin."""


def month_number(day: ir.DateValue) -> ir.IntegerValue:
    """The month of a day, counted from January of the year 0."""
    return (day.year() * 12 + day.month() - 1).cast("int64")


def in_month(month: ir.IntegerValue, day_of_month: ir.IntegerValue) -> ir.DateValue:
    """A day of a month, or the month's last where it is shorter; from 0001-01-01 to 9999-12-31.

    Args:
        month: as `month_number` counts them.
        day_of_month: from 1.
    """
    is_before, is_beyond = month < FIRST_MONTH, month > LAST_MONTH
    month = ibis.greatest(month, ibis.literal(FIRST_MONTH, "int64"))
    month = ibis.least(month, ibis.literal(LAST_MONTH, "int64"))
    year, of_year = month // 12, month % 12 + 1
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = ibis.cases(
        (of_year == 2, is_leap.ifelse(29, 28)),
        (of_year.isin([4, 6, 9, 11]), 30),
        else_=31,
    )
    day = ibis.cases((is_before, 1), (is_beyond, 31), else_=ibis.least(day_of_month, days))
    return ibis.date(year, of_year, day)


def with_date(rows: ir.Table, name: str, since_1970: ir.IntegerValue) -> ir.Table:
    """Adds a date by the number of its day since 1970-01-01; null where that is.

    By the years of 400 that the Gregorian calendar repeats itself in, counted from March.

    Args:
        rows: no two of which are the same.
        name: of the new column.
        since_1970: of the rows.
    """
    columns = rows.columns
    rows = in_steps(rows.mutate(_day=since_1970.cast("int64") + FROM_ERA_TO_1970))
    rows = in_steps(rows.mutate(_era=rows["_day"] // 146_097, _of_era=rows["_day"] % 146_097))
    of_era = rows["_of_era"]
    elapsed = of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096
    rows = in_steps(rows.mutate(_year=elapsed // 365))
    year = rows["_year"]
    of_year = rows["_of_era"] - (year * 365 + year // 4 - year // 100)
    rows = in_steps(rows.mutate(_of_year=of_year, _month=(of_year * 5 + 2) // 153))
    month = rows["_month"]
    is_early = month < 10
    date = ibis.date(
        rows["_year"] + rows["_era"] * 400 + is_early.ifelse(0, 1),
        is_early.ifelse(month + 3, month - 9),
        rows["_of_year"] - (month * 153 + 2) // 5 + 1,
    )
    is_null = rows["_day"].isnull()
    found = rows.mutate(**{name: is_null.ifelse(ibis.null("date"), date)})
    return found.select(*columns, name)  # drop would write them in any order


def in_steps(rows: ir.Table) -> ir.Table:
    """The rows, no two of which are the same, as a query of its own.

    Else what follows is put together with it as one expression, too deep for SQLite to read.
    """
    return rows.distinct()
