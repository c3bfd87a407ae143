"""Evaluating checks on what is stored, without building anything."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from itertools import groupby

from consumption_datamart.checks.check import Check, Result
from consumption_datamart.checks.evaluation import evaluate
from consumption_datamart.planning import LakeNews, Node, pending
from consumption_datamart.schema.days import Days
from consumption_datamart.warehouse import Warehouse, read_ledger, rows_of


def evaluate_stored(
    warehouse: Warehouse,
    checks: Sequence[Check],
    last_days: int,
    nodes: Sequence[Node],
    today: date | None = None,
) -> list[Result]:
    """Evaluates checks on the tables as they are, in one query for each table.

    What awaits its refresh is not judged: it is about to be built anew. Nor is what was never
    built.

    Args:
        warehouse: where the tables are.
        checks: in any order.
        last_days: how many days of daily tables to look at, ending on the last that is reported.
        nodes: all tables that refresh themselves.
        today: the date; by default that of the clock, in UTC.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    ledger = read_ledger(warehouse)
    reported = ledger.reporting
    if reported is None:
        return []
    waiting = pending(nodes, ledger, LakeNews(days=reported))
    built = {
        name: {day: day in waiting.get(name, {}) for day in days}
        for name, days in ledger.published.items()
    }
    days = Days(reported.last - timedelta(days=last_days - 1), reported.last)

    def is_settled(check: Check) -> bool:
        """All that it reads was built, and the tables without days are up to date."""
        found = [
            (model, built.get(model.published_with(), {}))
            for model in {*check.reads.values(), check.model}
        ]
        return all(
            any(day is not None for day in of_table)
            if model.day_column()
            else of_table.get(None) is False
            for model, of_table in found
        )

    def is_current(result: Result) -> bool:
        of_table = built[result.check.model.published_with()]
        return result.day is None or of_table.get(result.day) is False

    settled = sorted(
        (check for check in checks if is_settled(check)), key=lambda check: check.model.full_name()
    )
    results: list[Result] = []
    with warehouse.reader() as backend:
        for _, of_table in groupby(settled, lambda check: check.model.full_name()):
            results += evaluate(
                list(of_table), warehouse.table, partial(rows_of, backend), days, today=today
            )
    return [result for result in results if is_current(result)]
