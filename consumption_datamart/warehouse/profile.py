"""Figures and samples of what a transaction is about to publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.transaction import Transaction

SAMPLE_ROWS = 5
TOTAL = ""
"""Where the figures of a table without days are found."""


@dataclass(frozen=True)
class Profile:
    """What was published.

    Attributes:
        figures: whole numbers; a column each, a row for each day (ISO), or one row `TOTAL`.
        samples: a few rows of the latest day, and a few with warnings, by label.
    """

    figures: pd.DataFrame
    samples: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def of_parts(cls, parts: Sequence["Profile"]) -> "Profile":
        """What was published in several transactions, of other days each."""
        figures = pd.concat([part.figures for part in parts]).fillna(0).astype(int)
        return cls(figures, parts[-1].samples)


def profile(transaction: Transaction, model: type[Table], days: Days | None) -> Profile:
    """Counts rows and warnings, in total and by code, and takes samples."""
    rows, codes = transaction.slice(model, days), model.warning_codes()
    figures: dict[str, ir.IntegerScalar] = {"rows": rows.count()}
    if codes:
        figures["warnings"] = (rows.meta__warnings != "").sum()
    for code in codes:
        figures[f"warnings {code}"] = rows.meta__warnings.contains(code).sum()
    found = by_day(transaction, model, rows, figures)
    latest = transaction.slice(model, Days(days.last, days.last) if days else None)
    samples = {"sample": transaction.fetch(latest.limit(SAMPLE_ROWS))}
    if codes and found.warnings.any():
        suspicious = latest.filter(latest.meta__warnings != "").limit(SAMPLE_ROWS)
        samples["sample of warnings"] = transaction.fetch(suspicious)
    return Profile(found, samples)


def by_day(
    transaction: Transaction,
    model: type[Table],
    rows: ir.Table,
    figures: Mapping[str, ir.IntegerScalar],
) -> pd.DataFrame:
    """Aggregates rows of a table by its day, or in total where it has none.

    Returns:
        A column for each figure; a row for each day (ISO) that has rows, or one row `TOTAL`.
    """
    figures = {name: figure.fill_null(0) for name, figure in figures.items()}
    column = model.day_column()
    if column is None:
        total = transaction.fetch(rows.aggregate(**figures))
        return total.set_index(pd.Index([TOTAL])).astype(int)
    counted = transaction.fetch(rows.group_by(profiled_day=rows[column]).aggregate(**figures))
    return counted.set_index(iso(counted.pop("profiled_day"))).astype(int)


def iso(days: "pd.Series[pd.Timestamp]") -> "pd.Index[str]":
    """Days as ISO dates."""
    return pd.Index(pd.to_datetime(days).dt.strftime("%Y-%m-%d"))
