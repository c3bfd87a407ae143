"""The audit of what is published agrees with Pandera's own validation of the model."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa
import pytest
from pandera.errors import SchemaErrors
from pandera.ibis import DataFrameSchema

from consumption_datamart.errors import AuditError
from consumption_datamart.schema.monitoring import MONITORING
from consumption_datamart.schema.table import Table
from consumption_datamart.simulation import simulate
from consumption_datamart.warehouse import Warehouse, audit, open_warehouse
from consumption_datamart_tests.lakes import Row
from consumption_datamart_tests.mart import MODELS, Tables, build_tables, tables_of


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Rows that are good, of every table."""
    folder = tmp_path_factory.mktemp("models")
    end = date(2026, 3, 31)
    size = {"days": 40, "customers": 12, "products": 4, "rows_per_day": 12}
    simulate(folder / "lake", **size, end=end, dirt=0.1, format="csv")
    build_tables(folder / "lake", f"duckdb://{folder}/good.duckdb")
    return tables_of(f"duckdb://{folder}/good.duckdb")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse to publish to."""
    return open_warehouse(f"duckdb://{tmp_path_factory.mktemp('models')}/target.duckdb")


ODD = (
    (dt.DataType.is_string, "odd"),
    (dt.DataType.is_decimal, Decimal(-1)),
    (dt.DataType.is_date, date(1800, 1, 1)),
)


class Change(NamedTuple):
    """Rows with one thing changed that may break the model.

    Attributes:
        name: what it is.
        rows: all of them.
        column: the only one that has changed; None: a row came in addition, or nothing.
    """

    name: str
    rows: list[Row]
    column: str | None


def spoilt(model: type[Table], rows: list[Row]) -> Iterator[Change]:
    """The changes of a few good rows."""
    first, *others = rows
    yield Change("nothing", rows, None)
    yield Change("a row twice", [first, *rows], None)
    columns, must = model.to_schema().columns, model.required()[0]
    for name, dtype in model.ibis_schema().items():
        if columns[name].nullable or name == must:
            yield Change(f"no {name}", [first | {name: None}, *others], name)
        if columns[name].checks:
            odd = next((value for is_of, value in ODD if is_of(dtype)), -1)
            yield Change(f"{name} = {odd!r}", [first | {name: odd}, *others], name)


OTHERS = ("_invoices", "_telemetry", "_bundles", "_accounts", "_exchange_rates")
ALIKE = (*OTHERS, *(model.table_name() for model in MONITORING))
"""The tables of files and of quarantine are alike: those of entitlements stand for all.

What is written down while tables are published is not published itself.
"""


@pytest.mark.parametrize(
    "name",
    [name for name in MODELS if "raw_" in name or not name.endswith(ALIKE)],
)
def test_the_audit_agrees_with_pandera(name: str, tables: Tables, target: Warehouse) -> None:
    model, rows = MODELS[name], tables[name][:4]
    assert rows
    changes = list(spoilt(model, rows))
    passed = {change.name for change in changes if is_published(target, model, change.rows)}
    assert "nothing" in passed
    assert {change.name for change in changes if is_valid(model, change)} == passed


def as_table(model: type[Table], rows: list[Row]) -> ibis.Table:
    """Rows as a table in memory."""
    return ibis.memtable(pa.Table.from_pylist(rows, model.ibis_schema().to_pyarrow()))


def is_published(target: Warehouse, model: type[Table], rows: list[Row]) -> bool:
    """Whether the audit lets the rows through."""
    try:
        with target.transaction() as transaction:
            transaction.clear(model)
            transaction.append(model, (row.values() for row in rows))
            audit(transaction, model)
    except AuditError:
        return False
    return True


def is_valid(model: type[Table], change: Change) -> bool:
    """Whether Pandera finds the rows valid.

    It looks at each column in queries of its own: columns that have not changed are left out.
    """
    schema = model.to_schema()
    if change.column is not None:
        only = {change.column: schema.columns[change.column]}
        schema = DataFrameSchema(only, checks=schema.checks, unique=schema.unique)
    try:
        schema.validate(as_table(model, change.rows), lazy=True)
    except SchemaErrors:
        return False
    return True


def test_no_description_has_what_a_browser_takes_for_a_tag() -> None:
    for model in MODELS.values():
        texts = [model.title(), *(each.description for each in model.meanings().values())]
        assert not [text for text in texts if "<" in text]
