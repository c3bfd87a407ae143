"""What a user of the simulated lake relies on."""

from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow.parquet as pq
import pytest

from consumption_datamart.schema.codes import BANDS, STATUSES
from consumption_datamart.simulation import simulate
from consumption_datamart.simulation.names import company_names, renamed
from consumption_datamart.simulation.sample import write_sample
from consumption_datamart_tests import cli
from consumption_datamart_tests.mart import build, tables_of

Mart = dict[str, list[dict[str, Any]]]

DAYS, END = 60, date(2026, 9, 30)
START = END - timedelta(DAYS - 1)
SIZE: dict[str, Any] = {
    "days": DAYS,
    "end": END,
    "customers": 40,
    "products": 6,
    "rows_per_day": 300,
}
SOURCE_DATA = Path(__file__).parent.parent / "source_data"

KEYS = {
    "invoices": "day, invoice_id, line_number",
    "entitlements": "day, entitlement_id, amendment",
    "telemetry": "day, event_id",
    "bundles": "day, bundle_id, product_id",
    "accounts": "day, customer_id",
    "exchange_rates": "day, currency, valid_from",
}
COLUMNS = {
    "invoices": "invoice_id VARCHAR, line_number BIGINT, invoice_date DATE, customer_id VARCHAR, "
    "customer_name VARCHAR, product_id VARCHAR, product_name VARCHAR, quantity DECIMAL(18,4), "
    "unit_price DECIMAL(18,4), currency VARCHAR, term_months BIGINT",
    "entitlements": "entitlement_id VARCHAR, amendment BIGINT, invoice_id VARCHAR, "
    "customer_id VARCHAR, product_id VARCHAR, quantity DECIMAL(18,4), unit VARCHAR, "
    "metering VARCHAR, period VARCHAR, starts_on DATE, ends_on DATE",
    "telemetry": "event_id VARCHAR, event_ts TIMESTAMP, customer_id VARCHAR, "
    "deployment_id VARCHAR, product_id VARCHAR, infrastructure VARCHAR, quantity DOUBLE, "
    "unit VARCHAR",
    "bundles": "bundle_id VARCHAR, product_id VARCHAR, quantity DECIMAL(18,4), unit VARCHAR, "
    "metering VARCHAR",
    "accounts": "customer_id VARCHAR, parent_customer_id VARCHAR, segment VARCHAR, "
    "region VARCHAR, account_manager VARCHAR",
    "exchange_rates": "currency VARCHAR, valid_from DATE, rate DECIMAL(18,8)",
}
EXTRAS = ("bundles", "accounts", "exchange_rates")
SNAPSHOTS = 2  # on the first day, and on the first of the month that begins later
OPTIONAL = {
    ("entitlements", "invoice_id"),
    ("entitlements", "period"),
    ("telemetry", "infrastructure"),
    *(("accounts", name) for name in COLUMNS["accounts"].split() if name != "customer_id"),
}
OUT_OF_RANGE = {
    "invoices": "unit_price < 0 OR line_number < 1 OR term_months < 0",
    "entitlements": "quantity < 0 OR amendment < 0 OR starts_on > ends_on"
    " OR metering NOT IN ('capacity', 'consumable', 'unlimited')"
    " OR period NOT IN ('month', 'quarter')",
    "telemetry": "quantity < 0 OR NOT isfinite(quantity)",
    "bundles": "quantity < 0 OR metering NOT IN ('capacity', 'consumable')",
    "exchange_rates": "rate <= 0 OR length(currency) <> 3",
}
WRONG_DAY = {
    "invoices": "invoice_date > day",
    "telemetry": "event_ts::DATE <> day",
}
NEVER = "false"


def columns(table: str) -> dict[str, str]:
    return dict(column.split() for column in COLUMNS[table].split(", "))


def missing(table: str) -> str:
    """Tells rows without a required value."""
    required = [name for name in columns(table) if (table, name) not in OPTIONAL]
    return " OR ".join(f"coalesce(trim({name}::VARCHAR), '') = ''" for name in required)


@pytest.fixture
def db() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def read(lake: Path, table: str, errors: str = "") -> str:
    """A query of all rows of the lake's table, with the day of their dump."""
    day = "regexp_extract(filename, '([0-9-]{10})[.]', 1)::DATE AS day"
    if any(lake.glob(f"{table}/*.csv")):
        files = (
            f"read_csv('{lake}/{table}/*.csv', auto_detect=false, header=true, delim=',', "
            f"""quote='"', columns={columns(table)}, filename=true {errors})"""
        )
    else:
        files = f"read_parquet('{lake}/{table}/*.parquet', filename=true)"
    return f"SELECT * EXCLUDE (filename), {day} FROM {files}"


READABLE = ", ignore_errors=true"
REJECTS = ", store_rejects=true"


def files(lake: Path) -> dict[Path, bytes]:
    """The content of all files, by their paths in the lake."""
    return {path.relative_to(lake): path.read_bytes() for path in lake.rglob("*") if path.is_file()}


def count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.sql(f"SELECT count(*) FROM ({query})").fetchall()[0][0])


def assert_same_rows(db: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    assert count(db, f"({one}) EXCEPT ALL ({other})") == 0
    assert count(db, f"({other}) EXCEPT ALL ({one})") == 0


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("lakes")
    for format in ("csv", "parquet"):
        simulate(out / format, **SIZE, format=format)
        simulate(out / f"dirty_{format}", **SIZE, format=format, dirt=0.02)
    return {path.name: path for path in out.iterdir()}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_the_same_seed_makes_the_same_files(
    format: Literal["csv", "parquet"], lakes: dict[str, Path], tmp_path: Path
) -> None:
    made = files(lakes[f"dirty_{format}"])
    simulate(tmp_path / "again", **SIZE, format=format, dirt=0.02)
    simulate(tmp_path / "other", **SIZE, format=format, dirt=0.02, seed=1)

    assert len(made) == 3 * DAYS + len(EXTRAS) * SNAPSHOTS + 1
    assert files(tmp_path / "again") == made
    assert files(tmp_path / "other").keys() == made.keys()
    assert files(tmp_path / "other") != made


@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize("dirt", ["", "dirty_"])
def test_both_formats_hold_the_same_rows_that_can_be_read(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str, dirt: str
) -> None:
    errors = READABLE if dirt else ""
    csv = read(lakes[f"{dirt}csv"], table, errors)
    assert_same_rows(db, csv, read(lakes[f"{dirt}parquet"], table))


@pytest.mark.parametrize("table", COLUMNS)
def test_files_have_the_columns_and_types_of_the_contract(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    files = sorted((lakes["dirty_parquet"] / table).iterdir())
    assert len(files) == (SNAPSHOTS if table in EXTRAS else DAYS)
    for file in files:
        found = db.read_parquet(str(file))
        types = dict(zip(found.columns, map(str, found.types), strict=True))
        assert types == columns(table)
        header = (lakes["dirty_csv"] / table / f"{file.stem}.csv").read_text().splitlines()[0]
        assert header == ",".join(columns(table))


def test_text_in_parquet_reads_as_plain_text(lakes: dict[str, Path]) -> None:
    schema = pq.read_schema(lakes["parquet"] / "telemetry" / f"{END}.parquet")
    assert str(schema.field("customer_id").type) == "string"


def test_telemetry_has_as_many_rows_a_day_as_asked_for(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path]
) -> None:
    days = f"SELECT day, count(*) AS n FROM ({read(lakes['csv'], 'telemetry')}) GROUP BY day"
    assert count(db, days) == DAYS
    assert count(db, f"FROM ({days}) WHERE n <> 300") == 0


def suspicions(table: str) -> list[str]:
    """What tells rows with each of the warnings that dirt of the table may have."""
    found = []
    if "customer_id" in columns(table):
        found.append("NOT regexp_full_match(customer_id, 'CUST-[0-9]+')")
    if table not in EXTRAS:
        found.append("quantity > 1000000")
    if table in ("invoices", "entitlements"):
        found.append("quantity = 0" if table == "invoices" else "quantity = 0 AND amendment = 0")
    return found


@pytest.mark.parametrize("table", COLUMNS)
def test_a_clean_lake_breaks_no_rule(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    rows = read(lakes["csv"], table)
    total = count(db, rows)
    assert total > 0
    broken = (missing(table), OUT_OF_RANGE.get(table, NEVER), WRONG_DAY.get(table, NEVER))
    assert count(db, f"FROM ({rows}) WHERE ({') OR ('.join(broken)})") == 0
    assert count(db, f"SELECT DISTINCT {KEYS[table]} FROM ({rows})") == total
    for suspicious in suspicions(table):
        assert count(db, f"FROM ({rows}) WHERE {suspicious}") == 0


@pytest.mark.parametrize("table", [table for table in COLUMNS if table not in EXTRAS])
def test_dirt_is_of_every_kind(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    db.execute(f"CREATE TABLE readable AS {read(lakes['dirty_csv'], table, REJECTS)}")
    rows, total = "FROM readable", count(db, "FROM readable")
    assert count(db, "FROM reject_errors") > 0
    assert count(db, f"FROM ({rows}) WHERE {missing(table)}") > 0
    for broken in (OUT_OF_RANGE, WRONG_DAY):
        assert table not in broken or count(db, f"FROM ({rows}) WHERE {broken[table]}") > 0
    assert count(db, f"SELECT DISTINCT {KEYS[table]} FROM ({rows})") < total
    for suspicious in suspicions(table):
        assert count(db, f"FROM ({rows}) WHERE {suspicious}") > 0


@pytest.mark.parametrize("table", EXTRAS)
def test_there_is_some_dirt_in_small_tables(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    rows = read(lakes["dirty_csv"], table, READABLE)
    assert count(db, f"FROM ({rows}) WHERE {missing(table)}") > 0


@pytest.mark.parametrize("table", COLUMNS)
def test_dirt_comes_in_addition_to_the_clean_rows(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    clean, dirty = read(lakes["parquet"], table), read(lakes["dirty_parquet"], table)
    assert count(db, f"({clean}) EXCEPT ALL ({dirty})") == 0
    added = count(db, dirty) - count(db, clean)
    assert 0 < added < max(15, 0.02 * count(db, clean))


def consumption(lake: Path) -> str:
    """Used and entitled over the last 30 days, of capacity products and originals alone."""
    return f"""
    WITH entitled AS (
      SELECT customer_id, product_id, sum(quantity) AS quantity
      FROM ({read(lake, "entitlements")})
      WHERE metering = 'capacity' AND starts_on <= '{END - timedelta(29)}' AND ends_on > '{END}'
      GROUP BY ALL HAVING max(amendment) = 0
    ), peaks AS (
      SELECT customer_id, product_id, deployment_id, day, max(quantity) AS peak
      FROM ({read(lake, "telemetry")}) WHERE day > '{END - timedelta(30)}'
      GROUP BY ALL
    )
    SELECT customer_id, product_id, coalesce(sum(peak), 0) / 30 / any_value(quantity) AS ratio
    FROM entitled LEFT JOIN peaks USING (customer_id, product_id) GROUP BY ALL
    """


def test_consumption_does_not_depend_on_the_number_of_readings(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lake = {number: tmp_path / str(number) for number in (25, 2_000)}
    for number, path in lake.items():
        simulate(path, **SIZE | {"rows_per_day": number, "extras": False})
    few, many = consumption(lake[25]), consumption(lake[2_000])

    assert count(db, many) > SIZE["customers"] / 2
    both = f"FROM ({few}) AS few JOIN ({many}) AS many USING (customer_id, product_id)"
    assert count(db, f"{both} WHERE abs(few.ratio - many.ratio) > 0.1 + 0.25 * many.ratio") == 0
    for band in ("> 1", "BETWEEN 0.7 AND 1", "BETWEEN 0.3 AND 0.7", "BETWEEN 0.001 AND 0.3", "= 0"):
        assert count(db, f"FROM ({many}) WHERE ratio {band}") > 0


def test_ten_customers_tell_every_story(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    simulate(tmp_path, **SIZE | {"customers": 10})
    for table in COLUMNS:
        db.execute(f"CREATE TABLE {table} AS {read(tmp_path, table)}")

    stories = {
        "renamed": "SELECT customer_id FROM invoices GROUP BY 1 "
        "HAVING count(DISTINCT customer_name) > 1",
        "upgraded": "FROM entitlements WHERE amendment > 0 AND ends_on > starts_on",
        "cancelled": "FROM entitlements WHERE amendment > 0 AND ends_on = starts_on",
        "on trial": "FROM entitlements WHERE amendment = 0 AND invoice_id IS NULL",
        "corrected": "SELECT invoice_id FROM invoices GROUP BY invoice_id, line_number "
        "HAVING count(DISTINCT unit_price) > 1 AND count(DISTINCT day) > 1",
        "renewed": f"FROM invoices WHERE term_months = 12 AND invoice_date > '{START}'",
        "ends soon": f"FROM entitlements WHERE ends_on - '{END}'::DATE BETWEEN 1 AND 90",
        "unentitled": "SELECT DISTINCT customer_id, product_id FROM telemetry "
        "ANTI JOIN entitlements USING (customer_id, product_id)",
        "unused": "SELECT DISTINCT customer_id, product_id FROM entitlements "
        "ANTI JOIN telemetry USING (customer_id, product_id)",
        "never invoiced": "SELECT DISTINCT product_id FROM telemetry "
        "ANTI JOIN invoices USING (product_id)",
        "moved": "SELECT deployment_id FROM telemetry GROUP BY 1 "
        "HAVING count(DISTINCT customer_id) > 1",
        "conflicting": "SELECT product_id FROM entitlements GROUP BY 1 "
        "HAVING count(DISTINCT metering) > 1",
    }
    assert {story for story, query in stories.items() if count(db, query) == 0} == set()


@pytest.mark.parametrize(
    "size", [(1, 1, 1, 0), (1, 1, 1, 3), (3, 2, 2, 1), (5, 12, 3, 7), (800, 11, 8, 5)]
)
def test_any_size_will_do(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, size: tuple[int, int, int, int]
) -> None:
    seen: list[date] = []
    days, customers, products, rows = size
    simulate(
        tmp_path,
        days=days,
        customers=customers,
        products=products,
        rows_per_day=rows,
        end=END,
        on_day=seen.append,
    )
    assert seen == [END - timedelta(age) for age in reversed(range(days))]
    assert count(db, read(tmp_path, "telemetry")) == days * rows
    assert count(db, read(tmp_path, "invoices")) > 0


def test_customers_have_names_of_their_own() -> None:
    names = company_names(130_000)
    assert len({*names, *map(renamed, names)}) == 2 * len(names)


def test_the_sample_is_what_the_recipe_makes(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write_sample(tmp_path)
    kept, made = files(SOURCE_DATA), files(tmp_path)
    assert made.keys() == kept.keys()
    assert {
        name for name in made if name.suffix != ".parquet" and made[name] != kept[name]
    } == set()
    telemetry = "read_parquet('{}/telemetry/*.parquet', filename=true)"
    rows = f"SELECT * EXCLUDE (filename), filename[-18:] AS file FROM {telemetry}"
    assert_same_rows(db, rows.format(tmp_path), rows.format(SOURCE_DATA))


SMALL = 3_000_000  # bytes


def test_the_sample_is_small() -> None:
    assert sum(map(len, files(SOURCE_DATA).values())) < SMALL


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Mart:
    """The mart of the sample."""
    url = f"duckdb://{tmp_path_factory.mktemp('sample')}/mart.duckdb"
    build(SOURCE_DATA, url)
    return {name: [dict(row) for row in rows] for name, rows in tables_of(url).items()}


def on_last_day(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = max(row["day"] for row in rows)
    return [row for row in rows if row["day"] == last]


def test_the_sample_has_every_band_on_its_last_day(sample: Mart) -> None:
    for report in ("report_consumption_daily", "report_account_consumption_daily"):
        rows = on_last_day(sample[f"mart.{report}"])
        assert {row["band"] for row in rows} == set(BANDS)


def test_the_sample_has_every_status(sample: Mart) -> None:
    assert {row["status"] for row in sample["mart.report_commitments"]} == set(STATUSES)


@pytest.mark.parametrize(
    ("code", "tables", "most"),
    [
        ("account_cycle", ["dim_customer"], 0.05),
        ("nested_bundle", ["dim_product"], 0.12),
        ("unit_mismatch", ["fact_consumption_daily"], 0.001),
        ("before_history", ["report_commitments"], 0.8),
        ("no_exchange_rate", ["report_commitments", "report_renewals"], 0.05),
    ],
)
def test_the_sample_has_the_warning_but_rarely(
    sample: Mart, code: str, tables: list[str], most: float
) -> None:
    for table in tables:
        rows = sample[f"mart.{table}"]
        warned = sum(code in row["meta__warnings"].split(";") for row in rows)
        assert 0 < warned <= most * len(rows)


def test_the_sample_has_bands_that_go_up_and_down(sample: Mart) -> None:
    ladder = ["unused", "at_risk", "low", "healthy", "over"]
    ways = {
        ladder.index(row["band"]) > ladder.index(row["band_before"])
        for row in on_last_day(sample["mart.report_band_changes"])
        if {row["band"], row["band_before"]} <= {*ladder}
    }
    assert ways == {True, False}


def test_the_sample_has_renewals_of_all_kinds(sample: Mart) -> None:
    rows = sample["mart.report_renewals"]
    kinds = {(row["renewed_by"] is not None, row["at_risk"]) for row in rows}
    assert kinds == {(True, True), (True, False), (False, True), (False, False)}


def test_the_sample_has_trees_of_accounts(sample: Mart) -> None:
    rows = sample["mart.dim_customer"]
    parents = {row["customer_id"]: row["parent_customer_id"] for row in rows}
    tops = {row["customer_id"]: row["top_customer_id"] for row in rows}
    assert any(
        (parent := parents[customer]) and parents[parent] == top and top != parent
        for customer, top in tops.items()
    )
    sold = {row["customer_id"] for row in sample["lake.raw_invoices"]}
    assert any(parent and parent not in sold for parent in parents.values())


def test_the_sample_has_rates_that_change(sample: Mart) -> None:
    used = {row["currency"] for row in sample["lake.raw_invoices"]}
    rates: dict[str, set[Decimal]] = {}
    for row in sample["lake.raw_exchange_rates"]:
        rates.setdefault(row["currency"], set()).add(row["rate"])
    assert len(used & rates.keys()) > 2
    assert min(map(len, rates.values())) > 2


@pytest.mark.parametrize("table", EXTRAS)
def test_the_sample_has_a_bad_row_in_each_extra(sample: Mart, table: str) -> None:
    assert sample[f"lake.quarantine_{table}"]


BEFORE = "1d966431e53682bf751e26fc99f8ba4441be37e911e5e7490452607c8327da66"


def test_without_extras_a_lake_is_what_it_always_was(tmp_path: Path) -> None:
    size = ["--days", 40, "--customers", 15, "--products", 4, "--rows-per-day", 20, "--seed", 2]
    how = ["--end", END, "--dirt", 0.05, "--format", "csv", "--no-extras"]
    assert cli.run("simulate", "--out", tmp_path, *size, *how).code == 0
    made = sorted(files(tmp_path).items())
    assert {name.parts[0] for name, _ in made} == COLUMNS.keys() - EXTRAS
    assert sha256(b"".join(content for _, content in made)).hexdigest() == BEFORE
