"""How the answers differ in two warehouses: who is in another band or status, and the money."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from consumption_datamart.schema.codes import ABSENT
from consumption_datamart.schema.reports import (
    ReportCommitments,
    ReportConsumptionDaily,
    ReportRenewals,
)
from consumption_datamart.warehouse import Warehouse


@dataclass(frozen=True)
class Move:
    """A customer whose band, or the status of whose commitment, differs.

    Attributes:
        what: `band` or `status`.
        customer: its id and name.
        product: its name; of a commitment with the entitlement.
        before: in the first warehouse; `absent` where it has no row.
        after: in the second.
    """

    what: str
    customer: str
    product: str
    before: str
    after: str


@dataclass(frozen=True)
class Money:
    """A sum in the reporting currency.

    Attributes:
        what: is summed up.
        before: in the first warehouse.
        after: in the second.
    """

    what: str
    before: float
    after: float


def moves(before: Warehouse, after: Warehouse) -> Iterator[Move]:
    """Customers whose band on the last day differs, and commitments whose status does."""
    day = ["day", "customer_id", "product_id"]
    yield from _moves("band", _last_day(before), _last_day(after), day)
    key = ["source", "entitlement_id", "customer_id", "product_id"]
    yield from _moves(
        "status", before.whole_rows(ReportCommitments), after.whole_rows(ReportCommitments), key
    )


def money(before: Warehouse, after: Warehouse) -> list[Money]:
    """Sums of the commitments in force, and of the renewals at risk."""
    first, second = _sums(before), _sums(after)
    return [Money(what, first[what], second[what]) for what in first]


def _moves(what: str, before: pd.DataFrame, after: pd.DataFrame, key: list[str]) -> Iterator[Move]:
    columns = [*key, "customer_name", "product_name", what]
    frames = [frame.reindex(columns=columns) for frame in (before, after)]
    both = frames[0].merge(frames[1], on=key, how="outer", suffixes=("_before", "_after"))
    for row in both.to_dict("records"):
        then, now = row[f"{what}_before"], row[f"{what}_after"]
        then, now = (ABSENT if pd.isna(each) else str(each) for each in (then, now))
        if then != now:
            side = "before" if now == ABSENT else "after"
            product = str(row[f"product_name_{side}"])
            if "entitlement_id" in row:
                product += f" ({row['entitlement_id']})"
            customer = f"{row['customer_id']} {row[f'customer_name_{side}']}"
            yield Move(what, customer, product, then, now)


def _sums(warehouse: Warehouse) -> dict[str, float]:
    commitments, renewals = (
        warehouse.whole_rows(ReportCommitments),
        warehouse.whole_rows(ReportRenewals),
    )
    at_risk = renewals[renewals.at_risk.astype(bool)]
    return {
        "value covered": float(commitments.annual_value_reporting.sum()),
        "unused value": float(commitments.unused_value.sum()),
        "overage value": float(commitments.overage_value.sum()),
        "value at risk": float(at_risk.annual_value_reporting.sum()),
    }


def _last_day(warehouse: Warehouse) -> pd.DataFrame:
    span = warehouse.span(ReportConsumptionDaily, "day")
    rows = warehouse.table(ReportConsumptionDaily)
    if span is None:
        return pd.DataFrame(columns=list(ReportConsumptionDaily.ibis_schema()))
    columns = ["day", "customer_id", "customer_name", "product_id", "product_name", "band"]
    return warehouse.fetch(rows.filter(rows.day == span.last).select(columns))
