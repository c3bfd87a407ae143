"""What every table model has in common: its name, its columns with their meaning, its rules."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from pandera.api.ibis.types import IbisData
from pandera.backends.ibis.register import register_ibis_backends

from consumption_datamart.schema.columns import COLUMNS, Column
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.memo import memoized

Field = pa.Field
FINITE: dict[str, Any] = {"lt": float("inf")}
"""What a float has to be; engines count NaN as greater than everything."""
register_ibis_backends()


class Table(pa.DataFrameModel):
    """Base of all table models: one class is the single source of truth of one table.

    The table's name is the class's in snake case, its schema that of the base class; the key is
    `Config.unique`; a table that is partitioned names in `_day` the column of its day, or of the
    first day of its period, and in `_grain` how long a period is. `_frozen = 1` freezes its
    columns: a breaking change is published only with a higher number. (Pandera takes every
    attribute for a column but those that begin with an underscore.)
    """

    _schema: ClassVar[str]
    _day: ClassVar[str | None] = None
    _grain: ClassVar[Grain] = Grain.DAY
    _identifiers: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[Mapping[str, str]] = {}
    _frozen: ClassVar[int | None] = None

    class Config:
        """Columns are exactly those of the model."""

        strict = True

    @classmethod
    def table_name(cls) -> str:
        """Name of the table, without its schema."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def schema_name(cls) -> str:
        """Name of the warehouse schema that the table is in."""
        return cls._schema

    @classmethod
    def day_column(cls) -> str | None:
        """Name of the column of a row's period, its first day; None: there are no partitions."""
        return cls._day

    @classmethod
    def grain(cls) -> Grain:
        """How much time a partition of the table is about."""
        return Grain.NONE if cls._day is None else cls._grain

    @classmethod
    def periods(cls, days: Days | None) -> list[date | None]:
        """The partitions that have any of the days; [None] of a table without partitions."""
        return [None] if cls._day is None or days is None else list(cls._grain.each(days))

    @classmethod
    def frozen(cls) -> int | None:
        """Number of what was agreed upon with readers of its columns; None: it is not frozen."""
        return cls._frozen

    @classmethod
    def identifiers(cls) -> tuple[str, ...]:
        """Names of text columns in which hardly a value comes twice: engines may store them so."""
        return cls._identifiers

    @classmethod
    def default(cls, column: str) -> str | None:
        """SQL of what rows of an earlier version have in a column that they lacked."""
        return cls._defaults.get(column)

    @classmethod
    def full_name(cls) -> str:
        """Name of the table with its schema: `mart.dim_day`."""
        return f"{cls.schema_name()}.{cls.table_name()}"

    @classmethod
    def published_with(cls) -> str:
        """Full name of the table by which the ledger knows it."""
        return cls.full_name()

    @classmethod
    def title(cls) -> str:
        """What a row of the table is, in a sentence: the model's docstring."""
        return " ".join((cls.__doc__ or "").split())

    @classmethod
    def key(cls) -> list[str]:
        """Names of the columns that identify a row."""
        return list(cls.to_schema().unique or ())

    @classmethod
    @cache
    def ibis_schema(cls) -> ibis.Schema:
        """Names and types of the columns, in order, as expressions see them."""
        columns = cls.to_schema().columns.items()
        return ibis.schema(
            {name: column.dtype.type.copy(nullable=True) for name, column in columns}
        )

    @classmethod
    def stored_schema(cls) -> ibis.Schema:
        """The same as the table is created: columns that must be filled are not nullable."""
        required = cls.required()
        types = cls.ibis_schema().items()
        return ibis.schema({name: t.copy(nullable=name not in required) for name, t in types})

    @classmethod
    def meanings(cls) -> Mapping[str, Column]:
        """Description and unit of each column: the field's own, or the vocabulary's.

        Raises:
            TypeError: a column has no meaning, or the table no docstring.
        """
        if not cls.__doc__:
            raise TypeError(f"{cls.__name__}: say in a docstring what the table holds")
        meanings = {}
        for name, column in cls.to_schema().columns.items():
            if name not in COLUMNS and not column.description:
                raise TypeError(f"{cls.__name__}.{name}: describe the column in schema/columns.py")
            shared = COLUMNS.get(name, Column(""))
            meanings[name] = Column(column.description or shared.description, shared.unit)
        return meanings

    @classmethod
    def rules(cls, table: ir.Table) -> dict[str, ir.BooleanValue]:
        """The model's checks as conditions on the rows of a table.

        Args:
            table: has (at least) the columns that the checks name.

        Returns:
            Label of the rule → condition; null where a value that may be null is null.
        """
        return dict(_rules(cls, table))

    @classmethod
    def warning_codes(cls) -> list[str]:
        """Warning codes that can occur in the table, in alphabetical order."""
        if "meta__warnings" not in cls.to_schema().columns:
            return []
        (check,) = cls.to_schema().columns["meta__warnings"].checks
        codes: list[str] = check.statistics["codes"]
        return codes

    @classmethod
    def required(cls) -> list[str]:
        """Names of the columns that must be filled."""
        return [name for name, column in cls.to_schema().columns.items() if not column.nullable]


class LakeTable(Table):
    """Base of the tables in schema `lake`: raw, quarantine, dumps."""

    _schema = "lake"


class MartTable(Table):
    """Base of the tables in schema `mart`: the star and the reports."""

    _schema = "mart"


def warnings_field(*codes: str) -> Any:
    """The field of a meta__warnings column in which `codes` can occur."""
    return Field(lists_codes={"codes": sorted(codes)})


@memoized
def _rules(model: type[Table], table: ir.Table) -> dict[str, ir.BooleanValue]:
    schema = model.to_schema()
    checks = [(name, check) for name, column in schema.columns.items() for check in column.checks]
    rules = {f"{name} {check.error}": _condition(check, table, name) for name, check in checks}
    for check in schema.checks:
        rules[str(check.error)] = _condition(check, table, None)
    return rules


def _condition(check: pa.Check, table: ir.Table, column: str | None) -> ir.BooleanValue:
    """What a Pandera check asks of a row, as an expression on the table itself.

    Pandera's built-in checks return a table of conditions; the condition is taken out of it so that
    all rules of a model can be asked for in one query.
    """
    backend: Any = check.get_backend(table)(check)
    result = backend.check_fn(IbisData(table, column))
    return result.op().values[column].to_expr() if isinstance(result, ir.Table) else result
