"""What the mart's own tables tell of its assets: `build` writes them without Dagster, too."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.governance.evidence import CheckState, Evidence, Made
from consumption_datamart.schema.alerts import SIGNALS
from consumption_datamart.schema.monitoring import AwaitedDay, CheckResult, FailedDay, Figure
from consumption_datamart.schema.raw import Dumps
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse


@dataclass(frozen=True)
class OfMart:
    """What the mart tells.

    Attributes:
        tables: by full name.
        sources: day of the last dump of each source, by lake table and source.
        open: alerts that are open: what each is about, and the sentence.
    """

    tables: Mapping[str, Evidence]
    sources: Mapping[tuple[str, str], date]
    open: Mapping[tuple[str, str], str]


def read_mart(warehouse: Warehouse, table: str | None = None, last: int = 1) -> OfMart:
    """What the mart tells of all its tables, or of one.

    Args:
        warehouse: as readers see it.
        table: full name of the only table that is asked for.
        last: how many materializations of each table.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse.is_there():
        return OfMart({}, {}, {})
    with warehouse.reader() as backend:
        there = warehouse.tables(backend)

        def rows(model: type[Table], expression: ir.Table, name: str | None = None) -> list[Any]:
            if model.full_name() not in there:
                return []
            if name and table:
                expression = expression.filter(expression[name] == table)
            return list(backend.to_pandas(expression).itertuples(index=False))

        made = rows(Figure, _publications(warehouse.table(Figure), table, last))
        checks = rows(CheckResult, _last_results(warehouse.table(CheckResult), table))
        failed = rows(FailedDay, _counted(warehouse.table(FailedDay), "failed"), "table")
        awaited = rows(AwaitedDay, _counted(warehouse.table(AwaitedDay), "awaiting"), "table")
        dumps = rows(Dumps, _last_dumps(warehouse.table(Dumps)))
        written = [
            (model, rows(model, warehouse.table(model).aggregate(at=ibis._[column].max())))
            for model, column in ((Figure, "published_at"), (CheckResult, "evaluated_at"))
        ]
    by_table: dict[str, list[Made]] = defaultdict(list)
    for row in made:
        by_table[row.built_table].append(_made(row))
    names = {*by_table, *(row.table for row in failed), *(row.checked_table for row in checks)}
    fails, waits = {row.table: row for row in failed}, {row.table: row.periods for row in awaited}
    states: dict[str, dict[str, CheckState]] = defaultdict(dict)
    for row in checks:
        states[row.checked_table][row.check_name] = _state(row)
    found = {
        name: Evidence(
            by_table[name],
            _failure(fails[name]) if name in fails else None,
            states[name],
            awaiting=int(waits.get(name, 0)),
        )
        for name in names
    }
    # these two are written by whatever is published
    found |= {
        model.full_name(): Evidence([Made(pd.Timestamp(row.at).to_pydatetime())])
        for model, last_rows in written
        for row in last_rows
        if not pd.isna(row.at)
    }
    sources = {(row.lake_table, row.source): pd.Timestamp(row.day).date() for row in dumps}
    return OfMart(found, sources, open_alerts(warehouse))


def open_alerts(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    """What each open alert says, by signal and subject."""
    known = AlertStore(warehouse).alerts().values()
    return {
        (each.signal, each.subject): f"{each.state.value}, {SIGNALS[each.signal]}: {each.summary}"
        for each in known
        if each.is_open
    }


def _publications(figures: ir.Table, table: str | None, last: int) -> ir.Table:
    """The last publications of each table, the earliest first."""
    rows = figures.filter(figures.figure.isin(["rows", "seconds"]))
    rows = rows if table is None else rows.filter(rows.built_table == table)
    if last == 1:  # without this all that was ever published would be summed up
        newest = rows.published_at.max().over(group_by=rows.built_table)
        rows = rows.mutate(newest=newest).filter(lambda t: t.published_at == t.newest)
    found = rows.group_by("built_table", "published_at").aggregate(
        rows=rows.number.sum(where=rows.figure == "rows"),
        seconds=rows.number.sum(where=rows.figure == "seconds"),
        days=rows.built_day.nunique(),
    )
    place = ibis.row_number().over(group_by=found.built_table, order_by=found.published_at.desc())
    return found.mutate(place=place).filter(lambda t: t.place < last).order_by("published_at")


def _last_results(results: ir.Table, table: str | None) -> ir.Table:
    """Of each check what it said of the days that were last looked at, the worst day first."""
    rows = results if table is None else results.filter(results.checked_table == table)
    newest = rows.evaluated_at.max().over(group_by=[rows.checked_table, rows.check_name])
    latest = rows.mutate(newest=newest).filter(lambda t: t.evaluated_at == t.newest)
    order = [latest.passed, latest.measured.desc(), latest.checked_day.desc()]
    keys = [latest.checked_table, latest.check_name]
    ranked = latest.mutate(
        place=ibis.row_number().over(group_by=keys, order_by=order),
        failing=(~latest.passed).ifelse(1, 0).sum().over(group_by=keys),
    )
    return ranked.filter(ranked.place == 0)


def _counted(rows: ir.Table, prefix: str) -> ir.Table:
    own = rows.select(table=rows[f"{prefix}_table"], day=rows[f"{prefix}_day"]).distinct()
    return own.group_by("table").aggregate(
        periods=own.count(), first=own.day.min(), last=own.day.max()
    )


def _last_dumps(dumps: ir.Table) -> ir.Table:
    there = dumps.filter(dumps.files > 0)
    return there.group_by("lake_table", "source").aggregate(day=there.dump_day.max())


def _made(row: Any) -> Made:
    at: datetime = pd.Timestamp(row.published_at).to_pydatetime()
    rows = None if pd.isna(row.rows) else float(row.rows)
    seconds = None if pd.isna(row.seconds) else float(row.seconds)
    return Made(at, rows, seconds, int(row.days) or None)


def _state(row: Any) -> CheckState:
    passed, at = bool(row.passed), pd.Timestamp(row.evaluated_at).to_pydatetime()
    is_blocking = row.severity == "error"
    return CheckState(
        row.check_name, passed, is_blocking, "" if passed else " ".join(_told(row)), at
    )


def _told(row: Any) -> Iterator[str]:
    yield row.check_name
    if not pd.isna(row.checked_day):
        yield f"on {row.checked_day:%Y-%m-%d}"
    is_measured = not pd.isna(row.measured) and not pd.isna(row.threshold)
    yield f"has {row.measured:g} where {row.threshold:g} may be" if is_measured else "fails"
    if row.failing > 1:
        yield f"and fails on {row.failing - 1} more"


def _failure(row: Any) -> str:
    if pd.isna(row.first):
        return "its last refresh has failed"
    days = f"{row.first:%Y-%m-%d}"
    days += f" … {row.last:%Y-%m-%d}" if row.first != row.last else ""
    return f"the last refresh of {days} has failed"
