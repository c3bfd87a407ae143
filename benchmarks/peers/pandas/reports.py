"""The reports."""

import numpy as np
import pandas as pd
from pandas import DataFrame

from benchmarks.peers.pandas.star import as_of_day

WINDOW = pd.Timedelta(30, "D")
OWNER = ["customer_id", "product_id"]


def report_consumption_daily(
    consumption: DataFrame, customers: DataFrame, products: DataFrame, days: pd.DatetimeIndex
) -> DataFrame:
    """Consumption over the 30 days ending each day."""
    rows = pd.concat([_sums(consumption, day) for day in days], ignore_index=True)
    rows = rows[(rows.entitled_30d > 0) | (rows.used_30d > 0)]
    return as_of_day(_with_band(rows), customers).merge(
        products[["product_id", "product_name"]], on="product_id"
    )


def report_active_customers_by_product_daily(
    usage: DataFrame, customers: DataFrame, products: DataFrame, days: pd.DatetimeIndex
) -> DataFrame:
    """Who used a product on any of the 30 days ending each day."""
    used = usage[usage.total_quantity > 0]
    found = [
        used.loc[(used.day > day - WINDOW) & (used.day <= day), OWNER]
        .drop_duplicates()
        .assign(day=day)
        for day in days
    ]
    return as_of_day(pd.concat(found, ignore_index=True), customers).merge(
        products[["product_id", "product_name"]], on="product_id"
    )


def report_renewals(
    terms: DataFrame,
    consumption: DataFrame,
    lines: DataFrame,
    customers: DataFrame,
    products: DataFrame,
    last_day: pd.Timestamp,
) -> DataFrame:
    """What is in force on the last day and ends within 90 days."""
    in_force = terms[(terms.valid_from <= last_day) & (terms.valid_to > last_day)]
    rows = in_force.assign(day=last_day, days_left=(in_force.ends_on - last_day).dt.days)
    rows = rows[(rows.quantity > 0) & (rows.days_left <= 90)]
    rows = as_of_day(rows.drop(columns=["valid_from", "valid_to"]), customers)
    rows = rows.merge(products[["product_id", "product_name"]], on="product_id")
    rows = rows.merge(_sums(consumption, last_day).drop(columns="day"), how="left", on=OWNER)
    rows = _with_band(rows.fillna({"entitled_30d": 0.0, "used_30d": 0.0}))
    yearly = (lines.amount / lines.term_months * 12).where(lines.term_months > 0)
    values = (
        lines.assign(annual_value=yearly)
        .groupby(["invoice_id", "product_id"], as_index=False)
        .agg(
            annual_value=("annual_value", lambda values: values.sum(min_count=1)),
            currency=("currency", "min"),
        )
    )
    rows = rows.merge(values, how="left", on=["invoice_id", "product_id"])
    return rows.assign(at_risk=rows.band.isin(["unused", "at_risk"]))


def _sums(consumption: DataFrame, day: pd.Timestamp) -> DataFrame:
    """Sums of the 30 days ending on a day, by customer and product."""
    window = consumption[(consumption.day > day - WINDOW) & (consumption.day <= day)]
    sums = window.groupby(OWNER, as_index=False).agg(
        entitled_30d=("entitled_quantity", "sum"), used_30d=("used_quantity", "sum")
    )
    return sums.assign(day=day)


def _with_band(rows: DataFrame) -> DataFrame:
    """Adds consumption_30d and its band."""
    ratio = (rows.used_30d / rows.entitled_30d).where(rows.entitled_30d > 0)
    rounded = ratio.round(9)
    conditions = [
        rows.entitled_30d == 0,
        rows.used_30d == 0,
        rounded >= 1.0,
        rounded >= 0.7,
        rounded >= 0.3,
    ]
    bands = ["unentitled", "unused", "over", "healthy", "low"]
    return rows.assign(consumption_30d=ratio, band=np.select(conditions, bands, "at_risk"))
