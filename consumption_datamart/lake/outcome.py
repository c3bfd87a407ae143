"""What became of the rows that were read: kept, quarantined or superseded (spec, section 2)."""

from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.codes import QUARANTINE_REASONS
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import models_of
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import Profile, Transaction, audit

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
    """Audits the three tables of a lake table, or the days of them, and counts the rows.

    Whether they agree is asked by the check `rows_accounted`.

    Raises:
        AuditError: the rows break a model.
    """
    raw, quarantine, loaded = models_of(contract)
    # of rows with one key a batch has let through one; another batch has other keys
    kept = audit(transaction, raw, days, key=False)
    set_aside = audit(transaction, quarantine, days, more=_reasons)
    files = audit(transaction, loaded, days, more=_fates)
    occurring = [name for name in sorted(QUARANTINE_REASONS) if set_aside.figures[name].any()]
    rows = transaction.slice(loaded, days)
    extra = rows.filter(rows.unexpected_columns != "").select("file", "unexpected_columns")
    return Outcome(
        raw=Profile(_joined(kept.figures, files.figures[list(FATES)])),
        quarantine=Profile(set_aside.figures[["rows", *occurring]]),
        files=Profile(files.figures[["rows"]]),
        unexpected_columns=dict(transaction.rows(extra)),
    )


def _fates(files: ir.Table) -> dict[str, ir.IntegerScalar]:
    return {label: files[name].sum() for label, name in FATES.items()}


def _reasons(quarantine: ir.Table) -> dict[str, ir.IntegerScalar]:
    return {reason: (quarantine.reason == reason).sum() for reason in QUARANTINE_REASONS}


def _joined(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    return one.join(other, how="outer").fillna(0).astype(int)
