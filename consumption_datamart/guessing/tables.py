"""Which lake table a group of files is."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from consumption_datamart.guessing.mapping import Match, contracts, matches
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.words import table_words

TELLING = {
    "invoices": ({"invoice_id", "unit_price", "currency", "invoice_date"}, 3),
    "entitlements": ({"starts_on", "ends_on", "entitlement_id", "quantity"}, 3),
    "telemetry": ({"event_ts", "quantity", "customer_id"}, 3),
}
"""Columns that tell a table from others, and how many of them there have to be."""
LEAST = 0.45


class Guess(NamedTuple):
    """A lake table that a group is taken for.

    Attributes:
        columns: contract column → own column.
        score: 0 to about 1.5.
        why: in a sentence.
    """

    table: str
    columns: Mapping[str, Match]
    score: float
    why: str


def table_of(pattern: str, columns: Sequence[Column]) -> Guess | None:
    """The lake table that fits best; None: none fits.

    Args:
        pattern: of the files' paths.
        columns: of the files.
    """
    names = table_words(pattern)
    guesses = []
    for table, contract in contracts().items():
        found = matches(contract, columns)
        required = contract.required()
        there = [name for name in required if name in found]
        by_columns = sum(min(1.0, found[name].score) for name in there) / len(required)
        hint = names.get(table, 0.0)
        if table in TELLING:
            telling, least = TELLING[table]
            is_it = len(telling & found.keys()) >= least and by_columns + 0.3 * hint >= LEAST
        else:  # a table of few columns is told by its folder alone
            is_it = pattern.startswith(f"{table}/") and len(there) == len(required)
        if not is_it:
            continue
        why = f"{len(there)} of {len(required)} required columns were found"
        why += ", and names in the path say so" if hint else ""
        guesses.append(Guess(table, found, by_columns + 0.3 * hint, why))
    return max(guesses, key=lambda guess: guess.score, default=None)
