"""The star schema, daily grain."""

import numpy as np
import pandas as pd
from pandas import DataFrame

BEGINNING, END = pd.Timestamp("1900-01-01"), pd.Timestamp("2262-01-01")
"""pandas' moments end in 2262; what is still valid is written as 9999-12-31."""


def dim_day() -> DataFrame:
    """The calendar, 2020 to 2039."""
    days = DataFrame({"day": pd.date_range("2020-01-01", "2039-12-31")})
    parts, iso = days.day.dt, days.day.dt.isocalendar()
    return days.assign(
        day_of_week=iso.day,
        day_name=parts.day_name(),
        is_weekend=iso.day >= 6,
        iso_year=iso.year,
        iso_week=iso.week,
        month=parts.month,
        month_name=parts.month_name(),
        quarter=parts.quarter,
        year=parts.year,
        month_start=parts.to_period("M").dt.start_time,
    )


def dim_customer(invoices: DataFrame, entitlements: DataFrame, telemetry: DataFrame) -> DataFrame:
    """Customers and their names over time."""
    lines = invoices.sort_values(["invoice_date", "invoice_id", "line_number"])
    named = lines.drop_duplicates(["customer_id", "invoice_date"], keep="last")
    named = named[["customer_id", "customer_name", "invoice_date"]]
    before = named.groupby("customer_id").customer_name.shift()
    changes = named[named.customer_name != before]
    dates = changes.groupby("customer_id").invoice_date
    known = changes[["customer_id", "customer_name"]].assign(
        valid_from=changes.invoice_date.where(dates.shift().notna(), BEGINNING),
        valid_to=dates.shift(-1).fillna(END),
        meta__warnings="",
    )
    seen = set(entitlements.customer_id) | set(telemetry.customer_id)
    unknown = sorted(seen - set(invoices.customer_id))
    inferred = DataFrame(
        {
            "customer_id": unknown,
            "customer_name": unknown,
            "valid_from": BEGINNING,
            "valid_to": END,
            "meta__warnings": "unknown_customer",
        }
    )
    rows = pd.concat([known, inferred], ignore_index=True)
    return rows.assign(
        customer_key=rows.customer_id + "@" + rows.valid_from.dt.strftime("%Y-%m-%d"),
        is_current=rows.valid_to == END,
    )


def dim_product(invoices: DataFrame, entitlements: DataFrame, telemetry: DataFrame) -> DataFrame:
    """Products, and how their use is metered."""
    lines = invoices.sort_values(["invoice_date", "invoice_id", "line_number"])
    terms = entitlements.sort_values(["starts_on", "entitlement_id", "amendment"])
    terms = terms.groupby("product_id")
    rows = pd.concat(
        [
            lines.groupby("product_id").product_name.last(),
            terms[["unit", "metering"]].last(),
            (terms[["unit", "metering"]].nunique() > 1).any(axis=1).rename("is_conflicting"),
            telemetry.groupby("product_id").unit.min().rename("used_unit"),
        ],
        axis=1,
    ).reset_index(names="product_id")
    is_conflicting = rows.is_conflicting.eq(True)
    warnings = np.where(is_conflicting, "conflicting_metering;", "")
    warnings = warnings + np.where(rows.product_name.isna(), "never_invoiced", "")
    return DataFrame(
        {
            "product_id": rows.product_id,
            "product_name": rows.product_name.fillna(rows.product_id),
            "unit": rows.unit.fillna(rows.used_unit),
            "metering": rows.metering.fillna("capacity"),
            "meta__warnings": pd.Series(warnings).str.removesuffix(";"),
        }
    )


def dim_deployment(usage: DataFrame) -> DataFrame:
    """Deployments as they were last seen."""
    by_deployment = usage.groupby("deployment_id")
    last = usage[usage.day == by_deployment.day.transform("max")]
    names = ["customer_id", "product_id", "infrastructure"]
    moved = by_deployment.customer_id.nunique() > 1
    return pd.concat(
        [
            *(last.dropna(subset=[name]).groupby("deployment_id")[name].min() for name in names),
            by_deployment.day.agg(first_seen_on="min", last_seen_on="max"),
            pd.Series(np.where(moved, "moved_deployment", ""), moved.index, name="meta__warnings"),
        ],
        axis=1,
    ).reset_index(names="deployment_id")


def dim_entitlement(entitlements: DataFrame) -> DataFrame:
    """Amendments with the days on which they are in force."""
    rows = entitlements.sort_values(["entitlement_id", "amendment"], ascending=[True, False])
    by_entitlement = rows.groupby("entitlement_id").starts_on
    next_start = by_entitlement.cummin().groupby(rows.entitlement_id).shift()
    days = (rows.ends_on - rows.starts_on).dt.days
    daily = rows.quantity.where(rows.metering == "capacity", rows.quantity / days.replace(0, 1))
    rows = rows.assign(
        daily_quantity=daily,
        valid_from=rows.starts_on,
        valid_to=np.minimum(rows.ends_on, next_start.fillna(rows.ends_on)),
    )
    return rows[rows.valid_from < rows.valid_to]


def fact_invoice_line(invoices: DataFrame, customers: DataFrame) -> DataFrame:
    """Invoice lines with the customer as of their day."""
    lines = invoices.rename(columns={"invoice_date": "day"})
    lines = as_of_day(lines.drop(columns="customer_name"), customers)
    return lines.assign(amount=lines.quantity * lines.unit_price)


def fact_usage_daily(telemetry: DataFrame) -> DataFrame:
    """Usage of a product by a deployment on a day."""
    key = ["dump_day", "deployment_id", "customer_id", "product_id"]
    usage = telemetry.groupby(key, as_index=False).agg(
        total_quantity=("quantity", "sum"),
        peak_quantity=("quantity", "max"),
        event_count=("quantity", "size"),
    )
    named = telemetry.dropna(subset=["infrastructure"])
    least = named.groupby(key, as_index=False).infrastructure.min()
    return usage.merge(least, how="left", on=key).rename(columns={"dump_day": "day"})


def fact_entitlement_daily(terms: DataFrame, days: pd.DatetimeIndex) -> DataFrame:
    """What is entitled on each day."""
    found = []
    for day in days:
        in_force = terms[(terms.valid_from <= day) & (terms.valid_to > day)]
        sums = in_force.groupby(["customer_id", "product_id"], as_index=False).agg(
            entitled_quantity=("daily_quantity", "sum"),
            entitlement_count=("daily_quantity", "size"),
        )
        found.append(sums.assign(day=day))
    return pd.concat(found, ignore_index=True)


def fact_consumption_daily(entitled: DataFrame, usage: DataFrame, products: DataFrame) -> DataFrame:
    """What is used of what is entitled."""
    key = ["day", "customer_id", "product_id"]
    usage = usage.merge(products[["product_id", "metering"]], on="product_id")
    by_peak = usage.metering == "capacity"
    usage["used_quantity"] = usage.peak_quantity.where(by_peak, usage.total_quantity)
    used = usage.groupby(key, as_index=False).used_quantity.sum()
    rows = entitled.drop(columns="entitlement_count").merge(used, how="outer", on=key)
    rows = rows[(rows.entitled_quantity > 0) | rows.used_quantity.notna()]
    rows = rows.fillna({"entitled_quantity": 0.0, "used_quantity": 0.0})
    is_entitled = rows.entitled_quantity > 0
    return rows.assign(
        consumption_ratio=(rows.used_quantity / rows.entitled_quantity).where(is_entitled),
        meta__warnings=np.where(is_entitled, "", "unentitled_usage"),
    )


def as_of_day(rows: DataFrame, customers: DataFrame) -> DataFrame:
    """Rows with the customer's name and key as of their day."""
    columns = ["customer_id", "customer_name", "customer_key", "valid_from", "valid_to"]
    named = rows.merge(customers[columns], on="customer_id")
    named = named[(named.valid_from <= named.day) & (named.day < named.valid_to)]
    return named.drop(columns=["valid_from", "valid_to"])
