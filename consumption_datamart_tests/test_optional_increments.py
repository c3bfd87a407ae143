"""What a change of a rate, an account, a bundle or `lake.toml` costs; burn-downs day by day."""

from collections.abc import Callable
from pathlib import Path

import pytest

from consumption_datamart.build import dry_run
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import (
    account,
    bundle,
    day,
    entitlement,
    invoice,
    noon,
    rate,
    usage,
    write_dump,
)
from consumption_datamart_tests.mart import (
    DUCKDB,
    Built,
    Mart,
    build,
    build_tables,
    settings,
    tables_of,
    without_monitoring,
)
from consumption_datamart_tests.oracle import expected_tables

LAST = 34
LOADED = {"dumps", "files", "quarantine"}


def write_lake(lake: Path) -> None:
    """Two customers of one group: one has a bundle, one a monthly quantity."""
    lines = [
        invoice(invoice_date=day(1), product_id="suite"),
        invoice(invoice_date=day(1), invoice_id="INV-2", customer_id="CUST-2", product_id="calls"),
    ]
    write_dump(lake, "invoices", day(1), lines)
    calls = entitlement(
        entitlement_id="ENT-2",
        invoice_id="INV-2",
        customer_id="CUST-2",
        product_id="calls",
        unit="call",
        metering="consumable",
        period="month",
        quantity=62,
        ends_on=day(60),
    )
    terms = [entitlement(product_id="suite", starts_on=day(-20), ends_on=day(60)), calls]
    write_dump(lake, "entitlements", day(1), terms)
    parts = [bundle(bundle_id="suite"), bundle(bundle_id="suite", product_id="cache")]
    write_dump(lake, "bundles", day(1), parts)
    members = [account(customer_id=f"CUST-{n}", parent_customer_id="GROUP") for n in (1, 2)]
    write_dump(lake, "accounts", day(1), members)
    write_dump(lake, "exchange_rates", day(1), [rate(currency="EUR", valid_from=day(1))])
    for number in range(1, LAST + 1):
        write_dump(lake, "telemetry", day(number), used(number))


def used(number: int, calls: float = 2.0) -> list[dict[str, object]]:
    """What both use on a day."""
    other = {"customer_id": "CUST-2", "product_id": "calls", "unit": "call"}
    return [
        usage(event_ts=noon(number)),
        usage(
            event_ts=noon(number), event_id="EV-2", deployment_id="DEP-2", quantity=calls, **other
        ),
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of that lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def new_rate(lake: Path) -> None:
    """Known on a later day."""
    write_dump(lake, "exchange_rates", day(20), [rate(currency="EUR", valid_from=day(20), rate=2)])


def moved_account(lake: Path) -> None:
    """To another parent."""
    write_dump(
        lake, "accounts", day(20), [account(customer_id="CUST-2", parent_customer_id="OTHER")]
    )


def changed_bundle(lake: Path) -> None:
    """More of one component, and the other is no longer in it."""
    write_dump(lake, "bundles", day(20), [bundle(bundle_id="suite", quantity=3)])


def other_currency(lake: Path) -> None:
    """In which values are added up."""
    (lake / "lake.toml").write_text('currency = "EUR"\n')


RESULTS = {"report_renewals", "report_commitments"}
DUMPED = {"reporting_day"}
"""What reads which days have dumps: as these are the same days, no other table follows it."""
CHANGES: list[tuple[Callable[[Path], None], str, set[str], str]] = [
    (new_rate, "raw_exchange_rates", {"entitlement_value"} | DUMPED | RESULTS, "entitlement_value"),
    (
        moved_account,
        "raw_accounts",
        {"account_tree", "dim_customer", "dim_account", "report_account_consumption_daily"}
        | {"fact_invoice_line"}
        | DUMPED
        | RESULTS,
        "account_tree",
    ),
    (
        other_currency,
        "declarations",
        {"entitlement_value", "dim_product"} | RESULTS,
        "entitlement_value",
    ),
]


@DUCKDB
@pytest.mark.parametrize(
    ("change", "table", "follows", "first"), CHANGES, ids=[each[0].__name__ for each in CHANGES]
)
def test_a_change_costs_what_it_touches(
    change: Callable[[Path], None], table: str, follows: set[str], first: str, mart: Mart
) -> None:
    change(mart.lake)
    reasons = {step.table.split(".")[1]: step.reason for step in dry_run(settings(*mart))}
    assert reasons[table] == "a dump is new, changed or gone"
    assert reasons[first] == f"{table} is refreshed"
    names = {each.name.split("/")[-1] for each in build(*mart).tables}
    touched = {name for name in names if name.split("_")[0] not in LOADED}
    assert touched - {table, "objective"} == follows
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}
    assert build(*mart).tables == []


@DUCKDB
def test_a_changed_bundle_costs_the_days_of_its_entitlements(mart: Mart) -> None:
    changed_bundle(mart.lake)
    days = {each.name.split("/")[-1]: each.days for each in build(*mart).tables}
    assert days["fact_entitlement_daily"] == days["report_consumption_daily"] == LAST
    assert not {"raw_telemetry", "raw_invoices", "fact_usage_daily"} & set(days)
    assert differing(tables_of(mart.url), expected_tables(mart.lake)) == {}


def test_a_burn_down_built_day_by_day_is_that_which_is_built_at_once(
    engine: str, tmp_path: Path
) -> None:
    """Also where a day comes late, and another is restated, in a period that is over."""
    source, mart = tmp_path / "source", Mart.of(tmp_path, engine)
    write_lake(source)
    mart.lake.mkdir()
    for table in ("invoices", "entitlements", "bundles", "accounts", "exchange_rates"):
        (source / table).rename(mart.lake / table)
    late, restated = day(9), day(12)
    for number in (*range(1, 5), *range(28, LAST + 1)):
        dump = source / "telemetry" / f"{day(number)}.csv"
        (mart.lake / "telemetry").mkdir(exist_ok=True)
        dump.rename(mart.lake / "telemetry" / dump.name)
        if number > LAST - 3:
            build(*mart)
    write_dump(mart.lake, "telemetry", late, used(9, 5.0))
    build(*mart)
    write_dump(mart.lake, "telemetry", restated, used(12, 50.0))
    build(*mart)
    write_dump(mart.lake, "telemetry", day(30), used(30, 7.0))
    build(*mart)
    at_once = f"{engine}://{tmp_path}/once.{engine}"
    build_tables(mart.lake, at_once)
    stepwise = without_monitoring(tables_of(mart.url))
    assert differing(stepwise, without_monitoring(tables_of(at_once))) == {}
    assert differing(stepwise, expected_tables(mart.lake)) == {}
    (calls,) = [row for row in stepwise["mart.report_commitments"] if row["product_id"] == "calls"]
    assert (calls["starts_on"], calls["used_to_date"]) == (day(32), 6.0)
