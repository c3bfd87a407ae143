"""Where alerts outlast restarts: two tables, beside the mart."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.alerts.machine import Alert, State, Transition
from consumption_datamart.schema import alerts as stored
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse, audit

Key = tuple[str, str]
"""Signal and subject."""


class AlertStore:
    """The alerts and their history, where a warehouse keeps its operations."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Nothing is read yet."""
        self.warehouse, self.before = warehouse.operations(), warehouse

    def alerts(self) -> dict[Key, Alert]:
        """All that is known, by signal and subject."""
        return {
            (row.signal, row.subject): Alert(
                row.signal,
                row.subject,
                State(row.state),
                int(row.level),
                pd.Timestamp(row.since).to_pydatetime(),
                row.summary,
            )
            for row in self._frame(stored.Alert).itertuples()
        }

    def history(self) -> pd.DataFrame:
        """Every transition, the latest first: a row each, columns as the model has them."""
        rows = self._frame(stored.AlertTransition)
        return rows.sort_values("crossed_at", ascending=False, kind="stable", ignore_index=True)

    def pending(self) -> pd.DataFrame:
        """The transitions that somebody is still to be told of, the earliest first."""
        found = self._frame(
            stored.AlertTransition, lambda rows: rows.filter(rows.undelivered != "")
        )
        return found.sort_values("crossed_at", kind="stable", ignore_index=True)

    def evaluated_at(self) -> datetime | None:
        """When alerts were last evaluated, in UTC; None: never, as far as is written down."""
        found = self.warehouse.find(stored.AlertEvaluation)
        if found is None or found.empty:
            return None
        at: datetime = pd.Timestamp(found.evaluated_at[0]).to_pydatetime()
        return at

    def turn(self) -> AbstractContextManager[None]:
        """One process at a time evaluates and tells: else two would tell the same.

        Raises:
            WarehouseError: the warehouse cannot be opened, or another does not come to an end.
        """
        self.before.exists(stored.Alert)  # beside what cannot be read nothing is made
        return self.warehouse.turn()

    def write(
        self, alerts: Collection[Alert], transitions: Sequence[tuple[Transition, Collection[str]]]
    ) -> None:
        """Replaces what is known, and adds to the history, at once.

        Args:
            alerts: all of them.
            transitions: new ones, each with the routes that are to be told of it.
        """
        known = [asdict(alert) | {"state": alert.state.value} for alert in alerts]
        added = [
            asdict(transition.alert)
            | {
                "crossed_at": transition.alert.since,
                "state_before": transition.before.value,
                "state": transition.alert.state.value,
                "reading": transition.reading,
                "undelivered": ",".join(sorted(routes)),
            }
            for transition, routes in transitions
        ]
        moved = None if self.warehouse.exists(stored.AlertTransition) else self.history()
        with self.warehouse.transaction(stored.ALERTS) as transaction:
            transaction.clear(stored.Alert)
            transaction.append(stored.Alert, _values(stored.Alert, known))
            transaction.upgrade(stored.AlertTransition)
            before = [] if moved is None else moved.to_dict("records")
            rows = _values(stored.AlertTransition, [*before, *added])
            transaction.append(stored.AlertTransition, rows)
            for model in (stored.Alert, stored.AlertTransition):
                audit(transaction, model)

    def mark_evaluated(self, at: datetime) -> None:
        """Writes down that alerts are as they are as of then.

        Args:
            at: in UTC, without a time zone.

        Raises:
            WarehouseError: the warehouse cannot be written to.
        """
        with self.warehouse.transaction(stored.ALERTS) as transaction:
            transaction.clear(stored.AlertEvaluation)
            transaction.append(stored.AlertEvaluation, [(at,)])

    def delivered(self, told: Mapping[str, Collection[tuple[datetime, str, str]]]) -> None:
        """Writes down who was told.

        Args:
            told: by route: crossed_at, signal and subject of the transitions.
        """
        waiting = self.pending()
        keys = list(zip(waiting.crossed_at, waiting.signal, waiting.subject, strict=True))
        left = [
            [route for route in routes.split(",") if route and key not in told.get(route, ())]
            for key, routes in zip(keys, waiting.undelivered, strict=True)
        ]
        waiting = waiting.assign(undelivered=[",".join(routes) for routes in left])
        with self.warehouse.transaction(stored.ALERTS) as transaction:
            rows = transaction.slice(stored.AlertTransition)
            transaction.delete(stored.AlertTransition, rows.undelivered != "")
            rows = _values(stored.AlertTransition, waiting.to_dict("records"))
            transaction.append(stored.AlertTransition, rows)

    def _frame(
        self, model: type[Table], choose: Callable[[ir.Table], ir.Table] = lambda rows: rows
    ) -> pd.DataFrame:
        """Rows of a table; earlier versions kept it in the mart."""
        for warehouse in (self.warehouse, self.before):
            found = warehouse.find(model, choose(warehouse.table(model)))
            if found is not None:
                return found
        return pd.DataFrame(columns=list(model.ibis_schema()))


def _values(
    model: type[Table], rows: Iterable[Mapping[Any, object]]
) -> Iterator[tuple[object, ...]]:
    """In the order of the model's columns."""
    return (tuple(row[name] for name in model.ibis_schema()) for row in rows)
