"""What became of the rows that were read: kept, quarantined or superseded (spec, section 2)."""

from dataclasses import dataclass

import pandas as pd

from consumption_datamart.errors import AuditError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import files_of, quarantine_of, raw_of
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


def outcome(transaction: Transaction, contract: type[Contract], days: Days | None) -> Outcome:
    """Looks at the three tables of a lake table, or at the days of them.

    Raises:
        AuditError: the raw table has not as many rows as its files are said to have given it.
    """
    raw, quarantine, loaded = raw_of(contract), quarantine_of(contract), files_of(contract)
    files = transaction.slice(loaded, days)
    fates = by_day(
        transaction, loaded, files, {label: files[name].sum() for label, name in FATES.items()}
    )
    extra = files.filter(files.unexpected_columns != "").select("file", "unexpected_columns")
    kept = profile(transaction, raw, days)
    set_aside = profile(transaction, quarantine, days)
    reasons = _reasons(transaction, contract, days)
    figures = _joined(kept.figures, fates)
    if (figures["rows"] != figures["kept"]).any():
        problem = f"{figures['rows'].sum()} rows, but its files gave it {figures['kept'].sum()}"
        raise AuditError(raw.full_name(), problem)
    return Outcome(
        raw=Profile(figures, kept.samples),
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
