"""The tables that loading writes (spec, section 2), derived from a lake table's contract."""

import re
from functools import cache
from typing import Any

import ibis

from consumption_datamart.schema.codes import QUARANTINE_REASONS
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.table import Field, LakeTable, Table, warnings_field
from consumption_datamart.schema.types import Day, Integer, Text

REPORTING_CURRENCY, SILENCE_UNKNOWN = "reporting_currency", "silence_unknown"
LATE_AFTER_DAYS = "late_after_days"
DECLARATIONS = (REPORTING_CURRENCY, SILENCE_UNKNOWN, LATE_AFTER_DAYS)


class Dumps(LakeTable):
    """Dumps that the lake has, loaded or not; and those that are gone, but kept as loaded."""

    _defaults = {"source": "lake_table"}

    lake_table: Text
    source: Text
    dump_day: Day
    files: Integer = Field(ge=0)
    size: Integer = Field(ge=0)

    class Config:
        """One row a dump."""

        unique = ["lake_table", "source", "dump_day"]


class Declarations(LakeTable):
    """What the sources file says of the mart: its currency, products whose silence says nothing.

    And which sources there are, each with the days after which it is late.
    """

    declaration: Text = Field(isin=DECLARATIONS)
    value: Text

    class Config:
        """One row a declaration and value."""

        unique = ["declaration", "value"]


class _OfLoad(LakeTable):
    """Base of the tables that a load writes besides the raw table."""

    @classmethod
    def published_with(cls) -> str:
        """The raw table."""
        return re.sub(r"\.(quarantine|files)_", ".raw_", cls.full_name())


def models_of(contract: type[Contract]) -> tuple[type[Table], type[Table], type[Table]]:
    """The raw, the quarantine and the files table that loading a lake table writes."""
    return raw_of(contract), quarantine_of(contract), files_of(contract)


@cache
def raw_of(contract: type[Contract]) -> type[Table]:
    """Model of the raw table: the contract's columns, source, dump_day and meta__warnings."""
    codes = contract.flags(ibis.table(contract.ibis_schema(), name="contract"))
    columns = {
        "source": (Text, Field()),
        "dump_day": (Day, Field()),
        "meta__warnings": (Text, warnings_field(*codes)),
    }
    key = [*(["dump_day"] if contract.day_column() else []), "source", *contract.key()]
    return _model("Raw", contract, contract, columns, f"{contract.title()} Kept rows.", key)


@cache
def quarantine_of(contract: type[Contract]) -> type[Table]:
    """Model of the quarantine table: the contract's columns as text, and why the row is here.

    Nothing in it is unique: the same bad row may come twice.
    """
    columns = {name: (Text, Field(nullable=True)) for name in contract.ibis_schema()} | {
        "line": (Text, Field(nullable=True)),
        "source": (Text, Field()),
        "dump_day": (Day, Field()),
        "reason": (Text, Field(isin=list(QUARANTINE_REASONS))),
        "file": (Text, Field()),
    }
    title = f"{contract.title()} Rows that were set aside, their values as text."
    return _model("Quarantine", _OfLoad, contract, columns, title)


@cache
def files_of(contract: type[Contract]) -> type[Table]:
    """Model of the table of loaded files: one row a file, with what became of its rows."""
    counts = ("rows_read", "rows_kept", "rows_quarantined", "rows_superseded", "rows_excluded")
    columns = {
        "source": (Text, Field()),
        "dump_day": (Day, Field()),
        "file": (Text, Field()),
        **{name: (Integer, Field(ge=0)) for name in counts},
        "unexpected_columns": (Text, Field()),
        "missing_columns": (Text, Field()),
    }
    title = f"{contract.title()} Files that were loaded, and what became of their rows."
    return _model("Files", _OfLoad, contract, columns, title, ["source", "dump_day", "file"])


def _model(
    prefix: str,
    base: type[Table],
    contract: type[Contract],
    columns: dict[str, Any],
    title: str,
    key: list[str] | None = None,
) -> type[Table]:
    """A model class named after the contract's, with further columns."""
    body = {name: field for name, (_, field) in columns.items()} | {
        "__annotations__": {name: dtype for name, (dtype, _) in columns.items()},
        "__doc__": title,
        "__module__": __name__,
        "_day": contract.day_column(),
        "_identifiers": contract.identifiers(),
        "_defaults": {"source": f"'{contract.table_name()}'", "rows_excluded": "0"},
        "Config": type("Config", (), {"unique": key}),
    }
    metaclass: Any = type(base)
    model: type[Table] = metaclass(f"{prefix}{contract.__name__}", (base,), body)
    return model
