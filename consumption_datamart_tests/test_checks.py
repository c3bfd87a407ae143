"""Each check, on a real mart: it passes, and fails of what it is there to find."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.checks import Check, Result, evaluate
from consumption_datamart.checks.usual import WEEKS
from consumption_datamart.factories.monitoring import all_checks
from consumption_datamart.schema.days import Days
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Transaction, Warehouse, open_warehouse
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ENGINES, build_tables, catalog

CHECKS = {
    f"{check.model.full_name()} {check.name}": check
    for check in all_checks(LAKE, catalog(Settings(posted_late_after_days=3), *STAR, *REPORTS))
}
LAST, TODAY = 40, date(2026, 2, 10)
DAYS = Days(day(1), day(LAST))


def write_lake(lake: Path) -> None:
    """Forty days: three customers that use two products, 30 events a day."""
    lines = [
        invoice(
            invoice_id=f"INV-{n}",
            line_number=line,
            invoice_date=day(1),
            customer_id=f"CUST-{n}",
            product_id=("calls", "db")[line % 2],
            currency="USD",
        )
        for n in (1, 2, 3)
        for line in range(1, 11)
    ]
    terms = [
        entitlement(entitlement_id=f"ENT-{n}", customer_id=f"CUST-{n}", ends_on=day(60 + n))
        for n in (1, 2, 3)
    ]
    for number in range(1, LAST + 1):
        # of the accounts as much every day as its weekday before: full snapshots
        write_dump(lake, "invoices", day(number), lines)
        write_dump(lake, "entitlements", day(number), terms)
        events = [
            usage(
                event_id=f"EV-{n}",
                event_ts=noon(number),
                customer_id=f"CUST-{n % 3 + 1}",
                deployment_id=f"DEP-{n % 3 + 1}",
                product_id=("db", "calls")[n % 3 == 2],
            )
            # the second customer pauses for so long that it is not active for a while
            for n in range(30)
            if not (n % 3 == 1 and 3 <= number <= 36)
        ]
        write_dump(lake, "telemetry", day(number), events)


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Warehouse]:
    """The mart of that lake, on each engine."""
    folder = tmp_path_factory.mktemp("checks")
    write_lake(folder / "lake")
    opened = {}
    for engine in ENGINES:
        url = f"{engine}://{folder}/warehouse.{engine}"
        build_tables(folder / "lake", url)
        opened[engine] = open_warehouse(url)
    return opened


@pytest.fixture
def mart(marts: dict[str, Warehouse], engine: str) -> Iterator[Transaction]:
    """A transaction on the mart; what a test does to it is undone."""
    undo = ExitStack()
    yield undo.enter_context(marts[engine].transaction())
    undo.__exit__(KeyError, KeyError("undone"), None)


def results(mart: Transaction, checks: list[Check], today: date = TODAY) -> list[Result]:
    """What evaluation says of all days."""
    found = []
    for model, of_table in groupby(checks, lambda check: check.model):
        days = DAYS if model.day_column() else None
        found += evaluate(list(of_table), mart.slice, mart.rows, days, today)
    return found


class Harm(NamedTuple):
    """What is done to a table, and what a check is to say of it."""

    check: str
    table: str
    sql: str
    measured: float
    day: date | None = None


def on(number: int, column: str = "day") -> str:
    """SQL: of that day."""
    return f"\"{column}\" = '{day(number)}'"


TELEMETRY, DUMP = "lake.raw_telemetry", "dump_day"
FILES = "lake.files_telemetry"
USAGE, ENTITLED = "mart.fact_usage_daily", "mart.fact_entitlement_daily"
USED, LINES = "mart.fact_consumption_daily", "mart.fact_invoice_line"
BY_UNIT = "mart.usage_by_unit_daily"
ACTIVE = "mart.report_active_customers_by_product_daily"
ACCOUNTS, PORTFOLIO = "mart.report_account_consumption_daily", "mart.report_portfolio_daily"
CHANGES = "mart.report_band_changes"
CUSTOMER, PRODUCT, DEPLOYMENT = "mart.dim_customer", "mart.dim_product", "mart.dim_deployment"
SECOND = "customer_id = 'CUST-2'"
HARMS = [
    Harm(f"{USAGE} model", USAGE, f"UPDATE {{}} SET event_count = 0 WHERE {on(5)}", 2, day(5)),
    Harm(f"{USAGE} model", USAGE, f"INSERT INTO {{}} SELECT * FROM {{}} WHERE {on(7)}", 4, day(7)),
    Harm(f"{PRODUCT} model", PRODUCT, "UPDATE {} SET metering = 'odd'", 2),
    Harm(f"{TELEMETRY} rows_accounted", TELEMETRY, f"DELETE FROM {{}} WHERE {on(5, DUMP)}"
         " AND event_id = 'EV-0'", 1, day(5)),
    Harm(f"{TELEMETRY} rows_accounted", "lake.quarantine_telemetry",
         "INSERT INTO {} (source, dump_day, reason, file)"
         f" VALUES ('telemetry', '{day(6)}', 'wrong_day', 'x')",
         1, day(6)),
    Harm(f"{TELEMETRY} rows_accounted", FILES,
         f"UPDATE {{}} SET rows_read = rows_read + 3 WHERE {on(8, DUMP)}", 3, day(8)),
    Harm("lake.raw_invoices rows_accounted", "lake.raw_invoices", "DELETE FROM {}", 30),
    Harm("lake.quarantine_telemetry quarantined_share", FILES,
         f"UPDATE {{}} SET rows_quarantined = 10, rows_read = 40 WHERE {on(9, DUMP)}",
         0.25, day(9)),
    Harm(f"{TELEMETRY} volume", FILES, f"UPDATE {{}} SET rows_read = 60 WHERE {on(1 + 28, DUMP)}",
         2.0, day(29)),
    Harm("lake.raw_invoices volume", "lake.files_invoices",
         f"UPDATE {{}} SET rows_read = 6 WHERE {on(LAST, DUMP)}", 0.8),
    Harm(f"{FILES} same_columns", FILES,
         f"UPDATE {{}} SET unexpected_columns = 'region' WHERE {on(LAST, DUMP)}", 1, day(LAST)),
    Harm(f"{FILES} same_columns", FILES,
         f"UPDATE {{}} SET missing_columns = 'infrastructure' WHERE {on(20, DUMP)}", 1, day(20)),
    Harm("lake.files_invoices same_columns", "lake.files_invoices",
         f"UPDATE {{}} SET unexpected_columns = 'vat' WHERE {on(LAST, DUMP)}", 1),
    *(Harm(f"lake.dumps late_{table}", "lake.dumps", f"DELETE FROM {{}} WHERE lake_table = "
           f"'{table}' AND dump_day > '{day(LAST - 4)}'", 5)
      for table in ("invoices", "entitlements", "telemetry")),
    Harm(f"{TELEMETRY} warnings_share", TELEMETRY, "UPDATE {} SET meta__warnings = "
         f"'unusual_quantity' WHERE {on(4, DUMP)}", 1.0, day(4)),
    Harm(f"{CUSTOMER} warnings_share", CUSTOMER, "UPDATE {} SET meta__warnings = "
         "'unknown_customer' WHERE customer_id <> 'CUST-1'", 2 / 3),
    Harm(f"{USAGE} reconciles", USAGE, "UPDATE {} SET total_quantity = total_quantity * 2 WHERE "
         f"{on(5)}", 0.5, day(5)),
    Harm(f"{USAGE} reconciles", USAGE, f"DELETE FROM {{}} WHERE {on(38)} AND {SECOND}", 10,
         day(38)),
    Harm(f"{BY_UNIT} reconciles", BY_UNIT, "UPDATE {} SET peak_quantity = 0, total_quantity = "
         f"total_quantity * 4 WHERE {on(5)}", 0.75, day(5)),
    Harm(f"{BY_UNIT} reconciles", TELEMETRY, f"DELETE FROM {{}} WHERE {on(38, DUMP)} AND {SECOND}",
         10, day(38)),
    Harm(f"{LINES} reconciles", LINES, "UPDATE {} SET amount = amount * 4", 0.75),
    Harm(f"{LINES} reconciles", LINES, "DELETE FROM {} WHERE invoice_id = 'INV-1'", 10),
    *(Harm(f"{ACTIVE} complete", ACTIVE, sql, 1, day(LAST)) for sql in (
        f"DELETE FROM {{}} WHERE {on(LAST)} AND {SECOND}",
        "INSERT INTO {} SELECT day, product_id, product_name, 'CUST-9', customer_name FROM {} "
        f"WHERE {on(LAST)} AND {SECOND}")),
    Harm("mart.report_consumption_daily complete", "mart.report_consumption_daily",
         f"DELETE FROM {{}} WHERE {on(6)} AND {SECOND}", 1, day(6)),
    *(Harm(f"{report} complete", report, f"DELETE FROM {{}} WHERE {SECOND}", 1)
      for report in ("mart.report_renewals", "mart.report_commitments")),
    Harm(f"{ACCOUNTS} complete", ACCOUNTS,
         f"DELETE FROM {{}} WHERE {on(6)} AND top_{SECOND}", 1, day(6)),
    Harm(f"{ACCOUNTS} complete", ACCOUNTS, "UPDATE {} SET used_30d = used_30d + entitled_30d"
         f" + used_30d + used_limited_30d WHERE {on(6)}", 0.5, day(6)),
    Harm(f"{PORTFOLIO} complete", PORTFOLIO, f"UPDATE {{}} SET healthy = healthy + 1 WHERE {on(6)}"
         " AND product_id = 'db'", 1, day(6)),
    Harm(f"{CHANGES} complete", CHANGES, f"DELETE FROM {{}} WHERE {on(36)} AND {SECOND}",
         2, day(36)),
    Harm(f"{CUSTOMER} has_every_member", CUSTOMER, f"DELETE FROM {{}} WHERE {SECOND}", 1),
    Harm(f"{PRODUCT} has_every_member", PRODUCT, "DELETE FROM {} WHERE product_id = 'calls'", 1),
    Harm(f"{DEPLOYMENT} has_every_member", DEPLOYMENT, "DELETE FROM {}", 3),
    Harm(f"{LINES} customer_key_in_dim_customer", CUSTOMER,
         "UPDATE {} SET customer_key = 'x'", 30),
    Harm(f"{LINES} customer_id_in_dim_customer", CUSTOMER, "DELETE FROM {}", 30),
    Harm(f"{LINES} product_id_in_dim_product", PRODUCT, "DELETE FROM {}", 30),
    Harm(f"{LINES} day_in_dim_day", "mart.dim_day", "DELETE FROM {}", 30),
    Harm(f"{USAGE} customer_id_in_dim_customer", CUSTOMER, f"DELETE FROM {{}} WHERE {SECOND}",
         1, day(2)),
    Harm(f"{USAGE} product_id_in_dim_product", PRODUCT, "DELETE FROM {}", 3, day(2)),
    Harm(f"{USAGE} deployment_id_in_dim_deployment", DEPLOYMENT, "DELETE FROM {}", 3, day(2)),
    Harm(f"{USAGE} day_in_dim_day", "mart.dim_day", f"DELETE FROM {{}} WHERE {on(2)}", 3, day(2)),
    Harm(f"{ENTITLED} customer_id_in_dim_customer", CUSTOMER, "DELETE FROM {}", 3, day(2)),
    Harm(f"{ENTITLED} product_id_in_dim_product", PRODUCT, "DELETE FROM {}", 3, day(2)),
    Harm(f"{ENTITLED} day_in_dim_day", "mart.dim_day", "DELETE FROM {}", 3, day(2)),
    Harm(f"{USED} customer_id_in_dim_customer", CUSTOMER, f"DELETE FROM {{}} WHERE {SECOND}",
         1, day(9)),
    Harm(f"{USED} product_id_in_dim_product", PRODUCT, "DELETE FROM {} WHERE product_id = 'calls'",
         1, day(2)),
    Harm(f"{USED} day_in_dim_day", "mart.dim_day", f"DELETE FROM {{}} WHERE {on(9)}", 4, day(9)),
]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: f"{harm.check} {harm.table}")
def test_a_check_fails_of(harm: Harm, mart: Transaction) -> None:
    model = next(
        model
        for each in CHECKS.values()
        for model in each.reads.values()
        if model.full_name() == harm.table
    )
    check = CHECKS[harm.check]
    assert all(result.passed for result in results(mart, [check]))
    mart.backend.raw_sql(harm.sql.replace("{}", mart.warehouse.qualified(model)))
    found = {result.day: result for result in results(mart, [check])}[harm.day]
    assert not found.passed
    assert found.measured == pytest.approx(harm.measured)


def test_every_check_is_made_to_fail_but_for_those_that_are_alike() -> None:
    """One model stands for all; so does telemetry for the lake tables, where it is not alone."""
    alike = ("model", "warnings_share", "quarantined_share", "rows_accounted", "volume")
    missing = CHECKS.keys() - {harm.check for harm in HARMS}
    assert {name for name in missing if not name.endswith((*alike, "same_columns"))} == set()
    assert {harm.check.split()[1] for harm in HARMS} >= {*alike, "same_columns"}


def test_all_checks_pass_on_a_good_mart_and_measure_something(mart: Transaction) -> None:
    found = results(mart, list(CHECKS.values()))
    assert [str(result) for result in found if not result.passed] == []
    measured = {result.check.name for result in found if result.measured is not None}
    # of what is missing there is nothing to measure where nothing is
    assert measured >= {check.name for check in CHECKS.values()} - {
        *(name for name in {check.name for check in CHECKS.values()} if "_in_dim_" in name)
    }
    by_day = [result for result in found if result.check.name == "volume" and result.day]
    assert [result.day for result in by_day if result.measured is None] == [
        day(number) for number in range(1, 1 + 21)
    ]


@pytest.mark.parametrize("before", [(90, 20, 40), (35, 90, 20, 40), (20, 20, 20, 60)])
def test_rows_are_compared_with_the_median_of_the_weekday_before(
    before: tuple[int, ...], mart: Transaction
) -> None:
    check = CHECKS[f"{TELEMETRY} volume"]
    table = mart.warehouse.qualified(check.reads["files"])
    for week in range(1, WEEKS + 1):
        dump = on(29 - 7 * week, DUMP)
        if week <= len(before):
            update = f"UPDATE {table} SET rows_read = {before[week - 1]} WHERE {dump}"
        else:
            update = f"DELETE FROM {table} WHERE {dump}"
        mart.backend.raw_sql(update)
    found = {result.day: result for result in results(mart, [check])}[day(29)]
    usual, now = median(before), 20  # of the three customers one pauses
    assert found.measured == pytest.approx(abs(now - usual) / usual)


def late(mart: Transaction, today: date) -> float | None:
    """How late the check finds telemetry."""
    (found,) = results(mart, [CHECKS["lake.dumps late_telemetry"]], today)
    assert found.passed == (found.measured is not None and found.measured <= 3)
    return found.measured


@pytest.mark.parametrize(
    ("ahead", "measured"), [(0, 0), (1, 1), (3, 3), (4, 4), (30, 30), (31, 0), (-5, 0)]
)
def test_a_delivery_is_late_against_today_but_not_that_of_an_archive(
    ahead: int, measured: float, mart: Transaction
) -> None:
    assert late(mart, day(LAST) + timedelta(days=ahead)) == measured


def test_no_check_fails_of_tables_without_rows(mart: Transaction) -> None:
    for model in {model for check in CHECKS.values() for model in check.reads.values()}:
        mart.backend.raw_sql(f"DELETE FROM {mart.warehouse.qualified(model)}")
    found = results(mart, list(CHECKS.values()))
    assert [str(result) for result in found if not result.passed] == []


SAMENESS: dict[str, Callable[[Path], None]] = {
    "a column appears": lambda lake: write_dump(
        lake, "telemetry", day(6), [usage(event_ts=noon(6))], extra={"region": "eu"}
    ),
    "a column vanishes": lambda lake: write_dump(
        lake,
        "telemetry",
        day(6),
        [usage(event_ts=noon(6))],
        columns=[name for name in usage() if name != "infrastructure"],
    ),
}


@pytest.mark.parametrize("change", SAMENESS.values(), ids=SAMENESS)
def test_columns_of_a_dump(change: Callable[[Path], None], lake: Path, warehouse: str) -> None:
    for number in (5, 6, 7):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    change(lake)
    build_tables(lake, warehouse, ["lake.files_telemetry"])
    with open_warehouse(warehouse).transaction() as transaction:
        found = results(transaction, [CHECKS[f"{FILES} same_columns"]])
    # it appears on one day, and vanishes on the next, or the other way round
    assert [result.day for result in found if not result.passed] == [day(6), day(7)]
