"""What became of the rows that were read: kept, quarantined or superseded (spec, section 2)."""

from dataclasses import dataclass

import pandas as pd

from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import models_of, quarantine_of
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Transaction
from consumption_datamart.warehouse.profile import TOTAL, Profile, by_day, iso, profile

FATES = {
    "rows read": "rows_read",
    "kept": "rows_kept",
    "quarantined": "rows_quarantined",
    "superseded": "rows_superseded",
}


@dataclass(frozen=True)
class Outcome:
    """What loading a lake table wrote.

    Attributes:
        raw: also with rows read, kept, quarantined and superseded.
        quarantine: also with rows by reason.
        files: that were loaded.
        unexpected_columns: columns that the contract does not know, by file.
    """

    raw: Profile
    quarantine: Profile
    files: Profile
    unexpected_columns: dict[str, str]

    def profiles(self) -> tuple[Profile, Profile, Profile]:
        """Of the raw, the quarantine and the files table."""
        return self.raw, self.quarantine, self.files

    def by_model(self, contract: type[Contract]) -> dict[type[Table], Profile]:
        """Of the three tables, by their model."""
        return dict(zip(models_of(contract), self.profiles(), strict=True))


def outcome(transaction: Transaction, contract: type[Contract], days: Days | None) -> Outcome:
    """Looks at the three tables of a lake table, or at the days of them.

    Whether they agree is asked by the check `rows_accounted`.
    """
    raw, quarantine, loaded = models_of(contract)
    files = transaction.slice(loaded, days)
    fates = by_day(
        transaction, loaded, files, {label: files[name].sum() for label, name in FATES.items()}
    )
    extra = files.filter(files.unexpected_columns != "").select("file", "unexpected_columns")
    kept = profile(transaction, raw, days)
    set_aside = profile(transaction, quarantine, days)
    reasons = _reasons(transaction, contract, days)
    return Outcome(
        raw=Profile(_joined(kept.figures, fates), kept.samples),
        quarantine=Profile(_joined(set_aside.figures, reasons), set_aside.samples),
        files=profile(transaction, loaded, days),
        unexpected_columns=dict(transaction.fetch(extra).itertuples(index=False)),
    )


def _reasons(transaction: Transaction, contract: type[Contract], days: Days | None) -> pd.DataFrame:
    rows = transaction.slice(quarantine_of(contract), days)
    counted = transaction.fetch(
        rows.group_by("dump_day", "reason").aggregate(rows=rows.count()).order_by("reason")
    )
    day = iso(counted.dump_day) if contract.day_column() else [TOTAL] * len(counted)
    return counted.assign(day=day).pivot_table(
        index="day", columns="reason", values="rows", aggfunc="sum", fill_value=0
    )


def _joined(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    return one.join(other, how="outer").fillna(0).astype(int)
