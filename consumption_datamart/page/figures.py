"""The five figures of the index, with their change where it can be known."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

import pandas as pd

from consumption_datamart.page.reading import Material
from consumption_datamart.report.actions import UNDERUSED
from consumption_datamart.report.amounts import counted, money
from consumption_datamart.schema.reports import RENEWAL_DAYS

AS_OF_LAST = "kept as of the last day only, so its change is not known"
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
        change: in 30 days, a difference of shares; None: not known.
        why: why no change is known; '' where it is.
        meaning: how it is defined.
    """

    key: str
    label: str
    value: float | None
    told: str
    more: str
    change: float | None
    why: str
    meaning: str


def figures(material: Material) -> list[Figure]:
    """Value covered, share consumed, value at risk, idle value and over-use value.

    Without money the numbers of commitments and renewals stand in their place.
    """
    commitments = material.report.listings["commitment"].rows
    renewals = material.renewals[material.renewals["at_risk"].astype(bool)]
    idle = commitments[commitments["status"].isin(UNDERUSED)]
    beyond = commitments[commitments["status"].isin(BEYOND)]
    of = _Values(material)
    return [
        of.figure(
            "covered",
            "Covered",
            commitments,
            "annual_value_reporting",
            "commitment",
            ("What {} are worth a year.", "all commitments in force"),
        ),
        _consumed(material),
        of.figure(
            "at_risk",
            f"At risk within {RENEWAL_DAYS} days",
            renewals,
            "annual_value_reporting",
            "renewal",
            (
                "What {} are worth a year.",
                f"renewals within {RENEWAL_DAYS} days whose consumption is below 30 % and that"
                " nothing of at least half the quantity takes over from",
            ),
        ),
        of.figure(
            "idle",
            "Idle",
            idle,
            "unused_value",
            "commitment",
            (
                "The share of the yearly value that {} will not have used in the end, at the rate"
                " of the last 30 days.",
                "commitments whose status is underused, at risk or unused",
            ),
        ),
        of.figure(
            "over_use",
            "Over-used",
            beyond,
            "overage_value",
            "commitment",
            (
                "The share of the yearly value by which {} will have been exceeded in the end, at"
                " the rate of the last 30 days.",
                "commitments whose status is overrunning or exhausted",
            ),
        ),
    ]


class _Values:
    def __init__(self, material: Material) -> None:
        self.is_priced = material.is_priced
        self.currency = material.report.verdict.currency or ""

    def figure(
        self,
        key: str,
        label: str,
        rows: pd.DataFrame,
        column: str,
        noun: str,
        meaning: tuple[str, str],
    ) -> Figure:
        number, (worth, of) = counted(len(rows), noun), meaning
        if not self.is_priced:
            how_many = f"The number of {of}."
            told = f"{len(rows):,}"
            return Figure(key, label, len(rows), told, number, None, AS_OF_LAST, how_many)
        known = rows[column].dropna().astype(float)
        value = fsum(known) if len(known) or rows.empty else None
        told = "unknown" if value is None else money(value, self.currency)
        unknown = len(rows) - len(known)
        more = f"{number}, {unknown:,} of unknown value" if unknown else number
        return Figure(key, label, value, told, more, None, AS_OF_LAST, worth.format(of))


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
    return Figure("consumed", "Share consumed", now, told, more, change, why, meaning)


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
