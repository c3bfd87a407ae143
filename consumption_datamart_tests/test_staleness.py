"""On which days a change of a dimension shows, and what the ledger says of publications."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart.assets.star.accounts import ATTRIBUTES
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import DimCustomer, DimEntitlement, ReportingDay
from consumption_datamart.schema.facts import FactEntitlementDaily, FactUsageDaily
from consumption_datamart.schema.reports import ReportConsumptionDaily
from consumption_datamart.warehouse import (
    Dependent,
    Warehouse,
    open_warehouse,
    publish,
    read_ledger,
)
from consumption_datamart.warehouse.ledger import Failure, write_failures
from consumption_datamart_tests.lakes import Row, day

LAST = 12
READ = ("customer_id", "product_id", "daily_quantity")
FACT = "mart.fact_entitlement_daily"
ENTITLED = Dependent(FactEntitlementDaily, columns=READ)
ALWAYS, FOREVER = date(1900, 1, 1), date(9999, 12, 31)


def reporting(warehouse: Warehouse, last: int = LAST) -> None:
    """Days 1 to the last are reported."""
    publish(warehouse, ReportingDay, pd.DataFrame({"day": pd.date_range(day(1), day(last))}))


def term(number: int, customer: str, quantity: float, first: int, last: int) -> Row:
    """An amendment in force from the first day to the last; 99 is forever."""
    return {
        "source": "entitlements",
        "entitlement_id": f"ENT-{number}",
        "amendment": 0,
        "invoice_id": None,
        "customer_id": customer,
        "product_id": "db",
        "bundle_id": None,
        "quantity": Decimal(quantity),
        "unit": "vCPU",
        "metering": "capacity",
        "period": None,
        "starts_on": day(first),
        "ends_on": day(last + 1),
        "ceases_on": day(last + 1),
        "period_starts_on": day(first),
        "period_ends_on": day(last + 1),
        "daily_quantity": quantity,
        "valid_from": day(first),
        "valid_to": FOREVER if last == 99 else day(last + 1),
    }


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as pandas has them."""
    return pd.DataFrame(rows, columns=list(DimEntitlement.ibis_schema())).astype(
        {
            "valid_from": object,
            "valid_to": object,
            "invoice_id": "string",
            "bundle_id": "string",
            "period": "string",
        }
    )


@st.composite
def terms(draw: st.DrawFn) -> list[Row]:
    """A few amendments; some begin before the first reported day, or end after the last."""
    number = draw(st.integers(1, 4))
    rows = []
    for each in range(number):
        first = draw(st.integers(-2, LAST + 2))
        last = draw(st.sampled_from([first, first + 1, first + 5, 99]))
        customer, quantity = draw(st.sampled_from(["CUST-1", "CUST-2"])), draw(st.integers(1, 2))
        rows.append(term(each, customer, float(quantity), first, last))
    return rows


def says(rows: Sequence[Row], on: date) -> Counter[tuple[object, ...]]:
    """What the rows say of a day, in the columns that the fact reads."""
    return Counter(
        tuple(row[name] for name in READ)
        for row in rows
        if row["valid_from"] <= on < row["valid_to"]
    )


@given(before=terms(), now=terms())
@settings(max_examples=15, deadline=None)
def test_a_change_touches_the_days_of_which_the_rows_say_something_else(
    before: list[Row], now: list[Row]
) -> None:
    for engine in ("duckdb", "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            warehouse = open_warehouse(f"{engine}://{folder}/warehouse")
            reporting(warehouse)
            publish(warehouse, DimEntitlement, frame(before))
            touched = publish(warehouse, DimEntitlement, frame(now), dependents=[ENTITLED]).touched
        different = {
            day(number)
            for number in range(1, LAST + 1)
            if says(before, day(number)) != says(now, day(number))
        }
        assert {each for days in touched[FACT] for each in days.each()} == different


@pytest.fixture
def target(warehouse: str) -> Warehouse:
    """A warehouse that reports a few days."""
    opened = open_warehouse(warehouse)
    reporting(opened)
    return opened


def awaited(warehouse: Warehouse) -> dict[str, set[date]]:
    """The days of each daily table on which a change shows."""
    found = read_ledger(warehouse).awaited.items()
    return {name: set(days) for name, days in found if days}


def entitle(target: Warehouse, days: Days) -> None:
    """Build the fact for some days, of which nothing is said."""
    rows = pd.DataFrame(columns=list(FactEntitlementDaily.ibis_schema()))
    publish(target, FactEntitlementDaily, rows.astype({"day": "datetime64[ns]"}), days)


def test_all_days_are_touched_when_a_dimension_is_first_built(target: Warehouse) -> None:
    rows = frame([term(1, "CUST-1", 1.0, 3, 5)])
    touched = publish(target, DimEntitlement, rows, dependents=[ENTITLED]).touched
    assert touched == {FACT: [Days(day(1), day(LAST))]}


def test_a_change_is_written_down_until_its_days_are_published(target: Warehouse) -> None:
    publish(target, DimEntitlement, frame([term(1, "CUST-1", 1.0, 3, 5)]))
    rows = frame([term(1, "CUST-1", 2.0, 3, 5)])
    publish(target, DimEntitlement, rows, dependents=[ENTITLED])
    assert awaited(target) == {FACT: {day(3), day(4), day(5)}}
    entitle(target, Days(day(3), day(3)))
    assert awaited(target) == {FACT: {day(4), day(5)}}
    publish(target, DimEntitlement, rows, dependents=[ENTITLED])
    assert awaited(target) == {FACT: {day(4), day(5)}}, "nothing is forgotten"


def test_a_dimension_may_change_before_any_fact_is_there(target: Warehouse) -> None:
    facts = Dependent(ReportConsumptionDaily, daily={FactEntitlementDaily: 0})
    publish(target, DimEntitlement, frame([term(1, "CUST-1", 1.0, 3, 5)]), dependents=[facts])
    rows = frame([term(1, "CUST-1", 2.0, 3, 5)])
    publish(target, DimEntitlement, rows, dependents=[facts])
    assert target.exists(DimEntitlement)


def test_every_publication_has_a_later_version(target: Warehouse) -> None:
    publish(target, DimEntitlement, frame([]))
    entitle(target, Days(day(1), day(2)))
    entitle(target, Days(day(2), day(3)))
    ledger = read_ledger(target)
    versions = {each: found.version for each, found in ledger.of(FACT).items()}
    first = ledger.of(DimEntitlement.full_name())[None].version
    assert versions == {day(1): first + 1, day(2): first + 2, day(3): first + 2}
    assert ledger.reporting == Days(day(1), day(LAST))


def test_a_failure_is_remembered_until_the_day_is_published(target: Warehouse) -> None:
    entitle(target, Days(day(1), day(2)))
    before = read_ledger(target).of(FACT)[day(2)].version
    write_failures(target, FactEntitlementDaily, [day(2), day(3)], {day(2): "a dump"})
    write_failures(target, FactEntitlementDaily, [day(2)], {day(2): "another"})
    failed = read_ledger(target).failed[FACT]
    assert failed == {day(2): Failure(before, "another"), day(3): Failure(before, "")}
    entitle(target, Days(day(2), day(3)))
    assert not read_ledger(target).failed


def test_days_that_begin_or_cease_to_be_reported(target: Warehouse) -> None:
    of_days = [Dependent(FactEntitlementDaily)]
    more = pd.DataFrame({"day": pd.date_range(day(1), day(LAST + 2))})
    assert publish(target, ReportingDay, more, dependents=of_days).touched == {
        FACT: [Days(day(LAST + 1), day(LAST + 2))]
    }
    fewer = pd.DataFrame({"day": pd.date_range(day(2), day(LAST + 2))})
    assert publish(target, ReportingDay, fewer, dependents=of_days).touched == {
        FACT: [Days(day(1), day(1))]
    }


def test_a_new_name_touches_the_days_from_then_on_on_which_the_customer_is_seen(
    target: Warehouse,
) -> None:
    def customers(renamed: int | None) -> pd.DataFrame:
        ends = FOREVER if renamed is None else day(renamed)
        rows = [("CUST-1", "Acme", date(1900, 1, 1), ends), ("CUST-2", "B", ALWAYS, FOREVER)]
        if renamed is not None:
            rows.append(("CUST-1", "New", day(renamed), FOREVER))
        columns = ["customer_id", "customer_name", "valid_from", "valid_to"]
        found = pd.DataFrame(rows, columns=columns)
        keys = found.customer_id + "@" + found.valid_from.astype(str)
        found = found.assign(**dict.fromkeys(ATTRIBUTES), top_customer_id=found.customer_id)
        return found.assign(customer_key=keys, is_current=True, meta__warnings="")

    usage = pd.DataFrame(
        {
            "day": [day(2), day(5), day(9)],
            "deployment_id": "DEP-1",
            "customer_id": ["CUST-1", "CUST-1", "CUST-2"],
            "product_id": "db",
            "infrastructure": None,
            "unit": "vCPU",
            "unit_count": 1,
            "total_quantity": 1.0,
            "peak_quantity": 1.0,
            "event_count": 1,
        }
    )
    publish(target, FactUsageDaily, usage, Days(day(1), day(LAST)))
    publish(target, DimCustomer, customers(None))
    of_names = Dependent(
        ReportConsumptionDaily,
        columns=("customer_id", "customer_name"),
        daily={FactUsageDaily: 3},
    )
    touched = publish(target, DimCustomer, customers(4), dependents=[of_names]).touched
    assert touched == {of_names.model.full_name(): [Days(day(4), day(7))]}
