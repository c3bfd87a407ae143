"""Which days a change of a table without days shows on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.rows import day_of
from consumption_datamart.warehouse.transaction import Transaction

VALIDITY = ("valid_from", "valid_to")
"""Columns by which a row says on which days it holds; a row of a table without them always does."""
ONE = timedelta(days=1)
ALWAYS = (date(1900, 1, 1), date(9999, 12, 31))


def changes(before: ir.Table, now: ir.Table, columns: Sequence[str]) -> ir.Table:
    """Spans of days on which there are more, or fewer, rows of the same values than before.

    Args:
        before: the rows as they were.
        now: the rows as they are.
        columns: whose values count; none: all but the validity.

    Returns:
        The columns, and begins and ceases (exclusive) of each span.
    """
    values = list(columns) or [name for name in now.columns if name not in VALIDITY]
    bounds = ibis.union(_bounds(before, values, -1), _bounds(now, values, 1))
    steps = bounds.group_by(*values, "at").aggregate(step=bounds.step.sum())
    steps = steps.filter(steps.step != 0)
    in_order = ibis.window(group_by=values, order_by="at")
    until_now = ibis.window(group_by=values, order_by="at", preceding=None, following=0)
    spans = steps.mutate(
        begins=steps["at"],
        ceases=steps["at"].lead().over(in_order),
        surplus=steps.step.sum().over(until_now),
    )
    return spans.filter(spans.surplus != 0).select(*values, "begins", "ceases")


def _bounds(rows: ir.Table, values: Sequence[str], step: int) -> ir.Table:
    if all(name in rows.columns for name in VALIDITY):
        begins, ceases = (rows[name] for name in VALIDITY)
    else:
        begins, ceases = (ibis.literal(day) for day in ALWAYS)
    return ibis.union(
        rows.select(*values, at=begins, step=ibis.literal(step)),
        rows.select(*values, at=ceases, step=ibis.literal(-step)),
    )


def days_seen(
    transaction: Transaction, spans: ir.Table, daily: Mapping[type[Table], int]
) -> list[tuple[Grain, ir.Table, int]]:
    """Of daily tables the days on which a changed row has its like, with what changed about it.

    Rows are alike when all columns that the two tables share are equal; a table that shares none
    says nothing.

    Returns:
        For each daily table that says something: its grain; seen_on, begins, ceases; its window.
    """
    seen = []
    for model, window in daily.items():
        if transaction.lacks(model):  # nor is there yet what is made of it
            continue
        rows = transaction.slice(model)
        shared = [name for name in spans.columns if name in rows.columns]
        if shared:
            at = rows.select(*shared, seen_on=rows[model.day_column()]).distinct()
            like = at.inner_join(spans, shared)
            of_day = like.group_by("seen_on").aggregate(
                begins=like.begins.min(), ceases=like.ceases.max()
            )
            seen.append((model.grain(), of_day, window))
    return seen


def changed_days(
    transaction: Transaction,
    spans: ir.Table,
    seen: Sequence[tuple[Grain, ir.Table, int]],
    within: Days,
) -> set[date]:
    """The days on which a change shows: those of the spans, where it is seen at all.

    Args:
        transaction: to ask in.
        spans: of the changes.
        seen: what `days_seen` says.
        within: days that matter.
    """
    days: set[date] = set()
    for grain, rows, window in seen:
        for day, begins, ceases in _records(transaction, rows):
            until = min(grain.shift(day, window), ceases)
            days.update(Days(max(day, begins), until - ONE).each())
    if not seen:
        by_beginning = spans.group_by("begins").aggregate(ceases=spans.ceases.max())
        for begins, ceases in _records(transaction, by_beginning):
            days.update(Days(max(begins, within.first), min(ceases - ONE, within.last)).each())
    return {day for day in days if day in within}


def _records(transaction: Transaction, rows: ir.Table) -> Iterator[tuple[date, ...]]:
    for record in transaction.rows(rows):
        yield tuple(map(day_of, record))
