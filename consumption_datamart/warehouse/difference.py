"""How a table that is stored differs from its model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import ibis


@dataclass(frozen=True)
class Difference:
    """What the columns of a stored table lack, or have too many.

    Attributes:
        added: columns that only the model has.
        dropped: columns that only the table has.
        retyped: column → its type in the table and in the model, where these differ.
        unguarded: required columns in which the engine would take nulls.
    """

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    retyped: Mapping[str, tuple[str, str]]
    unguarded: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.added or self.dropped or self.retyped)

    def __str__(self) -> str:
        """The columns that have another type."""
        return ", ".join(
            f"column {name} was {before} and is {now}"
            for name, (before, now) in self.retyped.items()
        )


def difference(found: ibis.Schema, wanted: ibis.Schema) -> Difference:
    """How a stored table differs from what it is to be; engines name precisions differently."""
    before, now = _types(found), _types(wanted)
    both = sorted(before.keys() & now.keys())
    return Difference(
        tuple(name for name in now if name not in before),
        tuple(name for name in before if name not in now),
        {name: (before[name], now[name]) for name in both if before[name] != now[name]},
        tuple(name for name in both if found[name].nullable and not wanted[name].nullable),
    )


def _types(schema: ibis.Schema) -> dict[str, str]:
    return {
        name: re.sub(r"timestamp\(\d\)", "timestamp", str(dtype.copy(nullable=True)))
        for name, dtype in schema.items()
    }
