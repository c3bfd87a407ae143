"""The audit of what a transaction is about to publish, and what it counts on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.errors import AuditError
from consumption_datamart.schema.codes import has_code
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.memo import memoized
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.rows import day_of, repeated
from consumption_datamart.warehouse.transaction import Transaction

SAMPLE_ROWS = 5
TOTAL = ""
"""Where the figures of a table without days are found."""
BROKEN = "rows that break a rule"

Samples = Mapping[str, pd.DataFrame]
"""A few rows, by label."""
Figures = Callable[[ir.Table], dict[str, ir.IntegerScalar]]
"""What to count of a table's rows, by label."""


@dataclass(frozen=True)
class Profile:
    """What was published.

    Attributes:
        figures: whole numbers; a column each, a row for each day (ISO), or one row `TOTAL`.
    """

    figures: pd.DataFrame

    @classmethod
    def of_parts(cls, parts: Sequence["Profile"]) -> "Profile":
        """What was published in several transactions; of each day what the last says of it."""
        figures = pd.concat([part.figures for part in parts]).fillna(0).astype(int)
        return cls(figures[~figures.index.duplicated(keep="last")])


def audit(
    transaction: Transaction,
    model: type[Table],
    days: Days | None = None,
    *,
    key: bool = True,
    more: Figures = lambda _: {},
) -> Profile:
    """Requires that the table, or the days of it, satisfy the model's rules and key.

    One query reads each row once: for all rules and all figures.

    Args:
        transaction: in which it is published.
        model: the table.
        days: the days of it; None audits all of it.
        key: whether to look for repeated keys; not where rows were chosen by their key.
        more: what to count besides rows and warnings, in total and by code.

    Raises:
        AuditError: names the table, the rule, how many rows break it, and one of them.
    """
    rows = transaction.slice(model, days)
    # all other required columns are guarded by the engine
    unguarded = tuple(transaction.unguarded.get(model.full_name(), ()))
    found = _by_day(transaction, model, _counted(model, rows, unguarded, more))
    if BROKEN in found and found.pop(BROKEN).any():
        raise _broken_rule(transaction, model, rows, _rules(model, rows, unguarded))
    if key:
        _require_unique(transaction, model, rows)
    return Profile(found)


def samples(
    transaction: Transaction, model: type[Table], days: Days | None, profile: Profile
) -> Samples:
    """A few rows of the latest day that is published, and a few with warnings, by label."""
    latest = transaction.slice(model, Days(days.last, days.last) if days else None)
    found = {"sample": _sample(transaction, latest)}
    if "warnings" in profile.figures and profile.figures.warnings.any():
        suspicious = latest.filter(latest.meta__warnings != "")
        found["sample of warnings"] = _sample(transaction, suspicious)
    return found


def _rules(
    model: type[Table], rows: ir.Table, unguarded: Sequence[str]
) -> dict[str, ir.BooleanValue]:
    rules = {name: rule.fill_null(True) for name, rule in model.rules(rows).items()}
    return rules | {f"{name} is filled": rows[name].notnull() for name in unguarded}


@memoized
def _counted(
    model: type[Table], rows: ir.Table, unguarded: Sequence[str], more: Figures
) -> ir.Table:
    """The figures, by the table's days if it has any."""
    rules, codes = _rules(model, rows, unguarded), model.warning_codes()
    figures: dict[str, ir.IntegerScalar] = {"rows": rows.count()}
    if codes:
        figures["warnings"] = (rows.meta__warnings != "").sum()
    for code in codes:
        figures[f"warnings {code}"] = has_code(rows.meta__warnings, code).sum()
    if rules:
        figures[BROKEN] = (~ibis.and_(*rules.values())).sum()
    filled = {name: figure.fill_null(0) for name, figure in (figures | more(rows)).items()}
    column = model.day_column()
    return (rows if column is None else rows.group_by(column)).aggregate(**filled)


def _by_day(transaction: Transaction, model: type[Table], counted: ir.Table) -> pd.DataFrame:
    """Figures of each day (ISO) that has rows; of a table without days one row, `TOTAL`."""
    counts, index, names = transaction.rows(counted), [TOTAL], list(counted.columns)
    if model.day_column() is not None:
        index = [day_of(day).isoformat() for day, *_ in counts]
        counts, names = [record[1:] for record in counts], names[1:]
    return pd.DataFrame(counts, index, names, dtype="int64")


def _broken_rule(
    transaction: Transaction,
    model: type[Table],
    rows: ir.Table,
    rules: Mapping[str, ir.BooleanValue],
) -> AuditError:
    """The first rule that is broken, and a row that breaks it."""
    counts = rows.aggregate(**{name: (~rule).sum() for name, rule in rules.items()})
    broken = zip(rules, transaction.rows(counts)[0], strict=True)
    name, count = next((name, count) for name, count in broken if count)
    example = _sample(transaction, rows.filter(~rules[name])).iloc[0]
    return _error(model, f"{count} rows break '{name}'", example)


def _require_unique(transaction: Transaction, model: type[Table], rows: ir.Table) -> None:
    key = model.key()
    if not key:
        return
    found = _sample(transaction, repeated(model, rows))
    if len(found):
        raise _error(model, f"key {', '.join(key)} is not unique", found.iloc[0])


def _sample(transaction: Transaction, rows: ir.Table) -> pd.DataFrame:
    found = pd.DataFrame(transaction.rows(rows.limit(SAMPLE_ROWS)), columns=list(rows.columns))
    flags = [name for name, dtype in rows.schema().items() if dtype.is_boolean()]
    return found.astype(dict.fromkeys(flags, bool))  # to SQLite they are numbers


def _error(model: type[Table], problem: str, example: "pd.Series[Any]") -> AuditError:
    row = ", ".join(f"{name} = {value}" for name, value in example.items())
    return AuditError(model.full_name(), f"{problem}, such as {row}")
