"""The columns of a table as a version, and what a change of them means to who reads them: pure."""

from collections.abc import Iterator
from typing import NamedTuple

import ibis.expr.datatypes as dt

from consumption_datamart.schema.table import Table


class ColumnState(NamedTuple):
    """A column, as readers see it.

    Attributes:
        name: of the column.
        type: as Ibis writes it.
        is_nullable: whether a row may have nothing in it.
        unit: that its figures are in; None: it has none.
        is_key: whether it is one of those that identify a row.
    """

    name: str
    type: str
    is_nullable: bool
    unit: str | None
    is_key: bool


class Version(NamedTuple):
    """The columns of a table.

    Attributes:
        columns: in the order of the model.
        grain: how much time a partition is about.
        frozen: number of what was agreed upon with its readers; None: it is not frozen.
    """

    columns: tuple[ColumnState, ...]
    grain: str
    frozen: int | None = None

    @property
    def key(self) -> str:
        """The columns that identify a row, in alphabetical order."""
        return " + ".join(sorted(each.name for each in self.columns if each.is_key))


class Change(NamedTuple):
    """A change between two versions.

    Attributes:
        column: that has changed; None: it is about the table.
        what: added, removed, type, null, unit, key, grain or frozen.
        before: as it was, where it was.
        now: as it is, where it is.
        is_breaking: whether what reads the column may fail, or be wrong.
    """

    column: str | None
    what: str
    before: str | None
    now: str | None
    is_breaking: bool

    def __str__(self) -> str:
        """What has changed, in a few words."""
        what = self.what if self.column is None else f"column {self.column}"
        if self.what == "added":
            return f"{what} added ({self.now})"
        if self.what == "removed":
            return f"{what} removed (was {self.before})"
        return f"{what} was {self.before or 'none'}, is {self.now or 'none'}"


class Reader(NamedTuple):
    """An asset that reads what has changed.

    Attributes:
        key: of the asset.
        owners: who answers for it.
        is_known: whether it is known which columns it reads; else it may be any.
    """

    key: str
    owners: tuple[str, ...]
    is_known: bool

    def __str__(self) -> str:
        """Its key and owners, and whether it may read other columns only."""
        about = [*self.owners, *([] if self.is_known else ["by which columns is not known"])]
        return f"{self.key} ({', '.join(about)})" if about else self.key


def version_of(model: type[Table]) -> Version:
    """The columns of a table as its model has them."""
    schema, required, key = model.ibis_schema(), model.required(), model.key()
    columns = tuple(
        ColumnState(name, str(schema[name]), name not in required, meaning.unit, name in key)
        for name, meaning in model.meanings().items()
    )
    return Version(columns, str(model.grain()), model.frozen())


def changes(before: Version, now: Version) -> list[Change]:
    """What has changed of a table; the order of columns does not count.

    Compatible are: a column that is added, one of a wider type of the same kind, one that is always
    filled now, a unit where none was told. All else breaks. A column that is renamed is removed and
    added.
    """
    return list(_changes(before, now))


def breaches(before: Version | None, now: Version) -> list[Change]:
    """The breaking changes that a frozen table does not take.

    Args:
        before: as it was last published; None: it was never seen.
        now: as it is to be published. Whoever raises its number of `frozen` agrees to all changes.
    """
    if before is None or before.frozen is None or now.frozen is None:
        return []
    if now.frozen > before.frozen:
        return []
    return [each for each in changes(before, now) if each.is_breaking]


def is_wider(before: str, now: str) -> bool:
    """Whether a type takes all values of another, and is of the same kind."""
    one, other = dt.dtype(before), dt.dtype(now)
    if isinstance(one, dt.Integer) and isinstance(other, dt.Integer):
        lower, upper = (
            other.bounds.lower <= one.bounds.lower,
            one.bounds.upper <= other.bounds.upper,
        )
        return bool(lower and upper)
    if isinstance(one, dt.Floating) and isinstance(other, dt.Floating):
        return bool(one.nbytes <= other.nbytes)
    if isinstance(one, dt.Decimal) and isinstance(other, dt.Decimal):
        (whole, scale), (whole_now, scale_now) = _digits(one), _digits(other)
        return whole <= whole_now and scale <= scale_now
    if isinstance(one, dt.Timestamp) and isinstance(other, dt.Timestamp):
        return one.timezone == other.timezone and (one.scale or 0) <= (other.scale or 0)
    return bool(one == other)


def _digits(number: dt.Decimal) -> tuple[int, int]:
    """How many a decimal has before the point, and after it; where it says nothing, none."""
    return (number.precision or 0) - (number.scale or 0), number.scale or 0


def _changes(before: Version, now: Version) -> Iterator[Change]:
    was, is_ = ({each.name: each for each in version.columns} for version in (before, now))
    for name in (each for each in is_ if each not in was):
        yield Change(name, "added", None, is_[name].type, False)
    for name, old in was.items():
        new = is_.get(name)
        if new is None:
            yield Change(name, "removed", old.type, None, True)
            continue
        if old.type != new.type:
            yield Change(name, "type", old.type, new.type, not is_wider(old.type, new.type))
        if old.is_nullable != new.is_nullable:
            words = {True: "perhaps empty", False: "always filled"}
            yield Change(
                name, "null", words[old.is_nullable], words[new.is_nullable], new.is_nullable
            )
        if old.unit != new.unit:
            yield Change(name, "unit", old.unit, new.unit, old.unit is not None)
    if before.key != now.key:
        yield Change(None, "key", before.key, now.key, True)
    if before.grain != now.grain:
        yield Change(None, "grain", before.grain, now.grain, True)
    if before.frozen != now.frozen:
        yield Change(None, "frozen", _number(before.frozen), _number(now.frozen), False)


def _number(frozen: int | None) -> str | None:
    return None if frozen is None else str(frozen)
