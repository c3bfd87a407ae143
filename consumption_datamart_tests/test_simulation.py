"""What a user of the simulated lake relies on."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow.parquet as pq
import pytest

from consumption_datamart.simulation import simulate
from consumption_datamart.simulation.names import company_names, renamed
from consumption_datamart.simulation.sample import write_sample

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
}
OPTIONAL = {
    ("entitlements", "invoice_id"),
    ("entitlements", "period"),
    ("telemetry", "infrastructure"),
}
OUT_OF_RANGE = {
    "invoices": "unit_price < 0 OR line_number < 1 OR term_months < 0",
    "entitlements": "quantity < 0 OR amendment < 0 OR starts_on > ends_on"
    " OR metering NOT IN ('capacity', 'consumable')",
    "telemetry": "quantity < 0 OR NOT isfinite(quantity)",
}
WRONG_DAY = {
    "invoices": "invoice_date > day",
    "entitlements": "false",
    "telemetry": "event_ts::DATE <> day",
}


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
    def files(lake: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(lake)): path.read_bytes() for path in lake.rglob(f"*.{format}")
        }

    made = files(lakes[f"dirty_{format}"])
    simulate(tmp_path / "again", **SIZE, format=format, dirt=0.02)
    simulate(tmp_path / "other", **SIZE, format=format, dirt=0.02, seed=1)

    assert len(made) == 3 * DAYS
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
    for day in (END - timedelta(age) for age in range(DAYS)):
        file = lakes["dirty_parquet"] / table / f"{day}.parquet"
        found = db.read_parquet(str(file))
        types = dict(zip(found.columns, map(str, found.types), strict=True))
        assert types == columns(table)
        header = (lakes["dirty_csv"] / table / f"{day}.csv").read_text().splitlines()[0]
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


@pytest.mark.parametrize("table", COLUMNS)
def test_a_clean_lake_breaks_no_rule(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    rows = read(lakes["csv"], table)
    total = count(db, rows)
    assert total > 0
    broken = f"({missing(table)}) OR {OUT_OF_RANGE[table]} OR {WRONG_DAY[table]}"
    assert count(db, f"FROM ({rows}) WHERE {broken}") == 0
    assert count(db, f"SELECT DISTINCT {KEYS[table]} FROM ({rows})") == total
    assert count(db, f"FROM ({rows}) WHERE NOT regexp_full_match(customer_id, 'CUST-[0-9]+')") == 0
    least = "quantity = 0" if table == "invoices" else "false"
    assert count(db, f"FROM ({rows}) WHERE quantity > 1000000 OR {least}") == 0


@pytest.mark.parametrize("table", COLUMNS)
def test_dirt_is_of_every_kind(
    db: duckdb.DuckDBPyConnection, lakes: dict[str, Path], table: str
) -> None:
    db.execute(f"CREATE TABLE readable AS {read(lakes['dirty_csv'], table, REJECTS)}")
    rows, total = "FROM readable", count(db, "FROM readable")
    assert count(db, "FROM reject_errors") > 0
    assert count(db, f"FROM ({rows}) WHERE {missing(table)}") > 0
    assert count(db, f"FROM ({rows}) WHERE {OUT_OF_RANGE[table]}") > 0
    assert table == "entitlements" or count(db, f"FROM ({rows}) WHERE {WRONG_DAY[table]}") > 0
    assert count(db, f"SELECT DISTINCT {KEYS[table]} FROM ({rows})") < total
    assert count(db, f"FROM ({rows}) WHERE NOT regexp_full_match(customer_id, 'CUST-[0-9]+')") > 0
    assert count(db, f"FROM ({rows}) WHERE quantity > 1000000") > 0
    assert table == "telemetry" or count(db, f"FROM ({rows}) WHERE quantity = 0") > 0


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
        simulate(path, **SIZE | {"rows_per_day": number})
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
    for table in COLUMNS:
        assert {path.name for path in (SOURCE_DATA / table).iterdir()} == {
            path.name for path in (tmp_path / table).iterdir()
        }
        for made in (tmp_path / table).glob("*.csv"):
            assert made.read_text() == (SOURCE_DATA / table / made.name).read_text()
    telemetry = "read_parquet('{}/telemetry/*.parquet', filename=true)"
    rows = f"SELECT * EXCLUDE (filename), filename[-18:] AS file FROM {telemetry}"
    assert_same_rows(db, rows.format(tmp_path), rows.format(SOURCE_DATA))


SMALL = 2_000_000  # bytes


def test_the_sample_is_small() -> None:
    files = [path for path in SOURCE_DATA.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < SMALL
