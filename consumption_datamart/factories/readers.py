"""Which columns of a table another one reads, be it only to filter or to join by them."""

import inspect
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from ibis.common.graph import Node

from consumption_datamart.factories.table_spec import DAYS, TableSpec
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.table import Table
from consumption_datamart.schema.versions import Change
from consumption_datamart.warehouse.changes import VALIDITY


def is_touched(reads: Collection[str] | None, changes: Sequence[Change]) -> bool:
    """Whether breaking changes concern who reads these columns; None: which is not known."""
    wrong = [each for each in changes if each.is_breaking]
    return any(each.column is None or reads is None or each.column in reads for each in wrong)


def columns_of_spec(
    spec: TableSpec, models: Mapping[str, type[Table]], table: str, changes: Sequence[Change]
) -> set[str] | None:
    """The columns that a table's function reads of another table, as it was and as it is.

    Args:
        spec: of the table.
        models: of all tables, by name.
        table: full name of the other.
        changes: of that; the columns that were removed are there, too.

    Returns:
        None, where it cannot be said: it reads a frame, or does not suit the columns at all.
    """
    name = next((name for name in spec.reads() if models[name].full_name() == table), None)
    if name is None:  # it only waits for it
        return set()
    if spec.columns.get(name):
        return {*spec.columns[name], *VALIDITY}
    asked = inspect.signature(spec.compute).parameters.values()
    if any(each.annotation is pd.DataFrame for each in asked):
        return None
    removed = {each.column: each.before for each in changes if each.what == "removed"}
    tables = {}
    for each in spec.inputs():
        schema = {**models[each].ibis_schema()}
        if each == name:
            schema |= {column: dt.dtype(old) for column, old in removed.items() if column and old}
        tables[each] = ibis.table(schema, name=models[each].full_name())
        if spec.columns.get(each):
            kept = [column for column in VALIDITY if column in schema]
            tables[each] = tables[each].select(*spec.columns[each], *kept)
    if spec.needs_days():
        tables[DAYS] = ibis.table(ReportingDay.ibis_schema(), name=ReportingDay.full_name())
    try:
        rows = spec.compute(**tables)
    except Exception:  # it does not suit the columns: so it reads one that is no more
        return None
    return columns_read(rows)[table] if isinstance(rows, ir.Table) else None


def columns_read(rows: ir.Table) -> Mapping[str, set[str]]:
    """Table → its columns that an expression cannot do without.

    Unlike the lineage of columns it has what rows are filtered, joined, grouped and sorted by.
    """
    found: dict[str, set[str]] = defaultdict(set)
    seen: set[tuple[ops.Relation, str]] = set()
    judged: set[ops.Relation] = set()

    def need(relation: ops.Relation, columns: Collection[str]) -> None:
        if isinstance(relation, ops.UnboundTable):
            found[relation.name].update(columns)
            return
        for column in columns:
            if (relation, column) not in seen:
                seen.add((relation, column))
                if isinstance(relation, ops.Set):
                    need(relation.left, [column])
                    need(relation.right, [column])
                elif column in relation.values:
                    follow(relation.values[column])
        if relation not in judged:
            judged.add(relation)
            for value in _conditions(relation):
                follow(value)
            is_union = isinstance(relation, ops.Union) and relation.distinct
            if is_union or isinstance(relation, ops.Distinct | ops.Intersection | ops.Difference):
                # whole rows are compared
                need(relation, list(relation.schema))

    def follow(value: ops.Value) -> None:
        for each in value.find((ops.Field, ops.Subquery), filter=ops.Value):
            if isinstance(each, ops.Field):
                need(each.rel, [each.name])
            else:
                need(each.rel, list(each.rel.schema))

    need(rows.op(), rows.columns)
    return found


def _conditions(relation: ops.Relation) -> Iterator[ops.Value]:
    """What decides on which rows a relation has, or in what order."""
    if isinstance(relation, ops.Project):
        return
    if isinstance(relation, ops.JoinChain):
        for link in relation.rest:
            yield from link.predicates
        return
    if isinstance(relation, ops.Aggregate):
        yield from relation.groups.values()
        return
    for name, argument in zip(relation.__argnames__, relation.__args__, strict=True):
        if name != "parent":
            yield from _values(argument)


def _values(argument: Any) -> Iterator[ops.Value]:
    if isinstance(argument, ops.Value):
        yield argument
    elif isinstance(argument, Mapping):
        for each in argument.values():
            yield from _values(each)
    elif isinstance(argument, Sequence) and not isinstance(argument, str | Node):
        for each in argument:
            yield from _values(each)
