"""The executives' report: the answer, what to act on, and the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pandas as pd

from consumption_datamart.errors import WarehouseError
from consumption_datamart.report import reading
from consumption_datamart.report.actions import Action, actions
from consumption_datamart.report.asked import VIEWS, Asked, View
from consumption_datamart.report.caveats import caveats
from consumption_datamart.report.listings import Listing, listing
from consumption_datamart.report.verdict import Verdict, verdict
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import ReportingDay
from consumption_datamart.schema.reports import (
    WINDOW_DAYS,
    ReportBandChanges,
    ReportCommitments,
    ReportConsumptionDaily,
    ReportRenewals,
)
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, warehouse_of


@dataclass(frozen=True)
class ExecutiveReport:
    """The answer first, then the tables.

    Attributes:
        day: that consumption is reported for.
        last_day: as of which renewals, commitments and what to act on are.
        compared: the day that the tables are compared with; None: with none.
        window_days: days of the 30 to the day that the mart has.
        verdict: the answer.
        actions: what to act on, the first first.
        listings: by the name of the view.
        only: customers and products that it is narrowed to, as they were asked for.
        as_of: when the state that it shows was released, or last published where each table is
            seen at once, in UTC; None: the warehouse does not say.
        caveats: what is wrong with it, a line each.
    """

    day: date
    last_day: date
    compared: date | None
    window_days: int
    verdict: Verdict
    actions: Sequence[Action]
    listings: Mapping[str, Listing]
    only: Sequence[str] = ()
    as_of: datetime | None = None
    caveats: Sequence[str] = ()


def executive_report(
    settings: Settings,
    asked: Asked | None = None,
    *,
    by_all: bool = False,
    is_priced: bool = True,
) -> ExecutiveReport:
    """Reads the report from the warehouse, of one state of it.

    Args:
        settings: where the warehouse is.
        asked: for what; by default all of the last day, by customer.
        by_all: all tables that the filters suit, not only the one that is asked for.
        is_priced: whether it has any money in it; without, what to act on is ranked by urgency.

    Raises:
        WarehouseError: the warehouse cannot be opened, is not built, or does not have a day.
        DatamartError: the table that is asked for does not take one of the filters.
    """
    warehouse = warehouse_of(settings).released()
    with warehouse.snapshot() as seen:
        return report_of(seen, settings, asked, by_all=by_all, is_priced=is_priced)


def report_of(
    warehouse: Warehouse,
    settings: Settings,
    asked: Asked | None = None,
    *,
    by_all: bool = False,
    is_priced: bool = True,
) -> ExecutiveReport:
    """The report of a state of the warehouse; see `executive_report`."""
    asked = asked or Asked()
    if not by_all:
        asked.require_fitting()
    period = _period(warehouse)
    day = asked.day or period.last
    for option, each in (("--day", day), ("--compare", asked.compare)):
        if each is not None and each not in period:
            raise WarehouseError(f"{option} {each}: the mart has {period}")
    if asked.compare is not None and asked.compare >= day:
        raise WarehouseError(f"--compare {asked.compare}: name a day before {day}")
    return _Reader(warehouse, asked, period, day, is_priced).report(
        [by for by, view in VIEWS.items() if not asked.refused(view)] if by_all else [asked.by],
        caveats(settings, day),
    )


def period_of(warehouse: Warehouse) -> Days | None:
    """The days that the mart has; None: it is empty.

    Raises:
        WarehouseError: the warehouse cannot be opened, or the mart is not built.
    """
    if not warehouse.exists(ReportingDay) or not warehouse.exists(ReportRenewals):
        raise WarehouseError(
            f"warehouse {warehouse.url}: the mart is not built; run consumption-datamart build"
        )
    return warehouse.span(ReportingDay, "day")


def _period(warehouse: Warehouse) -> Days:
    period = period_of(warehouse)
    if period is None:
        raise WarehouseError(
            f"warehouse {warehouse.url}: the mart is empty; its lake had no dumps of invoices,"
            " entitlements or telemetry"
        )
    return period


class _Reader:
    """Reads what is asked for, and puts the report together."""

    def __init__(
        self, warehouse: Warehouse, asked: Asked, period: Days, day: date, is_priced: bool
    ) -> None:
        self.warehouse, self.asked, self.period, self.day = warehouse, asked, period, day
        self.is_priced = is_priced
        self.products = reading.products_of(warehouse)

    def report(self, views: Sequence[str], told: Sequence[str]) -> ExecutiveReport:
        last, about = self.period.last, self._members().about
        today = self._daily(ReportConsumptionDaily, self.day)
        latest = today if self.day == last else self._daily(ReportConsumptionDaily, last)
        renewals = about(self._whole(ReportRenewals))
        commitments = about(self._whole(ReportCommitments))
        has_commitments = self.warehouse.exists(ReportCommitments)
        moved = self._changes()
        return ExecutiveReport(
            self.day,
            last,
            self.asked.compare,
            self._window(self.day),
            verdict(
                about(today),
                commitments if has_commitments else None,
                renewals,
                None if moved is None else about(moved),
                reading.reporting_currency(self.warehouse),
            ),
            actions(about(latest), renewals, commitments, last, self._window(last)),
            {by: self._listing(by, VIEWS[by]) for by in views},
            [*self.asked.customers, *self.asked.products],
            self.warehouse.as_of(),
            told,
        )

    def _members(self) -> Asked:
        """By account: what is asked for, with the customers that are in its trees."""
        if self.asked.by != "account" or not self.asked.customers:
            return self.asked
        tops = reading.accounts_of(self.warehouse, self.period.last)
        found = self.asked.of_customers(tops, "top_customer_id", "top_customer_name")
        return replace(self.asked, customers=[*found["customer_id"], *self.asked.customers])

    def _window(self, day: date) -> int:
        return min(WINDOW_DAYS, (day - self.period.first).days + 1)

    def _daily(self, model: type, day: date) -> pd.DataFrame:
        return reading.with_metering(reading.of_day(self.warehouse, model, day), self.products)

    def _whole(self, model: type[Table]) -> pd.DataFrame:
        rows = self.warehouse.whole_rows(model)
        return rows if self.is_priced else reading.without_money(rows)

    def _changes(self) -> pd.DataFrame | None:
        """Those of the day, if there is a day 30 days before it."""
        is_there = self.warehouse.exists(ReportBandChanges)
        if not is_there or (self.day - self.period.first).days < WINDOW_DAYS:
            return None
        return reading.of_day(self.warehouse, ReportBandChanges, self.day)

    def _listing(self, by: str, view: View) -> Listing:
        if not view.is_daily:
            return listing(by, view, self.asked, self._whole(view.model))
        before = None
        if self.asked.compare is not None:
            before = reading.of_day(self.warehouse, view.model, self.asked.compare)
        return listing(by, view, self.asked, self._daily(view.model, self.day), before)
