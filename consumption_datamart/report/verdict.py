"""The answer in figures: customers by band, values, and what has changed in 30 days."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from consumption_datamart.report.amounts import money
from consumption_datamart.report.reading import records
from consumption_datamart.schema.codes import ABSENT

BANDS = ("over", "healthy", "low", "at_risk", "unused", "unentitled", "unlimited", "no_telemetry")
"""In the order in which they are told."""
LADDER = ("unused", "at_risk", "low", "healthy", "over")
"""Bands of which one is above another; the others are neither."""


@dataclass(frozen=True)
class Value:
    """What rows are worth a year.

    Attributes:
        rows: how many there are.
        reporting: Σ annual_value_reporting, in the reporting currency (spec, section 7); None:
            none of them has one.
        without_rate: Σ annual_value by currency, of rows whose currency has no exchange rate.
        unknown: rows without any value.
    """

    rows: int
    reporting: float | None
    without_rate: Mapping[str, float]
    unknown: int


@dataclass(frozen=True)
class Changes:
    """Pairs of a customer and a product by what has become of their band in 30 days.

    Attributes:
        up: into a band above: unused < at_risk < low < healthy < over.
        down: into a band below.
        new: that had no row in the report.
        gone: that have none any more.
        other: between bands of which none is above the other.
    """

    up: int
    down: int
    new: int
    gone: int
    other: int


@dataclass(frozen=True)
class Verdict:
    """The answer.

    Attributes:
        pairs: of a customer and a product, in the report's day.
        customers: among these.
        bands: band → pairs in it; all bands.
        currency: in which values are added up; None: an earlier version's mart does not say.
        covered: commitments in force on the last day; None: the mart does not have them.
        at_risk: renewals at risk within 90 days of the last day.
        changes: in the 30 days to the report's day; None: the mart does not reach so far back.
    """

    pairs: int
    customers: int
    bands: Mapping[str, int]
    currency: str | None
    covered: Value | None
    at_risk: Value
    changes: Changes | None


def verdict(
    consumption: pd.DataFrame,
    commitments: pd.DataFrame | None,
    renewals: pd.DataFrame,
    band_changes: pd.DataFrame | None,
    currency: str | None,
) -> Verdict:
    """Sums up (spec, sections 4, 7 and 8).

    Args:
        consumption: report_consumption_daily of the day.
        commitments: report_commitments; None: there is no such table.
        renewals: report_renewals.
        band_changes: report_band_changes of the day; None: it has no such day.
        currency: the reporting currency.
    """
    counts = consumption["band"].value_counts()
    return Verdict(
        pairs=len(consumption),
        customers=int(consumption["customer_id"].nunique()),
        bands={band: int(counts.get(band, 0)) for band in BANDS},
        currency=currency,
        covered=None if commitments is None else value_of(commitments),
        at_risk=value_of(renewals[renewals["at_risk"].astype(bool)]),
        changes=None if band_changes is None else changes(band_changes),
    )


def value_of(frame: pd.DataFrame) -> Value:
    """What rows with annual_value, currency and annual_value_reporting are worth a year."""
    known = frame["annual_value_reporting"].dropna()
    own: dict[str, float] = {}
    unknown = 0
    for row in records(frame[frame["annual_value_reporting"].isna()]):
        if row["annual_value"] is None or row["currency"] is None:
            unknown += 1
        else:
            own[row["currency"]] = own.get(row["currency"], 0.0) + float(row["annual_value"])
    reporting = None if known.empty else float(known.sum())
    return Value(len(frame), reporting, dict(sorted(own.items())), unknown)


def worth(value: Value, currency: str | None, rows: str) -> str:
    """`62,352 USD a year in 7 renewals, and 36,480 GBP without an exchange rate`.

    Args:
        value: what rows are worth.
        currency: the reporting currency; None: it is not known.
        rows: what they are.

    Returns:
        Nothing where there are no rows.
    """
    if not value.rows:
        return ""
    own = [money(amount, name) for name, amount in value.without_rate.items()]
    told = rows
    if value.reporting is not None and currency is not None:
        told = f"{money(value.reporting, currency)} a year in {rows}"
        told += f", and {' + '.join(own)} without an exchange rate" if own else ""
    elif own:
        told = f"{' + '.join(own)} a year in {rows}"
    if value.unknown:
        told += f"; {value.unknown:,} of unknown value"
    return told


def changes(frame: pd.DataFrame) -> Changes:
    """Counts the rows of report_band_changes by direction."""
    counts = dict.fromkeys(("up", "down", "new", "gone", "other"), 0)
    for before, now in zip(frame["band_before"], frame["band"], strict=True):
        counts[direction(before, now)] += 1
    return Changes(**counts)


def direction(before: str, now: str) -> str:
    """Where a band has moved: up, down, new, gone, or other: neither."""
    if before == ABSENT:
        return "new"
    if now == ABSENT:
        return "gone"
    if before not in LADDER or now not in LADDER or before == now:
        return "other"
    return "up" if LADDER.index(now) > LADDER.index(before) else "down"
