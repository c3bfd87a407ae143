"""The company of docs/your-own-lake.md: from its folder to its first report."""

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.mart import as_written, tables_of
from consumption_datamart_tests.oracle import expected_tables

COMPANY = Path(__file__).parent / "company"
PAGE = Path(__file__).parent.parent / "docs" / "your-own-lake.md"
CONTRACT = {
    "telemetry": """
        SELECT id AS event_id, (ts::TIMESTAMPTZ AT TIME ZONE 'UTC') AS event_ts,
            'CUST-' || account AS customer_id, vm AS deployment_id, sku AS product_id,
            cloud AS infrastructure, replace(vcpus, ',', '.')::DOUBLE AS quantity, 'vCPU' AS unit
        FROM read_csv('{0}/compute/*/*.csv.gz', delim = ';', header = true, all_varchar = true)
        UNION ALL
        SELECT eventId, eventTime AT TIME ZONE 'UTC', 'CUST-' || accountId, bucket, 'STORAGE',
            NULL, bytes_used / 1024.0 ^ 4, 'TiB' FROM read_parquet('{0}/storage/*/*.parquet')
        UNION ALL
        SELECT request_id, "at"::TIMESTAMP, 'CUST-' || customer.id, 'api', 'API', NULL,
            calls::DOUBLE, 'call' FROM read_json('{0}/api/*.jsonl')
    """,
    "invoices": """
        SELECT Belegnr AS invoice_id, Pos::INT AS line_number,
            strptime(Belegdatum, '%d.%m.%Y')::DATE AS invoice_date,
            'CUST-' || Debitor AS customer_id, Name AS customer_name, Artikel AS product_id,
            Bezeichnung AS product_name,
            replace(replace(Menge, '.', ''), ',', '.')::DECIMAL(18, 4) AS quantity,
            replace(replace(Preis, '.', ''), ',', '.')::DECIMAL(18, 4) AS unit_price,
            "Währung" AS currency, Laufzeit::INT AS term_months
        FROM read_csv('{0}/erp/*.CSV', delim = ';', header = true, all_varchar = true,
            encoding = 'latin-1')
    """,
    "entitlements": """
        SELECT contract AS entitlement_id, rev::INT AS amendment, NULL::VARCHAR AS invoice_id,
            'CUST-' || account AS customer_id, product AS product_id,
            CASE qty WHEN 'unlimited' THEN 999999 ELSE qty::DECIMAL(18, 4) END AS quantity,
            uom AS unit, CASE qty WHEN 'unlimited' THEN qty ELSE type END AS metering,
            "from"::DATE AS starts_on,
            coalesce(through::DATE + 1, DATE '9999-12-31') AS ends_on
        FROM read_csv('{0}/crm/contracts.csv', all_varchar = true, header = true)
    """,
}
"""What somebody would write by hand, for each table of the contract."""
COMPARED = (
    "mart.fact_usage_daily",
    "mart.fact_consumption_daily",
    "mart.report_consumption_daily",
)
DAYS = {"telemetry": "event_ts::DATE", "invoices": "invoice_date", "entitlements": "'2026-10-01'"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder, the CRM's file as old as the first day."""
    folder = tmp_path_factory.mktemp("company") / "company"
    shutil.copytree(COMPANY, folder)
    changed = datetime(2026, 10, 1, 12, tzinfo=UTC).timestamp()
    os.utime(folder / "crm/contracts.csv", (changed, changed))
    return folder


def by_hand(company: Path, lake: Path) -> None:
    """Writes the lake by the contract that somebody's own script would make of it."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, select in CONTRACT.items():
            (lake / table).mkdir(parents=True)
            connection.execute(f"CREATE VIEW {table} AS {select.format(company)}")
            days = connection.execute(f"SELECT DISTINCT {DAYS[table]}::DATE FROM {table}")
            for (day,) in days.fetchall():
                rows = f"FROM {table} WHERE {DAYS[table]}::DATE = '{day}'"
                connection.execute(f"COPY ({rows}) TO '{lake}/{table}/{day}.parquet'")


def test_the_page_leads_to_what_a_script_of_ones_own_would_give(
    company: Path, tmp_path: Path
) -> None:
    text, *_ = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (company / "lake.toml").write_text(text)
    checked = cli.run("check-lake", "--lake", str(company))
    assert checked.code == 0, checked.err
    url = f"duckdb://{tmp_path}/mart.duckdb"
    ended = cli.run("build", "--lake", str(company), "--warehouse", url)
    assert ended.code == 0, ended.err
    assert "taken by no source" not in ended.err
    by_hand(company, tmp_path / "lake")
    # of the evening before the first day there is no dump: it is kept, and is no day of the mart
    evening = tmp_path / "lake/telemetry/2026-09-30.parquet"
    expected = expected_tables(tmp_path / "lake")
    assert evening.exists()
    found = tables_of(as_written(url))
    for table in CONTRACT:
        raw, wanted = found[f"lake.raw_{table}"], expected[f"lake.raw_{table}"]
        assert differing({"raw": _own(raw)}, {"raw": _own(wanted)}) == {}
        assert found[f"lake.quarantine_{table}"] == []
    evening.unlink()
    expected = expected_tables(tmp_path / "lake")
    names = (
        "mart.fact_usage_daily",
        "mart.fact_consumption_daily",
        "mart.report_consumption_daily",
    )
    for name in names:
        assert differing({name: found[name]}, {name: expected[name]}) == {}


def _own(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without where they came from: that differs."""
    return [{k: v for k, v in row.items() if k not in ("source", "dump_day")} for row in rows]


def test_init_finds_the_files_days_formats_and_plain_columns(company: Path) -> None:
    ended = cli.run("init", str(company), "--stdout")
    assert ended.code == 0, ended.err
    for line in (
        'files = "compute/{day:%Y%m%d}/{hour}.csv.gz"',
        'files = "storage/dt={day}/part-*.parquet"',
        'files = "api/{day}.jsonl"',
        'files = "erp/Rechnungen_{day:%Y%m%d}.CSV"',
        'files = "crm/contracts.csv"',
        'encoding = "latin-1"',
        'date_format = "%d.%m.%Y"',
        "customer_id = \"'CUST-' || customer.id\"",
    ):
        assert line in ended.out
