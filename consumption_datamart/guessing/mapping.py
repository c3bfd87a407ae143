"""Which of a source's own columns is which contract column."""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import ibis.expr.datatypes as dt

from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.values import Kind
from consumption_datamart.guessing.words import UNITS, plain, synonyms, words_of
from consumption_datamart.schema.lake import REQUIRED, Contract

CURRENCIES = {"USD", "EUR", "GBP", "CHF", "JPY", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "AUD"}
METERINGS = {"capacity", "consumable", "unlimited"}
FITS: dict[str, dict[Kind, float]] = {
    "text": {Kind.text: 1, Kind.integer: 1, Kind.epoch: 0.8, Kind.empty: 0.7},
    "integer": {Kind.integer: 1, Kind.empty: 0.7, Kind.number: 0.3},
    "number": {Kind.integer: 1, Kind.number: 1, Kind.epoch: 0.8, Kind.empty: 0.7},
    "day": {Kind.day: 1, Kind.instant: 0.9, Kind.epoch: 0.6, Kind.empty: 0.7},
    "instant": {Kind.instant: 1, Kind.epoch: 1, Kind.day: 0.6, Kind.empty: 0.7},
}
"""How well values of a kind become values of a contract column's type."""


class Sureness(IntEnum):
    """How sure it is that a column is the right one."""

    guess = 1
    likely = 2
    sure = 3


class Match(NamedTuple):
    """An own column that is taken for a contract column.

    Attributes:
        score: 0 to about 1.5.
        why: in a few words.
    """

    column: Column
    score: float
    sureness: Sureness
    why: str


def matches(contract: type[Contract], columns: Sequence[Column]) -> dict[str, Match]:
    """For each contract column the own column that fits it best; each is taken once.

    Args:
        contract: of a lake table.
        columns: of the source.
    """
    table = contract.table_name()
    found = [
        (match.score, -index, -number, name, match)
        for index, (name, dtype) in enumerate(contract.ibis_schema().items())
        for number, column in enumerate(columns)
        if (match := _match(table, name, dtype, column)) is not None
    ]
    taken: dict[str, Match] = {}
    used: set[tuple[str, ...]] = set()
    for *_, name, match in sorted(found, key=lambda each: each[:3], reverse=True):
        if name not in taken and match.column.path not in used:
            taken[name] = match
            used.add(match.column.path)
    if table == "telemetry":
        rest = [column for column in columns if column.path not in used]
        for name, only in (("event_ts", _the_only_time), ("quantity", _the_only_number)):
            if name not in taken and (match := only(rest)) is not None:
                taken[name] = match
    return {name: taken[name] for name in contract.ibis_schema() if name in taken}


def type_of(dtype: dt.DataType) -> str:
    """The key in `FITS` of a contract column's type."""
    if dtype.is_string():
        return "text"
    if dtype.is_integer():
        return "integer"
    return "day" if dtype.is_date() else "instant" if dtype.is_timestamp() else "number"


def _match(table: str, name: str, dtype: dt.DataType, column: Column) -> Match | None:
    fit = FITS[type_of(dtype)].get(column.kind, 0)
    score, sureness, why = _by_name(table, name, column)
    by_values = _by_values(table, name, column)
    if score == 0 and by_values > 1:
        score, sureness, why = 0.5, Sureness.guess, "by its values"
    elif by_values > 1:
        why = f"{why}, and its values fit"
    if sureness is Sureness.sure and column.kind is not Kind.nested:
        fit = max(fit, 0.6)  # bad values are for the quarantine to tell
    score *= fit * by_values
    return Match(column, score, sureness, why) if score > 0.2 else None


def _by_name(table: str, name: str, column: Column) -> tuple[float, Sureness, str]:
    known = synonyms(table, name)
    full, last = plain(column.name), plain(column.path[-1])
    if full == known[0] and len(column.path) == 1:
        return 1.3, Sureness.sure, "its own name"
    for candidate, worth in ((full, 1.0), (last, 0.8)):
        if candidate in known:
            # a lone id in a struct may be of anything
            if len(column.path) > 1 and candidate == last and last in {"id", "name", "key"}:
                continue
            return worth - known.index(candidate) / 200, Sureness.likely, "a usual name"
    words = words_of(column.name)
    parts = {"".join(words[:n]) for n in range(1, len(words))}
    parts |= {"".join(words[n:]) for n in range(1, len(words))}
    ranks = [known.index(part) for part in parts if part in known and len(part) > 2]
    if ranks:
        return 0.55 - min(ranks) / 200, Sureness.guess, "by a part of its name"
    return 0, Sureness.guess, ""


def _by_values(table: str, name: str, column: Column) -> float:
    """More than 1 where values speak for a column, less where they speak against it."""
    texts = column.texts
    if not texts:
        return 1
    distinct = set(texts)
    if name == "metering":
        return 1.4 if {text.lower() for text in distinct} <= METERINGS else 0.7
    if name == "currency":
        is_code = all(re.fullmatch("[A-Za-z]{3}", text) for text in distinct)
        return 1.3 if {text.upper() for text in distinct} <= CURRENCIES else 1 if is_code else 0.3
    if name == "unit":
        return 1 if column.kind is Kind.text else 0.3
    if name == "customer_id":
        return 1.3 if all(re.fullmatch(r"CUST-\d+", text) for text in distinct) else 1
    if table == "telemetry" and name == "event_id":  # the key is one within its day
        return 1 if len(set(column.values)) > 0.9 * len(texts) else 0.4
    if name == "event_ts" and column.kind is Kind.instant:
        return 1.2
    if name == "line_number":
        return 1 if all(len(text) <= 6 for text in distinct) else 0.5
    return 1


def _the_only_time(columns: Sequence[Column]) -> Match | None:
    times = [column for column in columns if column.kind in {Kind.instant, Kind.epoch}]
    return Match(times[0], 0.3, Sureness.guess, "the only time") if len(times) == 1 else None


def _the_only_number(columns: Sequence[Column]) -> Match | None:
    numbers = [column for column in columns if column.kind in {Kind.integer, Kind.number}]
    by_unit = [column for column in numbers if set(words_of(column.name)) & UNITS.keys()]
    for candidates, why in ((by_unit, "its name has a unit"), (numbers, "the only number left")):
        if len(candidates) == 1:
            return Match(candidates[0], 0.3, Sureness.guess, why)
    return None


def contracts() -> Mapping[str, type[Contract]]:
    """The lake tables that a source is guessed of, by name."""
    return {contract.table_name(): contract for contract in REQUIRED}
