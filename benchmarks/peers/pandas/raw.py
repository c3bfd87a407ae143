"""Raw and quarantine tables: what is kept, what is set aside and why, what is flagged."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers.pandas.contract import LakeTable

DESCRIBING = ["dump_day", "file"]


def load(folder: Path, table: LakeTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The raw and the quarantine table of all dumps in a folder."""
    loaded = [_load_dump(path, table) for path in sorted(folder.iterdir())]
    raw = pd.concat([kept for kept, _ in loaded], ignore_index=True)
    quarantine = pd.concat([bad for _, bad in loaded], ignore_index=True)
    if table.superseding:
        raw = raw.sort_values("dump_day", kind="stable").drop_duplicates(table.key, keep="last")
    raw["meta__warnings"] = _warnings(raw, table)
    return raw, quarantine


def _load_dump(path: Path, table: LakeTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    found, malformed = _read(path)
    found = found[list(table.kinds)].reset_index(drop=True)
    day, file = pd.Timestamp(path.stem), f"{path.parent.name}/{path.name}"
    is_blank = {name: _blank(found[name]) for name in table.kinds}
    rows = pd.DataFrame({name: _typed(found[name], kind) for name, kind in table.kinds.items()})
    rows["dump_day"] = day
    reason = _reasons(table, found, rows, is_blank)
    good = rows[reason == ""]
    reason[good.index[_duplicated(good, table)]] = "duplicate_key"
    is_bad = reason != ""
    texts = {
        name: column[is_bad].astype(object).map(str).where(~is_blank[name][is_bad])
        for name, column in found.items()
    }
    bad = pd.DataFrame(texts).assign(dump_day=day, reason=reason[is_bad], file=file)
    lines = {"line": malformed, "dump_day": day, "reason": "unreadable_value", "file": file}
    set_aside = pd.concat([bad.assign(line=None), pd.DataFrame(lines)]).astype(object)
    return rows[~is_bad], set_aside


def _read(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """A dump as it is, and the lines of it that are no rows."""
    if path.suffix == ".parquet":
        # in nullable columns a NaN is not a null
        return pd.read_parquet(path, dtype_backend="numpy_nullable"), []
    with path.open(newline="", encoding="utf-8") as stream:
        header, *records = csv.reader(stream)
    rows = [record for record in records if len(record) == len(header)]
    malformed = [",".join(record) for record in records if len(record) != len(header)]
    return pd.DataFrame(rows, columns=header, dtype="string"), malformed


def _blank(column: "pd.Series") -> "pd.Series":
    if isinstance(column.dtype, pd.StringDtype):
        return column.fillna("").str.strip() == ""
    return column.isna()


def _typed(column: "pd.Series", kind: str) -> "pd.Series":
    """A column as its kind; null where it is blank or cannot be read."""
    if kind == "text":
        return column.where(~_blank(column)).astype(object)
    if kind == "moment":
        return pd.to_datetime(column, errors="coerce")
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _reasons(
    table: LakeTable, found: pd.DataFrame, rows: pd.DataFrame, is_blank: dict[str, "pd.Series"]
) -> "pd.Series":
    """Why a row is set aside, the first reason that holds; empty for a good row."""
    unreadable = pd.Series(False, rows.index)
    missing = pd.Series(False, rows.index)
    for name, kind in table.kinds.items():
        if kind != "text" and isinstance(found[name].dtype, pd.StringDtype):
            is_nan = found[name].str.strip().str.lower() == "nan"
            unreadable |= (rows[name].isna() & ~is_blank[name] & ~is_nan).astype(bool)
        if name not in table.optional:
            missing |= is_blank[name].astype(bool)
    conditions = [unreadable, missing, ~table.in_range(rows).astype(bool)]
    reasons = ["unreadable_value", "missing_value", "out_of_range"]
    if table.wrong_day:
        conditions.append(table.wrong_day(rows))
        reasons.append("wrong_day")
    return pd.Series(np.select(conditions, reasons, default=""), rows.index)


def _duplicated(good: pd.DataFrame, table: LakeTable) -> "pd.Series":
    """Which of the good rows of a dump share their key with one that takes precedence."""
    others = [name for name in table.kinds if name not in (*table.key, *table.preferred)]
    in_order = good.sort_values([*table.preferred, *others], ascending=False, na_position="last")
    return in_order.duplicated(table.key).reindex(good.index)


def _warnings(rows: pd.DataFrame, table: LakeTable) -> "pd.Series":
    """Codes in alphabetical order, separated by semicolons."""
    found = pd.Series("", rows.index)
    for code, condition in sorted(table.flags.items()):
        found = found.where(~condition(rows), found + ";" + code)
    return found.str.removeprefix(";")
