"""Patterns that texts of the lake are matched with."""

from ibis import udf


@udf.scalar.builtin(name="regexp_full_match")  # type: ignore[untyped-decorator]  # so Ibis has it
def matches(text: str, pattern: str) -> bool:
    """Whether all of a text is as a pattern says; null of a null.

    DuckDB, which reads the lake, does this in a quarter of the time of a search for `^pattern$`.
    """
    raise NotImplementedError  # the engine has it
