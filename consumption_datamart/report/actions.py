"""What is to be acted on, ranked by value and urgency."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import pandas as pd

from consumption_datamart.report import reasons
from consumption_datamart.report.reading import Record, records

SOON = timedelta(days=30)
"""A commitment that is used up within this is to be acted on now."""
KINDS = ("renewal", "exhausted", "over_use", "underused", "unentitled")
"""In the order of those that are as urgent and as valuable."""
UNDERUSED = ("underused", "at_risk", "unused")
"""Statuses of commitments that are worth less than is paid for them (spec, section 8)."""


@dataclass(frozen=True)
class Action:
    """One customer and product to act on.

    Attributes:
        kind: one of `KINDS`.
        customer_id: whom it is about.
        customer_name: as of the last day.
        product_id: what it is about.
        product_name: its name.
        entitlement_id: which entitlement; None: all of the customer and product.
        reason: why, in words.
        days: until it is too late, or until it takes effect; 0: now.
        annual_value: of the entitlement, in `currency`; None: not known.
        currency: its own.
        share: of the value that it is about: 1 is all of it.
        at_stake: that share of a year's value in the reporting currency; None: not known.
    """

    kind: str
    customer_id: str
    customer_name: str
    product_id: str
    product_name: str
    entitlement_id: str | None
    reason: str
    days: int
    annual_value: float | None
    currency: str | None
    share: float
    at_stake: float | None


def actions(
    consumption: pd.DataFrame,
    renewals: pd.DataFrame,
    commitments: pd.DataFrame,
    today: date,
    window_days: int,
) -> list[Action]:
    """All that is to be acted on, the first first; each entitlement and product once.

    What is used up comes before a renewal at risk of the same: little is used of it as nothing is
    left. A renewal at risk comes before the underuse that puts it at risk.

    Args:
        consumption: report_consumption_daily of the last day, with unit and metering.
        renewals: report_renewals.
        commitments: report_commitments.
        today: last_day.
        window_days: days of the last 30 that the mart has.
    """
    metering = dict(zip(consumption["product_id"], consumption["metering"], strict=True))
    terms = records(commitments)
    found: dict[tuple[object, ...], Action] = {}
    candidates = (
        *_exhausted(terms, today),
        *_at_risk(records(renewals), terms, metering),
        *_over(terms, today),
        *_underused(terms, today),
        *_without_commitment(records(consumption), terms, window_days),
    )
    for key, action in candidates:
        found.setdefault(key, action)
    return ranked(found.values())


def ranked(found: Iterable[Action]) -> list[Action]:
    """By value and urgency: the value at stake ÷ (1 + days left ÷ 30), the greatest first.

    So a value weighs half in 30 days, a third in 60. It is in the reporting currency; where there
    is no exchange rate an amount counts as it is, and where there is no value the median of the
    others does. What was used without an entitlement stands at the end: nothing says what it is
    worth. A negative value counts as 0.
    """
    every = list(found)
    stakes = [_stake(action) for action in every]
    known = [stake for stake in stakes if stake is not None]
    usual = median(known) if known else 1.0

    def order(ranked: tuple[Action, float | None]) -> tuple[object, ...]:
        action, stake = ranked
        weight = max(0.0, usual if stake is None else stake) / (1 + action.days / 30)
        ids = (action.customer_id, action.product_id, action.entitlement_id or "")
        is_last = action.kind == "unentitled"
        return (is_last, -weight, KINDS.index(action.kind), action.days, *ids)

    return [action for action, _ in sorted(zip(every, stakes, strict=True), key=order)]


def _stake(action: Action) -> float | None:
    if action.at_stake is not None:
        return action.at_stake
    return None if action.annual_value is None else action.share * action.annual_value


Candidates = Iterator[tuple[tuple[object, ...], Action]]


def _at_risk(rows: Sequence[Record], terms: Sequence[Record], of: dict[str, str]) -> Candidates:
    metering = {_key(row): row["metering"] for row in terms}
    for row in rows:
        if row["at_risk"]:
            told = reasons.renewal(row, metering.get(_key(row)) or of.get(row["product_id"]))
            yield _key(row), _action("renewal", row, told, row["days_left"])


def _exhausted(terms: Sequence[Record], today: date) -> Candidates:
    """What is at stake is the share of the value that is of the days after it is used up."""
    for row in terms:
        end = row["exhausts_on"]
        if row["status"] != "covered" and end is not None and end <= today + SOON:
            told, left = reasons.exhausted(row, today), max(0, (end - today).days)
            share = (row["ends_on"] - end).days / row["term_days"]
            yield _key(row), _action("exhausted", row, told, left, share)


def _over(terms: Sequence[Record], today: date) -> Candidates:
    for row in terms:
        if row["status"] == "overrunning":
            told, end = reasons.overrunning(row, today), row["exhausts_on"] or today
            left, share = max(0, (end - today).days), row["projected_pct"] - 1
            yield _key(row), _action("over_use", row, told, left, share)


def _underused(terms: Sequence[Record], today: date) -> Candidates:
    for row in terms:
        if row["status"] in UNDERUSED:
            told, share = reasons.underused(row, today), max(0.0, 1 - row["projected_pct"])
            yield _key(row), _action("underused", row, told, row["remaining_days"], share)


def _without_commitment(
    rows: Sequence[Record], terms: Sequence[Record], window_days: int
) -> Candidates:
    """Over-use of what has no commitment, as in a mart of an earlier version: of unknown value."""
    committed = {(row["customer_id"], row["product_id"]) for row in terms}
    kinds = {"over": "over_use", "unentitled": "unentitled"}
    for row in rows:
        pair = row["customer_id"], row["product_id"]
        if row["band"] in kinds and pair not in committed:
            told = reasons.used_beyond(row, window_days)
            yield pair, _action(kinds[row["band"]], row, told, 0)


def _key(row: Record) -> tuple[object, ...]:
    return row["source"], row["entitlement_id"], row["product_id"]


def _action(kind: str, row: Record, reason: str, days: int, share: float = 1.0) -> Action:
    value, in_reporting = row.get("annual_value"), row.get("annual_value_reporting")
    return Action(
        kind,
        row["customer_id"],
        row["customer_name"],
        row["product_id"],
        row["product_name"],
        row.get("entitlement_id"),
        reason,
        int(days),
        None if value is None else float(value),
        row.get("currency"),
        share,
        None if in_reporting is None else share * float(in_reporting),
    )
