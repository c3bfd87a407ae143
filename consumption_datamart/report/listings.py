"""The tables of the report: narrowed, compared with another day, in order, cut off."""

from dataclasses import dataclass

import pandas as pd

from consumption_datamart.report.asked import Asked, View
from consumption_datamart.report.verdict import BANDS
from consumption_datamart.schema.codes import ABSENT

BEFORE = "_before"
"""Ends the names of columns that hold the figures of the day that is compared with."""


@dataclass(frozen=True)
class Listing:
    """One table.

    Attributes:
        by: the name of its view.
        rows: those that are shown, the first first.
        left_out: how many more there are.
    """

    by: str
    rows: pd.DataFrame
    left_out: int


def listing(
    by: str, view: View, asked: Asked, rows: pd.DataFrame, before: pd.DataFrame | None = None
) -> Listing:
    """The rows that are asked for.

    Args:
        by: the name of the view.
        view: which filters it takes; others are not looked at.
        asked: filters, and how many rows.
        rows: of the view's table, of the day or as of the last.
        before: those of the day to compare with. Then there are columns `consumption_before`, and
            `band_before` or `customers_before`, and rows that were there only then, with the band
            `absent` and without other figures. The greatest change of consumption comes first;
            what is absent has none.

    Returns:
        Without a comparison the highest consumption first, what has none last; commitments by the
        value that is unused, the greatest first, then by their end.
    """
    if before is not None:
        rows = compared(rows, before, view)
    if view.who is not None:
        rows = asked.of_customers(rows, *view.who)
    rows = _in_bands(asked.of_products(rows), asked)
    if "status" in view.filters and asked.statuses:
        rows = rows[rows["status"].isin(asked.statuses)]
    rows = _in_order(rows, view, is_compared=before is not None)
    shown = rows if asked.top is None else rows.head(asked.top)
    return Listing(by, shown.reset_index(drop=True), len(rows) - len(shown))


def compared(rows: pd.DataFrame, before: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows of a day with what was on another, and what was only then; see `listing`."""
    key = list(view.key)
    figures = ["consumption_30d", "band" if "band" in rows.columns else "customers"]
    names = [name for name in rows.columns if name.endswith("_name")]
    then = before[[*key, *names, *figures]].rename(
        columns={name: f"{name.removesuffix('_30d')}{BEFORE}" for name in [*names, *figures]}
    )
    both = rows.merge(then, on=key, how="outer")
    for name in names:
        both[name] = both[name].fillna(both[f"{name}{BEFORE}"])
    if "band" in rows.columns:
        both = both.fillna({"band": ABSENT, f"band{BEFORE}": ABSENT})
    if len(rows):
        both["day"] = rows["day"].iloc[0]
    return both.drop(columns=[f"{name}{BEFORE}" for name in names])


def _in_bands(rows: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Rows in one of the bands; of all customers: with any in one of them."""
    if not asked.bands:
        return rows
    if "band" in rows.columns:
        return rows[rows["band"].isin(asked.bands)]
    if set(BANDS) <= set(rows.columns):
        return rows[rows[list(asked.bands)].fillna(0).gt(0).any(axis=1)]
    return rows


def _in_order(rows: pd.DataFrame, view: View, *, is_compared: bool) -> pd.DataFrame:
    if is_compared:
        now, before = (
            rows[name].astype(float).fillna(0.0)
            for name in ("consumption_30d", f"consumption{BEFORE}")
        )
        figure = "band" if "band" in rows.columns else "customers"
        ranks = [-(now - before).abs(), rows[figure].eq(rows[f"{figure}{BEFORE}"])]
    elif "unused_value" in rows.columns:
        ranks = [-rows["unused_value"].astype(float).fillna(-1.0), rows["ends_on"]]
    else:
        ranks = [-rows["consumption_30d"].astype(float).fillna(-1.0)]
    order = rows.assign(**{f"_{n}": each for n, each in enumerate(ranks)})
    names = [f"_{n}" for n in range(len(ranks))]
    return order.sort_values([*names, *view.key], kind="stable").drop(columns=names)
