"""A table is published whole or not at all: what breaks its model leaves the table as it was."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from consumption_datamart.assets.star.accounts import ATTRIBUTES
from consumption_datamart.errors import AuditError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import DimCustomer
from consumption_datamart.schema.facts import FactConsumptionDaily
from consumption_datamart.schema.reports import ReportCommitments
from consumption_datamart.warehouse import (
    Dependent,
    Warehouse,
    open_warehouse,
    publish,
    read_ledger,
)
from consumption_datamart.warehouse.audit import samples
from consumption_datamart_tests import sail_server
from consumption_datamart_tests.lakes import Row
from consumption_datamart_tests.mart import as_written, tables_of

Form = Callable[[list[Row]], pd.DataFrame | ir.Table]

MODEL = FactConsumptionDaily
NAME = MODEL.full_name()


def row(number: int, **overrides: object) -> Row:
    """A good row of the day with that number."""
    good: Row = {
        "day": date(2026, 1, number),
        "customer_id": "CUST-1",
        "product_id": "db",
        "entitled_quantity": 10.0,
        "is_unlimited": False,
        "used_quantity": 5.0,
        "consumption_ratio": 0.5,
        "deployment_count": 1,
        "meta__warnings": "",
    }
    return good | overrides


OLD = [row(1), row(2), row(3)]
BAD: dict[str, tuple[list[Row], str]] = {
    "a key twice": ([row(2), row(2, used_quantity=6.0)], "key day, customer_id, product_id"),
    "a broken rule": ([row(2), row(3, used_quantity=-1.0)], "used_quantity"),
    "not a number": ([row(2, used_quantity=float("nan"))], "used_quantity"),
    "an unknown code": ([row(2, meta__warnings="odd")], "meta__warnings"),
    "null where it must be filled": ([row(2), row(3, customer_id=None)], "customer_id"),
}


def as_frame(rows: list[Row]) -> pd.DataFrame:
    """Rows as people's own assets have them."""
    return pd.DataFrame(rows).assign(day=lambda frame: pd.to_datetime(frame["day"]))


def as_expression(rows: list[Row]) -> ir.Table:
    """Rows as an expression that any engine runs."""
    types = MODEL.ibis_schema()
    selects = [
        ibis.literal(1)
        .as_table()
        .select(**{name: ibis.literal(each[name], type=types.get(name)) for name in each})
        for each in rows
    ]
    return ibis.union(*selects) if len(selects) > 1 else selects[0]


FORMS = {"frame": as_frame, "expression": as_expression}


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    """Each form in which rows may come."""
    return request.param


@pytest.fixture
def target(warehouse: str) -> Warehouse:
    """A warehouse in which the table has its old rows."""
    opened = open_warehouse(warehouse)
    publish(opened, MODEL, as_frame(OLD))
    return opened


def found(target: Warehouse) -> list[Row]:
    """What the table holds, by day."""
    return by_day(as_written(target.url))


def seen(target: Warehouse) -> list[Row]:
    """What readers see of it, by day."""
    return by_day(target.url)


def by_day(url: str) -> list[Row]:
    """The rows of a file."""
    return sorted(tables_of(url).get(NAME, []), key=lambda each: str(each["day"]))


@pytest.mark.parametrize(("rows", "told"), BAD.values(), ids=BAD)
def test_rows_that_break_the_model(
    rows: list[Row], told: str, form: Form, target: Warehouse
) -> None:
    with pytest.raises(AuditError, match=told) as error:
        publish(target, MODEL, form(rows))
    assert str(error.value).endswith("nothing was published")
    assert NAME in str(error.value)
    assert found(target) == OLD
    with pytest.raises(AuditError):
        publish(target, MODEL, form(rows), Days(date(2026, 1, 2), date(2026, 1, 3)))
    assert found(target) == OLD


def test_rows_without_a_column(form: Form, target: Warehouse) -> None:
    rows = [{name: value for name, value in row(2).items() if name != "used_quantity"}]
    with pytest.raises(AuditError, match="column used_quantity is missing"):
        publish(target, MODEL, form(rows))
    assert found(target) == OLD


def test_a_table_that_was_never_good_is_not_there(form: Form, warehouse: str) -> None:
    with pytest.raises(AuditError):
        publish(open_warehouse(warehouse), MODEL, form([row(1, used_quantity=-1.0)]))
    open_warehouse(warehouse).release()
    assert NAME not in tables_of(warehouse)


def test_good_rows_replace_all_or_their_days(form: Form, target: Warehouse) -> None:
    publish(
        target, MODEL, form([row(2, used_quantity=8.0), row(9)]), Days(OLD[1]["day"], OLD[2]["day"])
    )
    assert found(target) == [row(1), row(2, used_quantity=8.0)]
    publish(target, MODEL, form([row(7)]))
    assert found(target) == [row(7)]


def test_columns_go_by_name(form: Form, target: Warehouse) -> None:
    backwards = {name: row(5)[name] for name in reversed(row(5))}
    publish(target, MODEL, form([backwards | {"note": "more"}]))
    assert found(target) == [row(5)]


def test_no_rows(target: Warehouse) -> None:
    publish(target, MODEL, as_frame(OLD)[:0])
    assert found(target) == []


def customer(name: str) -> pd.DataFrame:
    """A customer's only version."""
    version = {
        "customer_key": "CUST-1@2026-01-01",
        "customer_id": "CUST-1",
        "customer_name": name,
        "valid_from": date(2026, 1, 1),
        "valid_to": date(9999, 12, 31),
        "is_current": True,
        **dict.fromkeys(ATTRIBUTES),
        "top_customer_id": "CUST-1",
        "meta__warnings": "",
    }
    return pd.DataFrame([version])


def test_samples_show_flags_as_flags(warehouse: str) -> None:
    target = open_warehouse(warehouse)
    published = publish(target, DimCustomer, customer("One"))
    with target.transaction() as transaction:
        found = samples(transaction, DimCustomer, None, published.profile)
    (shown,) = found["sample"].to_dict("records")
    assert shown["is_current"] is True


def test_what_is_published_as_it_was_has_not_changed(warehouse: str) -> None:
    target, known = open_warehouse(warehouse), []
    for name in ("One", "One", "Two", "Two", "Two", "One"):
        publish(target, DimCustomer, customer(name), dependents=[Dependent(ReportCommitments)])
        known.append(read_ledger(target).of("mart.dim_customer")[None])
    assert [each.version for each in known] == [1, 2, 3, 4, 5, 6]
    assert [each.changed for each in known] == [1, 1, 3, 3, 3, 6]


def test_what_has_failed_in_a_session_harms_no_other(target: Warehouse) -> None:
    with target.session():
        publish(target, MODEL, as_frame([row(4)]))
        with pytest.raises(AuditError):
            publish(target, MODEL, as_frame([row(5, used_quantity=-1.0)]))
        target.release()
        assert seen(target) == [row(4)]
        publish(target, MODEL, as_frame([row(6)]))
        with target.reader() as backend:
            assert len(backend.raw_sql(f"SELECT * FROM {target.qualified(MODEL)}").fetchall()) == 1
    assert found(target) == [row(6)]


class Interrupted(BaseException):
    """As if the process were told to stop."""


def interrupted(target: Warehouse, error: type[BaseException]) -> None:
    """A publication that does not come to its end."""
    with target.transaction() as transaction:
        transaction.clear(MODEL)
        transaction.load(MODEL, transaction.stage(as_frame([row(4)])))
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Interrupted])
def test_an_error_in_a_transaction_undoes_it(error: type[BaseException], target: Warehouse) -> None:
    with pytest.raises(error):
        interrupted(target, error)
    assert found(target) == OLD
    publish(target, MODEL, as_frame([row(4)]))
    assert found(target) == [row(4)]


KILLED = """
import os, sys
import pandas as pd
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import test_publication as tests
with open_warehouse(sys.argv[1]).transaction() as transaction:
    transaction.clear(tests.MODEL)
    transaction.load(tests.MODEL, transaction.stage(tests.as_frame([tests.row(4)])))
    os.kill(os.getpid(), 9)
"""


def test_a_killed_process_leaves_the_table(target: Warehouse) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, target.url], check=False)
    assert done.returncode == -9
    assert found(target) == OLD
    publish(target, MODEL, as_frame([row(4)]))
    assert found(target) == [row(4)]


def test_readers_see_the_old_rows_until_the_new_ones_are_whole(target: Warehouse) -> None:
    target.release()
    with target.transaction() as transaction:
        transaction.clear(MODEL)
        transaction.load(MODEL, transaction.stage(as_frame([row(4)])))
        assert seen(target) == OLD
    assert found(target) == [row(4)]


def change_columns(target: Warehouse, sql: str) -> None:
    """Make the table one of another version; Sail has no ALTER."""
    if target.scheme == "spark":
        sail_server.change_columns(target.url, MODEL.full_name(), sql)
        return
    with target.transaction() as transaction:
        transaction.backend.raw_sql(f"ALTER TABLE {target.qualified(MODEL)} {sql}")


@pytest.mark.parametrize("sql", ["ADD COLUMN old INTEGER", "DROP COLUMN used_quantity"])
def test_a_table_with_other_columns_gets_those_of_the_model(sql: str, target: Warehouse) -> None:
    change_columns(target, sql)
    days = Days(OLD[1]["day"], OLD[1]["day"])
    publish(target, MODEL, as_frame([row(2, used_quantity=7.0)]), days)
    assert row(2, used_quantity=7.0) in found(target)
    assert {name for each in found(target) for name in each} == set(row(2))
    publish(target, MODEL, as_frame([row(2)]))
    assert found(target) == [row(2)]


def test_a_table_with_columns_of_another_type(tmp_path: Path) -> None:
    target = open_warehouse(f"duckdb://{tmp_path}/warehouse.duckdb")
    publish(target, MODEL, as_frame(OLD))
    change_columns(target, "ALTER COLUMN used_quantity TYPE BIGINT")
    publish(target, MODEL, as_frame([row(2, used_quantity=0.4)]))
    assert found(target) == [row(2, used_quantity=0.4)]


@pytest.mark.parametrize(
    "name", ["mart", "lake", "main", "temp", "system", "my mart", "a.b-c", "ü"]
)
def test_a_warehouse_may_have_any_name(name: str, engine: str, tmp_path: Path) -> None:
    target = open_warehouse(f"{engine}://{tmp_path}/{name}.db")
    for _ in range(2):
        publish(target, MODEL, as_frame(OLD))
        publish(target, MODEL, as_frame(OLD[:1]), Days(OLD[0]["day"], OLD[0]["day"]))
    assert found(target) == OLD
