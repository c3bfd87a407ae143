"""What is asked of the mart, as small frames; of a mart of an earlier version what it has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import ibis
import pandas as pd

from consumption_datamart.schema.dimensions import DimAccount, DimProduct
from consumption_datamart.schema.raw import REPORTING_CURRENCY, Declarations
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Warehouse

Record = dict[str, Any]
MONEY = (
    "annual_value",
    "annual_value_reporting",
    "unused_value",
    "overage_value",
    "unit_price",
    "amount",
    "currency",
)
"""Columns that say what something costs, or in what."""


def of_day(warehouse: Warehouse, model: type[Table], day: date) -> pd.DataFrame:
    """The rows of a daily table of one day."""
    return warehouse.whole_rows(model, lambda rows: rows.day == ibis.literal(day))


def with_metering(frame: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Adds `unit` and `metering` of each row's product; null where it is not known."""
    return frame.merge(products[["product_id", "unit", "metering"]], on="product_id", how="left")


def products_of(warehouse: Warehouse) -> pd.DataFrame:
    """dim_product."""
    return warehouse.whole_rows(DimProduct)


def accounts_of(warehouse: Warehouse, day: date) -> pd.DataFrame:
    """The top of each customer's account tree as it was named on a day."""
    then = ibis.literal(day)
    return warehouse.whole_rows(
        DimAccount, lambda rows: (rows.valid_from <= then) & (rows.valid_to > then)
    )


def reporting_currency(warehouse: Warehouse) -> str | None:
    """The currency in which values are added up (spec, section 6); None: an earlier version."""
    found = warehouse.whole_rows(
        Declarations, lambda rows: rows.declaration == ibis.literal(REPORTING_CURRENCY)
    )
    return None if found.empty else str(found["value"].iloc[0])


def without_money(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows, of which no amount of money is known."""
    return frame.assign(**{name: None for name in MONEY if name in frame.columns})


def records(frame: pd.DataFrame) -> list[Record]:
    """Rows of plain values: days as dates, numbers as numbers, None for what is not there."""
    return [
        {name: _plain(value) for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def by(rows: Iterable[Record], column: str) -> Mapping[str, list[Record]]:
    """Rows by what a column has, in their order; nothing has none."""
    found: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, datetime):  # also what pandas makes of a date
        return value.date()
    return float(value) if isinstance(value, Decimal) else value
