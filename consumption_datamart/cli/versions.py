"""How `assets show` and `assets history --versions` show the versions of a table's columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from consumption_datamart.cli.options import RowsFormat
from consumption_datamart.cli.rows import moment, write_json, write_rows
from consumption_datamart.governance import ToldVersion

STYLES = {"breaking": "bold red"}


def write_versions(key: str, versions: Sequence[ToldVersion], how: RowsFormat) -> None:
    """Writes a line for each change of each version, the earliest first."""
    if how is RowsFormat.json:
        write_json({"key": key, "versions": as_json(versions)})
        return
    rows = [row for version in versions for row in _rows(version)]
    columns = ["version", "since", "column", "what", "before", "now", "class", "read_by"]
    title = f"{key}, {len(versions)} versions of its columns (UTC)"
    long = ["column", "before", "now", "read_by"]
    write_rows(rows, how, title, columns=columns, long=long, styles=STYLES)


def as_json(versions: Sequence[ToldVersion]) -> list[dict[str, Any]]:
    """The versions as plain values."""
    return [
        {
            "version": each.number,
            "since": each.at,
            "columns": each.columns,
            "frozen": each.frozen,
            "changes": [
                {
                    **told.change._asdict(),
                    "read_by": [reader._asdict() for reader in told.readers],
                }
                for told in each.changes
            ],
        }
        for each in versions
    ]


def last_change(versions: Sequence[ToldVersion]) -> str:
    """Which version there is and what the last has changed, in a line; empty: none is known."""
    if not versions:
        return ""
    last = versions[-1]
    frozen = f", frozen as {last.frozen}" if last.frozen is not None else ""
    told = f"version {last.number} since {moment(last.at)} UTC{frozen}"
    changes = [
        f"{told.change} ({'breaking' if told.change.is_breaking else 'compatible'}"
        + (f" for {', '.join(map(str, told.readers))}" if told.readers else "")
        + ")"
        for told in last.changes
    ]
    return "; ".join([told, *changes])


def _rows(version: ToldVersion) -> Iterator[dict[str, Any]]:
    head = {"version": version.number, "since": version.at}
    if not version.changes:
        first = {"column": None, "what": "first seen", "before": None}
        yield head | first | {"now": f"{version.columns} columns", "class": None, "read_by": ()}
    for told in version.changes:
        change = told.change
        yield head | {
            "column": change.column,
            "what": change.what,
            "before": change.before,
            "now": change.now,
            "class": "breaking" if change.is_breaking else "compatible",
            "read_by": tuple(map(str, told.readers)),
        }
