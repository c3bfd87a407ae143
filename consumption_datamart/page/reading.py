"""What the pages are made of: each table is read once, for all customers."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.errors import WarehouseError
from consumption_datamart.page import series
from consumption_datamart.page.earlier import commitments_on
from consumption_datamart.report import Asked, ExecutiveReport, report_of
from consumption_datamart.report.executive import period_of
from consumption_datamart.report.reading import of_day, products_of, without_money
from consumption_datamart.schema.dimensions import DimCustomer, DimDeployment
from consumption_datamart.schema.facts import FactConsumptionDaily, FactInvoiceLine, FactUsageDaily
from consumption_datamart.schema.lake import CONTRACTS
from consumption_datamart.schema.monitoring import Figure, Objective
from consumption_datamart.schema.raw import quarantine_of
from consumption_datamart.schema.reports import (
    WINDOW_DAYS,
    ReportActiveCustomersByProductDaily,
    ReportBandChanges,
    ReportConsumptionDaily,
    ReportPortfolioDaily,
    ReportRenewals,
)
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.trends import figures
from consumption_datamart.warehouse import Warehouse, warehouse_of

LINES = 8
"""Invoice lines of a customer that its page shows; it counts the others."""
TRIES = 3
NEEDED = (FactConsumptionDaily, FactUsageDaily, DimCustomer, ReportPortfolioDaily, ReportRenewals)


@dataclass(frozen=True)
class Material:
    """All that the pages show; frames have the columns of their tables, unless it is said.

    Attributes:
        report: verdict, what to act on and why, caveats, and the tables of all views.
        first_day: of the mart.
        is_priced: whether there is any money in it.
        before: report_consumption_daily of 30 days before; None: the mart does not reach so far.
        committed_before: commitments in force 30 days before last_day, as `earlier` has them; None:
            likewise.
        renewals: report_renewals.
        movements: report_band_changes of the day; None: likewise.
        objectives: monitoring.objective; None: nothing was measured yet.
        customers: dim_customer, the version of now.
        products: dim_product.
        usage: use over time of each customer and product.
        burned: likewise of each commitment.
        portfolio: report_portfolio_daily, every so many days.
        active: customers that used a product, on the same days: day, product_id, customers.
        deployments: dim_deployment, with `used_30d`: the sum of peaks (capacity) or totals.
        infrastructure: use in 30 days by product_id and infrastructure: `used_30d`.
        invoices: the last lines of each customer, with `lines`: how many there are.
        flagged: rows of 30 days by customer_id, product_id and meta__warnings: `days`.
        set_aside: rows in quarantine by lake_table and reason: `rows`.
        figures: what was recorded of publications, as `trends.figures` gives it; None: nothing.
    """

    report: ExecutiveReport
    first_day: date
    is_priced: bool
    before: pd.DataFrame | None
    committed_before: pd.DataFrame | None
    renewals: pd.DataFrame
    movements: pd.DataFrame | None
    objectives: pd.DataFrame | None
    customers: pd.DataFrame
    products: pd.DataFrame
    usage: series.Usage
    burned: series.Burned
    portfolio: pd.DataFrame
    active: pd.DataFrame
    deployments: pd.DataFrame
    infrastructure: pd.DataFrame
    invoices: pd.DataFrame
    flagged: pd.DataFrame
    set_aside: pd.DataFrame
    figures: pd.DataFrame | None


def read(settings: Settings, day: date | None, *, is_priced: bool) -> Material | None:
    """Reads everything, of one state of the mart: a release in the meantime lets it begin anew.

    Args:
        settings: where the warehouse is.
        day: to report consumption of; None: the last.
        is_priced: whether to read any money.

    Returns:
        None, if the mart is empty: its lake had no dumps.

    Raises:
        WarehouseError: the warehouse cannot be opened, is not built, or does not have the day; or
            an earlier version has built it.
    """
    released = warehouse_of(settings).released()
    with released.snapshot() as warehouse:
        return _settled(warehouse, settings, day, is_priced=is_priced)


def _settled(
    warehouse: Warehouse, settings: Settings, day: date | None, *, is_priced: bool
) -> Material | None:
    for _ in range(TRIES):
        seen, period = warehouse.as_of(), period_of(warehouse)
        if period is None:
            return None
        _require_columns(warehouse)
        asked = Asked(day=day)
        report = report_of(warehouse, settings, asked, by_all=True, is_priced=is_priced)
        found = _Reading(warehouse, report, period.first, is_priced).material()
        if warehouse.as_of() == seen:
            return found
    raise WarehouseError(f"warehouse {warehouse.url}: it is released again and again; try later")


def _require_columns(warehouse: Warehouse) -> None:
    with warehouse.reader() as backend:
        there = warehouse.tables(backend)
        for model in NEEDED:
            name = model.full_name()
            if name not in there or warehouse.difference(backend, model).added:
                raise WarehouseError(
                    f"warehouse {warehouse.url}: an earlier version has built {name}; run"
                    " consumption-datamart build"
                )


class _Reading:
    """One reading of all tables."""

    def __init__(
        self, warehouse: Warehouse, report: ExecutiveReport, first: date, is_priced: bool
    ) -> None:
        self.warehouse, self.report, self.first = warehouse, report, first
        self.day, self.is_priced = report.day, is_priced
        self.step = series.step(first, report.day)
        self.products = products_of(warehouse)

    def material(self) -> Material:
        warehouse, day = self.warehouse, self.day
        earlier = day - timedelta(days=WINDOW_DAYS)
        reaches = earlier >= self.first
        return Material(
            self.report,
            self.first,
            self.is_priced,
            of_day(warehouse, ReportConsumptionDaily, earlier) if reaches else None,
            self._committed_before(),
            self._priced(warehouse.whole_rows(ReportRenewals)),
            of_day(warehouse, ReportBandChanges, day) if reaches else None,
            warehouse.find(Objective),
            warehouse.whole_rows(DimCustomer, lambda rows: rows.is_current),
            self.products,
            series.usage(warehouse, self.first, day, self.step),
            series.burned(warehouse, self.report.last_day, self.step),
            warehouse.fetch(self._every_so_often(ReportPortfolioDaily)),
            self._active(),
            self._deployments(),
            self._infrastructure(),
            self._priced(self._invoices()),
            self._flagged(),
            self._set_aside(),
            figures(warehouse) if warehouse.exists(Figure) else None,
        )

    def _committed_before(self) -> pd.DataFrame | None:
        earlier = self.report.last_day - timedelta(days=WINDOW_DAYS)
        if earlier < self.first:
            return None
        return self._priced(commitments_on(self.warehouse, earlier))

    def _priced(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows if self.is_priced else without_money(rows)

    def _recent(self, model: type[Table]) -> ir.Table:
        """The rows of the 30 days."""
        recent = self.day - timedelta(days=WINDOW_DAYS - 1)
        rows = self.warehouse.table(model)
        return rows.filter(rows.day.between(ibis.literal(recent), ibis.literal(self.day)))

    def _every_so_often(self, model: type[Table]) -> ir.Table:
        """The rows of the days that are shown."""
        rows = self.warehouse.table(model)
        return rows.filter(series.is_shown(rows.day, self.day, self.step))

    def _active(self) -> pd.DataFrame:
        rows = self._every_so_often(ReportActiveCustomersByProductDaily)
        by_product = rows.group_by("day", "product_id").aggregate(customers=rows.count())
        return self.warehouse.fetch(by_product)

    def _used(self, *keys: str) -> pd.DataFrame:
        """Use in the 30 days, in the way that its product is metered."""
        rows = self._recent(FactUsageDaily)
        found = self.warehouse.fetch(
            rows.group_by(list(keys)).aggregate(
                peaks=rows.peak_quantity.sum(), totals=rows.total_quantity.sum()
            )
        )
        metering = self.products.set_index("product_id")["metering"]
        is_capacity = found["product_id"].map(metering) == "capacity"
        used = found["peaks"].where(is_capacity, found["totals"])
        return found.assign(used_30d=series.steady(used)).drop(columns=["peaks", "totals"])

    def _deployments(self) -> pd.DataFrame:
        keys = ["deployment_id", "customer_id", "product_id"]
        rows = self.warehouse.whole_rows(DimDeployment)
        return rows.merge(self._used(*keys), on=keys, how="left")

    def _infrastructure(self) -> pd.DataFrame:
        return self._used("product_id", "infrastructure").fillna({"infrastructure": "not told"})

    def _invoices(self) -> pd.DataFrame:
        rows = self.warehouse.table(FactInvoiceLine)
        latest = [rows.day.desc(), rows.invoice_id.desc(), rows.line_number]
        place = ibis.row_number().over(group_by=rows.customer_id, order_by=latest)
        lines = rows.count().over(group_by=rows.customer_id)
        rows = rows.mutate(place=place, lines=lines)
        return self.warehouse.fetch(
            rows.filter(rows.place < LINES).order_by("customer_id", "place")
        )

    def _flagged(self) -> pd.DataFrame:
        rows = self._recent(FactConsumptionDaily)
        rows = rows.filter(rows.meta__warnings != "")
        keys = ["customer_id", "product_id", "meta__warnings"]
        return self.warehouse.fetch(rows.group_by(keys).aggregate(days=rows.count()).order_by(keys))

    def _set_aside(self) -> pd.DataFrame:
        parts = []
        for contract in CONTRACTS:
            rows = self.warehouse.table(quarantine_of(contract))
            counted = rows.group_by("reason").aggregate(rows=rows.count())
            found = self.warehouse.find(quarantine_of(contract), counted)
            if found is not None:
                parts.append(found.assign(lake_table=contract.table_name()))
        return pd.concat(parts, ignore_index=True)
