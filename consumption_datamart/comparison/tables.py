"""How the rows of one table differ in two warehouses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from consumption_datamart.schema.table import Table

SAME = 1e-9
"""How far two numbers may be apart, as a share, that are the same."""
BEFORE, AFTER = "rows_before", "rows_after"
INEXACT = ("DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class TableDifference:
    """A table that is not the same in both.

    Attributes:
        table: its full name.
        added: rows whose key only the second has.
        removed: rows whose key only the first has.
        changed: rows that both have, with other values.
        cells: column → how many of these have another value in it.
        columns: that only one of them has, `+name` or `-name`.
        is_in: which of the two have it: `both`, `first` or `second`.
    """

    table: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    cells: Mapping[str, int] = field(default_factory=dict)
    columns: Sequence[str] = ()
    is_in: str = "both"

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        rows = self.added or self.removed or self.changed
        return bool(rows or self.columns or self.is_in != "both")


def difference(connection: duckdb.DuckDBPyConnection, model: type[Table]) -> TableDifference:
    """Compares the tables `rows_before` and `rows_after` of a connection, by the model's key.

    A table without a key is compared row by row, so that a changed row is one removed, one added.
    """
    before, after = (_columns(connection, name) for name in (BEFORE, AFTER))
    columns = [f"+{name}" for name in after if name not in before]
    columns += [f"-{name}" for name in before if name not in after]
    both = [name for name in before if name in after]
    key = [name for name in model.key() if name in both]
    name = model.full_name()
    if not key:
        listed = ", ".join(f'"{each}"' for each in both)
        counted = []
        for one, other in ((AFTER, BEFORE), (BEFORE, AFTER)):
            rows = f"SELECT {listed} FROM {one} EXCEPT ALL SELECT {listed} FROM {other}"
            counted.append(_numbers(connection, f"SELECT count(*) FROM ({rows})")[0])
        return TableDifference(name, counted[0], counted[1], columns=columns)
    others = [each for each in both if each not in key]
    differs = {each: _differs(each, before[each], after[each]) for each in others}
    joined = " AND ".join(f'a."{each}" IS NOT DISTINCT FROM b."{each}"' for each in key)
    counts = [f"count(*) FILTER (a.here AND b.here AND {each})" for each in differs.values()]
    any_other = " OR ".join(differs.values()) or "false"
    added, removed, changed, *cells = _numbers(
        connection,
        f"""
        SELECT count(*) FILTER (a.here IS NULL), count(*) FILTER (b.here IS NULL),
            {", ".join([f"count(*) FILTER (a.here AND b.here AND ({any_other}))", *counts])}
        FROM (SELECT *, true AS here FROM {BEFORE}) AS a
        FULL JOIN (SELECT *, true AS here FROM {AFTER}) AS b ON {joined}
        """,
    )
    by_column = {each: count for each, count in zip(others, cells, strict=True) if count}
    return TableDifference(name, added, removed, changed, by_column, columns)


def _differs(name: str, before: str, after: str) -> str:
    """SQL: whether a column's values differ."""
    one, other = f'a."{name}"', f'b."{name}"'
    differs = f"{one} IS DISTINCT FROM {other}"
    if before.startswith(INEXACT) and after.startswith(INEXACT):
        one, other = f"{one}::DOUBLE", f"{other}::DOUBLE"
        near = f"abs({one} - {other}) <= {SAME} * greatest(abs({one}), abs({other}))"
        return f"({differs} AND NOT coalesce({near}, false))"
    return f"({differs})"


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    found = connection.sql(f"FROM {name}")
    return {column: str(t) for column, t in zip(found.columns, found.types, strict=True)}


def _numbers(connection: duckdb.DuckDBPyConnection, sql: str) -> list[int]:
    return [int(number) for number in connection.execute(sql).fetchall()[0]]
