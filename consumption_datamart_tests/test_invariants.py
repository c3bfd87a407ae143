"""What must hold of the figures whatever a lake holds: shifted, scaled, split by customer."""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart_tests.compare import Tables, differing, same_value
from consumption_datamart_tests.lakes import Row, day, entitlement, noon, usage
from consumption_datamart_tests.mart import build_tables, tables_of
from consumption_datamart_tests.strategies import Dump, SmallLake, lakes
from consumption_datamart_tests.test_properties import SLOW, is_filled

REPORTS = [
    "mart.report_consumption_daily",
    "mart.report_account_consumption_daily",
    "mart.report_portfolio_daily",
    "mart.report_band_changes",
    "mart.report_renewals",
    "mart.report_commitments",
]
TEXTS = ("id", "name", "unit", "metering", "period", "currency", "segment", "region", "manager")


def reports_of(lake: SmallLake, names: Sequence[str] = REPORTS) -> Tables:
    """The reports of a lake, or other tables."""
    with tempfile.TemporaryDirectory() as folder:
        path, url = Path(folder, "lake"), f"duckdb://{folder}/warehouse.duckdb"
        path.mkdir()
        lake.write(path)
        build_tables(path, url, only=names)
        tables = tables_of(url)
    return {name: tables[name] for name in names}


def clean(lake: SmallLake, change: Callable[[Row], Row] = dict) -> SmallLake:
    """The rows of a lake that are not dirty, with a change made to each."""

    def is_clean(row: Row) -> bool:
        texts = [name for name, value in row.items() if isinstance(value, str)]
        return all(name.endswith((*TEXTS, "infrastructure")) for name in texts)

    dumps = [
        replace(
            dump,
            layout="csv",
            malformed=(),
            rows=tuple(change(r) for r in dump.rows if is_clean(r)),
        )
        for dump in lake.dumps
    ]
    return SmallLake(tuple(dumps), lake.settings)


def drawn() -> st.SearchStrategy[SmallLake]:
    """Lakes of up to forty days."""
    return lakes(max_days=40).filter(is_filled)


@settings(SLOW, max_examples=2)
@given(drawn())
def test_shifting_all_dates_shifts_the_answer(lake: SmallLake) -> None:
    """But for periods of months, which are not all as long."""
    by = timedelta(days=14)

    def without_periods(row: Row) -> Row:
        return row | {"period": None} if "period" in row else row

    def shifted(value: object) -> object:
        return value + by if isinstance(value, date | datetime) and value.year < 2900 else value

    def shift(row: Row) -> Row:
        return {name: shifted(value) for name, value in row.items()}

    before = clean(lake, without_periods)
    after = clean(before, shift)
    moved = tuple(replace(dump, day=dump.day + by) for dump in after.dumps)
    expected = {name: [shift(row) for row in rows] for name, rows in reports_of(before).items()}
    assert differing(reports_of(SmallLake(moved, after.settings)), expected) == {}


SHARES = {
    "mart.report_consumption_daily": ("band", "consumption_30d", "days_reported"),
    "mart.report_account_consumption_daily": ("band", "consumption_30d", "customers"),
    "mart.report_band_changes": ("band_before", "band"),
    "mart.report_commitments": ("status", "projected_pct", "pace", "exhausts_on"),
    "mart.report_renewals": ("band", "at_risk", "renewed_by"),
}


@settings(SLOW, max_examples=2)
@given(drawn())
def test_greater_quantities_leave_bands_and_statuses(lake: SmallLake) -> None:
    def scale(row: Row) -> Row:
        is_scaled = ("metering" in row and "customer_id" in row) or "event_id" in row
        factor = Decimal(4) if isinstance(row.get("quantity"), Decimal) else 4.0
        return row | {"quantity": row["quantity"] * factor} if is_scaled else row

    def shares(tables: Tables) -> Tables:
        return {
            name: [{column: row[column] for column in columns} for row in tables[name]]
            for name, columns in SHARES.items()
        }

    before = clean(lake)
    assert differing(shares(reports_of(clean(before, scale))), shares(reports_of(before))) == {}


METERED = {"calls": ("consumable", "api_call")}


@settings(SLOW, max_examples=2)
@given(drawn())
def test_a_lake_split_by_customer_adds_up_to_the_whole(lake: SmallLake) -> None:
    """Where customers share neither entitlements, invoices nor events, and products are as sold."""

    def own(row: Row) -> Row:
        names = [n for n in ("entitlement_id", "invoice_id", "event_id") if row.get(n)]
        row = row | {name: f"{row[name]}-{row.get('customer_id')}" for name in names}
        if "product_name" in row:
            row = row | {"product_name": row["product_id"]}
        if "metering" in row and "customer_id" in row:
            metering, unit = METERED.get(str(row["product_id"]), ("capacity", "vCPU"))
            row = row | {"metering": metering, "unit": unit}
        return row

    def part(keep: Callable[[Row], bool]) -> SmallLake:
        halves = [
            replace(dump, rows=tuple(row for row in dump.rows if keep(row)))
            if dump.table in ("invoices", "entitlements", "telemetry")
            else dump
            for dump in whole.dumps
        ]
        return SmallLake((*halves, terms), whole.settings)

    whole = clean(lake, own)
    products = {str(r["product_id"]) for d in whole.dumps for r in d.rows if r.get("product_id")}
    # far away, so that each half knows how each product is metered
    term = {"customer_id": "CUST-99", "starts_on": date(2300, 1, 1), "ends_on": date(2301, 1, 1)}
    rows = [
        own(entitlement(entitlement_id=product, product_id=product, **term))
        for product in sorted(products)
    ]
    terms = Dump("entitlements", day(42), "csv", tuple(rows))
    names = ["mart.report_consumption_daily", "mart.report_renewals", "mart.report_commitments"]
    first = reports_of(part(lambda row: row["customer_id"] == "CUST-1"))
    second = reports_of(part(lambda row: row["customer_id"] != "CUST-1"))
    both = {name: first[name] + second[name] for name in names}
    expected = reports_of(part(lambda _: True))
    assert differing(both, {name: expected[name] for name in names}) == {}


@settings(SLOW, max_examples=3)
@given(drawn())
def test_commitments_share_all_that_is_used_while_something_is_entitled(lake: SmallLake) -> None:
    """Where all that was ever in force still is on last_day, and has no periods."""

    def lasting(row: Row) -> Row:
        if "starts_on" not in row:
            return row
        own = {"entitlement_id": f"{row['entitlement_id']}-{row['amendment']}", "amendment": 0}
        return row | own | {"period": None, "ends_on": max(row["ends_on"], day(400))}

    whole = clean(lake, lasting)
    used = [r for d in whole.dumps if d.table == "telemetry" for r in d.rows]
    used.append(usage(event_ts=noon(42)))
    owners = {(str(row["customer_id"]), str(row["product_id"])) for row in used}
    terms = [
        entitlement(
            entitlement_id=f"{customer}-{product}", customer_id=customer, product_id=product
        )
        for customer, product in sorted(owners)
    ]
    more = (
        Dump("entitlements", day(42), "csv", tuple(terms)),
        Dump("telemetry", day(42), "csv", (used[-1],)),
    )
    commitments, facts = "mart.report_commitments", "mart.fact_consumption_daily"
    tables = reports_of(SmallLake((*whole.dumps, *more), whole.settings), [commitments, facts])
    shared, entitled = Counter[tuple[object, ...]](), Counter[tuple[object, ...]]()
    for row in tables[commitments]:
        shared[row["customer_id"], row["product_id"]] += row["used_to_date"]
    for row in tables[facts]:
        if row["entitled_quantity"] > 0:
            entitled[row["customer_id"], row["product_id"]] += row["used_quantity"]
    assert entitled["CUST-1", "db"] > 0
    assert [one for one in entitled if not same_value(shared[one], entitled[one])] == []
