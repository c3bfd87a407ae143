"""The deployment with its warehouse on PostgreSQL: built, backed up, restored."""

from pathlib import Path

import pytest

from consumption_datamart_tests.deployed import VIEWER, deployed
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump

pytestmark = pytest.mark.deploy


def test_tables_in_postgresql_are_backed_up_and_restored(lake: Path) -> None:
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    settings = {
        "COMPOSE_PROFILES": "warehouse",
        "MART_WAREHOUSE": "postgres://datamart@warehouse:5432/consumption",
    }
    with deployed(lake, settings, {}) as site:
        site.mart("start")
        code, warehouse = site.service("code"), site.service("warehouse")
        built = ["with-secrets", "consumption-datamart", "build"]
        site.wait(lambda: code.run(built).returncode == 0, "the mart is built")
        count = ["psql", "-U", "datamart", "-At", "-c", "TABLE mart.dim_customer", "consumption"]
        before = warehouse.run(count, capture_output=True).stdout
        assert before
        backup = site.mart("backup").rpartition("deploy/")[2].strip()
        names = {file.name for file in (site.deploy / backup).iterdir()}
        assert names == {"storage.dump", "warehouse.dump", "SHA256SUMS"}
        lost = ["psql", "-U", "datamart", "-c", "DROP SCHEMA mart CASCADE", "consumption"]
        assert warehouse.run(lost, capture_output=True).returncode == 0
        site.mart("restore", backup)
        assert warehouse.run(count, capture_output=True).stdout == before
        assert site.get("/metrics", VIEWER).status_code == 200
