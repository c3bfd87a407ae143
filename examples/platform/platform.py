"""A whole platform on this machine: an ERP, Fivetran, the mart, dbt, the page, Census, a CRM.

PostgreSQL is the source system and the warehouse. Fivetran and Census are servers of this process
that answer as these do, and really copy and send. Everything else is as in production.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import psycopg
import pyarrow.dataset as ds

from consumption_datamart.simulation import simulate
from consumption_datamart_tests import postgres_server
from consumption_datamart_tests.dagster_dev import Dagster, dagster_dev
from examples.platform.fakes.census import Crm, FakeCensus
from examples.platform.fakes.fivetran import FakeFivetran

HERE = Path(__file__).parent
PROJECTS = [HERE.parent / "dbt" / name for name in ("product_analytics", "finance")]
DAYS, SYNC_SECONDS = 6, 60.0
"""How much there is, and how often Fivetran syncs by its own schedule."""
TABLES = {
    "invoices": "invoice_id text, line_number bigint, invoice_date date, customer_id text,"
    " customer_name text, product_id text, product_name text, quantity numeric(18,4),"
    " unit_price numeric(18,4), currency text, term_months bigint",
    "entitlements": "entitlement_id text, amendment bigint, invoice_id text, customer_id text,"
    " product_id text, quantity numeric(18,4), unit text, metering text, period text,"
    " starts_on date, ends_on date, posted_on date",
    "readings": "event_id text PRIMARY KEY, event_ts timestamp, customer_id text,"
    " deployment_id text, product_id text, infrastructure text, quantity double precision,"
    " unit text",
}


class Platform:
    """All of it but Dagster, which is started by `running`.

    Attributes:
        erp: URL of the source system.
        warehouse: URL of the database that the mart and Fivetran write to.
        fivetran: the server that answers as Fivetran.
        census: the server that answers as Census.
        crm: what Census sends to.
        lake: folder of the lake.
        site: folder of the page.
    """

    def __init__(self, folder: Path) -> None:
        """Everything is made anew, in an empty folder."""
        self.folder = folder
        self.lake, self.site = folder / "lake", folder / "site"
        self.erp, self.warehouse = (postgres_server.new_database() for _ in range(2))
        self._fill(folder / "simulated")
        self.crm = Crm(folder / "crm.sqlite")
        self.fivetran = FakeFivetran(self.erp, self.warehouse, "fivetran_erp", ("readings",))
        key = ("source", "entitlement_id", "product_id")
        self.census = FakeCensus(self.warehouse, "outbox.renewals", key, self.crm)
        for fake, name in ((self.fivetran, "fivetran"), (self.census, "reverse_etl")):
            fake.start()
            said = (HERE / f"{name}.toml").read_text().replace("URL", fake.url)
            (folder / f"{name}.toml").write_text(said)
        Thread(target=self.fivetran.every, args=(SYNC_SECONDS,), daemon=True).start()

    def settings(self) -> dict[str, object]:
        """Of the code location."""
        return {
            "lake": str(self.lake),
            "warehouse": self.warehouse,
            "fivetran": str(self.folder / "fivetran.toml"),
            "reverse_etl": str(self.folder / "reverse_etl.toml"),
            "dbt_projects": ",".join(map(str, PROJECTS)),
            "page": str(self.site),
            "refresh_minutes": 1,
        }

    def environment(self) -> dict[str, str]:
        """What the files of settings refer to."""
        return {
            "PLATFORM_ERP": self.erp.replace("postgres:", "postgresql:"),
            "PLATFORM_WAREHOUSE": self.warehouse.replace("postgres:", "postgresql:"),
            "FIVETRAN_KEY": self.fivetran.user,
            "FIVETRAN_SECRET": self.fivetran.password,
            "CENSUS_TOKEN": self.census.password,
        }

    @contextmanager
    def running(self, port: int | None = None) -> Iterator[Dagster]:
        """With `dagster dev`, until the block ends."""
        os.environ |= self.environment()
        with dagster_dev(self.folder, port, **self.settings()) as dagster:
            yield dagster

    def _fill(self, folder: Path) -> None:
        """The ERP has what a simulated lake has; the lake itself is empty."""
        end = datetime.now(UTC).date() - timedelta(days=1)
        simulate(
            folder, days=DAYS, customers=12, products=4, rows_per_day=150, end=end, extras=False
        )
        self.lake.mkdir(parents=True)
        since = end - timedelta(days=DAYS - 1)
        said = (HERE / "lake.toml").read_text().replace("SINCE", since.isoformat())
        (self.lake / "lake.toml").write_text(said)
        with psycopg.connect(self.erp) as connection:
            for table, columns in TABLES.items():
                connection.execute(f"CREATE TABLE {table} ({columns})")
                dumps = folder / ("telemetry" if table == "readings" else table)
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for file in sorted(dumps.glob("*.parquet")):
                        more = [file.stem] if table == "entitlements" else []
                        for row in ds.dataset(file).to_table().to_pylist():
                            copy.write_row([*row.values(), *more])
