"""The five figures of the index, with their change where it can be known."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from math import fsum

import pandas as pd

from consumption_datamart.page.reading import Material
from consumption_datamart.report.actions import UNDERUSED
from consumption_datamart.report.amounts import counted, money
from consumption_datamart.schema.reports import RENEWAL_DAYS

NOT_KNOWN_THEN = "what was known then of renewals to come is not kept, so it is not known"
SINCE = "to the commitments in force 30 days before, by what is known and worth today"
TOO_YOUNG = "the mart has no day 30 days before"
NO_TELEMETRY = "no_telemetry"
BEYOND = ("overrunning", "exhausted")


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        key: its name for programs.
        label: its name for people.
        value: as it is: a share, an amount in the reporting currency, or a count; None: unknown.
        told: how it reads.
        more: what it is of.
        change: in 30 days, a difference of values; None: not known.
        moved: how the change reads; '' where it is not known.
        why: why no change is known, or what it is a change to.
        meaning: how it is defined.
    """

    key: str
    label: str
    value: float | None
    told: str
    more: str
    change: float | None
    moved: str
    why: str
    meaning: str


def figures(material: Material) -> list[Figure]:
    """Value covered, share consumed, value at risk, idle value and over-use value.

    Without money the numbers of commitments and renewals stand in their place.
    """
    renewals = material.renewals[material.renewals["at_risk"].astype(bool)]
    of = _Values(material)
    return [
        of.commitments(
            ("covered", "Covered", "annual_value_reporting"),
            None,
            ("What {} are worth a year.", "all commitments in force"),
        ),
        _consumed(material),
        of.figure(
            ("at_risk", f"At risk within {RENEWAL_DAYS} days", "annual_value_reporting"),
            renewals,
            "renewal",
            (
                "What {} are worth a year.",
                f"renewals within {RENEWAL_DAYS} days whose consumption is below 30 % and that"
                " nothing of at least half the quantity takes over from",
            ),
        ),
        of.commitments(
            ("idle", "Idle", "unused_value"),
            UNDERUSED,
            (
                "The share of the yearly value that {} will not have used in the end, at the rate"
                " of the last 30 days.",
                "commitments whose status is underused, at risk or unused",
            ),
        ),
        of.commitments(
            ("over_use", "Over-used", "overage_value"),
            BEYOND,
            (
                "The share of the yearly value by which {} will have been exceeded in the end, at"
                " the rate of the last 30 days.",
                "commitments whose status is overrunning or exhausted",
            ),
        ),
    ]


Named = tuple[str, str, str]
"""Key and label of a figure, and the column that it adds up."""


class _Values:
    """Sums of money; the numbers of rows, where there is none."""

    def __init__(self, material: Material) -> None:
        self.is_priced = material.is_priced
        self.currency = material.report.verdict.currency or ""
        self.now = material.report.listings["commitment"].rows
        self.before = material.committed_before

    def commitments(
        self, named: Named, statuses: Collection[str] | None, meaning: tuple[str, str]
    ) -> Figure:
        """Of commitments, of some statuses or of all, with its change."""

        def of(rows: pd.DataFrame) -> pd.DataFrame:
            return rows if statuses is None else rows[rows["status"].isin(statuses)]

        figure = self.figure(named, of(self.now), "commitment", meaning)
        if self.before is None:
            return replace(figure, why=TOO_YOUNG)
        before = self._value(of(self.before), named[-1])
        if figure.value is None or before is None:
            return replace(figure, why="no value is known")
        change = figure.value - before
        return replace(figure, change=change, moved=_signed(change, self._told), why=SINCE)

    def figure(
        self, named: Named, rows: pd.DataFrame, noun: str, meaning: tuple[str, str]
    ) -> Figure:
        """Of any rows, without a change."""
        (key, label, column), (worth, of) = named, meaning
        number, value = counted(len(rows), noun), self._value(rows, column)
        unknown = int(rows[column].isna().sum()) if self.is_priced else 0
        more = f"{number}, {unknown:,} of unknown value" if unknown else number
        means = worth.format(of) if self.is_priced else f"The number of {of}."
        told = "unknown" if value is None else self._told(value)
        return Figure(key, label, value, told, more, None, "", NOT_KNOWN_THEN, means)

    def _value(self, rows: pd.DataFrame, column: str) -> float | None:
        if not self.is_priced:
            return len(rows)
        known = rows[column].dropna().astype(float)
        return fsum(known) if len(known) or rows.empty else None

    def _told(self, value: float) -> str:
        return money(float(value), self.currency) if self.is_priced else f"{value:,}"


def _signed(change: float, told: Callable[[float], str]) -> str:
    """`+12 EUR`, `−12 EUR`."""
    return f"{'−' if change < 0 else '+'}{told(abs(change))}"


def _consumed(material: Material) -> Figure:
    now = mean_share(material.report.listings["customer"].rows)
    pairs = len(shares(material.report.listings["customer"].rows))
    before = None if material.before is None else mean_share(material.before)
    change = None if now is None or before is None else now - before
    why = "" if change is not None else TOO_YOUNG if material.before is None else "nothing before"
    told = "unknown" if now is None else f"{now * 100:.1f} %"
    more = f"mean of {counted(pairs, 'pair')} of customer and product"
    meaning = (
        "The mean, over pairs of a customer and a product with a limited entitlement, of what was"
        " used in 30 days as a share of what was entitled; more than all counts as all. Quantities"
        " of different units are not added up, and pairs without telemetry are left out."
    )
    moved = "" if change is None else _signed(change * 100, lambda each: f"{each:.1f} points")
    return Figure("consumed", "Share consumed", now, told, more, change, moved, why, meaning)


def mean_share(consumption: pd.DataFrame) -> float | None:
    """The mean of the shares; None: there are none."""
    found = shares(consumption)
    return None if found.empty else fsum(found) / len(found)


def shares(consumption: pd.DataFrame) -> pd.Series:
    """consumption_30d where it is known, each at most 1: a share of no telemetry says nothing."""
    known = consumption[consumption["band"] != NO_TELEMETRY]
    return known["consumption_30d"].dropna().astype(float).clip(upper=1.0)


def values_of_pairs(commitments: pd.DataFrame) -> Mapping[tuple[str, str], float]:
    """What the commitments of each customer and product are worth a year, where that is known."""
    known = commitments[commitments["annual_value_reporting"].notna()]
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    columns = ("customer_id", "product_id", "annual_value_reporting")
    for customer, product, value in zip(*(known[name] for name in columns), strict=True):
        found[customer, product].append(float(value))
    return {pair: fsum(values) for pair, values in found.items()}
