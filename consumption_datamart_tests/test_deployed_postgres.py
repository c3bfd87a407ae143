"""The deployment with its warehouse on PostgreSQL: built, backed up, restored."""

import hashlib
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

        def sql(text: str) -> bytes:
            command = ["psql", "-U", "datamart", "-At", "-v", "ON_ERROR_STOP=1", "-c", text]
            done = warehouse.run([*command, "consumption"], capture_output=True)
            assert done.returncode == 0, done.stderr
            return bytes(done.stdout)

        sql("CREATE VIEW public.later AS SELECT * FROM mart.dim_customer")
        sql("CREATE TABLE mart.later (n int); DROP TABLE mart.dim_product CASCADE")
        site.mart("restore", backup)
        assert warehouse.run(count, capture_output=True).stdout == before
        assert sql("SELECT to_regclass('mart.later'), to_regclass('public.later')") == b"|\n"
        assert sql("SELECT to_regclass('mart.dim_product')") == b"mart.dim_product\n"
        sql("CREATE TABLE mart.later (n int)")
        dump = site.deploy / backup / "warehouse.dump"
        dump.write_bytes(dump.read_bytes()[:-2000])
        (site.deploy / backup / "SHA256SUMS").write_text(
            "".join(
                f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n"
                for each in sorted((site.deploy / backup).glob("*.dump"))
            )
        )
        with pytest.raises(AssertionError, match="nothing was changed"):
            site.mart("restore", backup)
        assert sql("SELECT to_regclass('mart.later')") == b"mart.later\n"
        site.mart("start")
        assert site.get("/metrics", VIEWER).status_code == 200
