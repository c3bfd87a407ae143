"""A reader that never rests: it reads the released file, and tells whatever must not be.

Started as a process: `python -m consumption_datamart_tests.soak_reader FILE`. It writes a line of
JSON for each finding, and one at its end, when it is asked to end.
"""

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import duckdb

PAUSE = 0.2
AGREE = {
    "usage by unit and usage": """
        SELECT day FROM (SELECT day, event_count AS n FROM mart.usage_by_unit_daily
        UNION ALL SELECT day, -event_count FROM mart.fact_usage_daily)
        GROUP BY day HAVING sum(n) <> 0""",
    "portfolio and consumption": """
        SELECT day FROM (SELECT day, customers AS n FROM mart.report_portfolio_daily
        UNION ALL SELECT day, -1 FROM mart.report_consumption_daily)
        GROUP BY day HAVING sum(n) <> 0""",
    "consumption and the fact": """
        SELECT DISTINCT day FROM mart.fact_consumption_daily
        SEMI JOIN mart.reporting_day USING (day)
        ANTI JOIN mart.report_consumption_daily USING (day, customer_id, product_id)
        WHERE entitled_quantity > 0 OR used_quantity > 0 OR is_unlimited""",
    "consumption and days": """
        SELECT day FROM mart.report_consumption_daily ANTI JOIN mart.reporting_day USING (day)""",
    "lines and invoices": """
        SELECT lines, invoices FROM (SELECT count(*) AS lines FROM mart.fact_invoice_line),
        (SELECT count(*) AS invoices FROM lake.raw_invoices) WHERE lines <> invoices""",
    "invoices and what was read": """
        SELECT file FROM lake.files_invoices
        WHERE rows_read <> rows_kept + rows_quarantined + rows_superseded + rows_excluded""",
}
"""What tables of one release agree in: queries that find nothing."""
VERSION = "SELECT max(version) FROM monitoring.release"


def torn(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """In what the tables do not agree."""
    found = {name: connection.execute(query).fetchall() for name, query in AGREE.items()}
    return [f"{name} do not agree: {rows[:3]}" for name, rows in found.items() if rows]


def main() -> None:
    """Reads until it is asked to end."""
    file, is_asked = sys.argv[1], []

    def end(_: int, __: FrameType | None) -> None:
        is_asked.append(True)

    signal.signal(signal.SIGTERM, end)
    reads, last, slowest, versions = 0, 0, 0.0, set()
    while not is_asked:
        if not reads and not Path(file).exists():
            time.sleep(PAUSE)
            continue
        begun = time.monotonic()
        try:
            with duckdb.connect(file, read_only=True) as connection:
                version = (connection.execute(VERSION).fetchone() or (0,))[0]
                found = torn(connection)
        except duckdb.Error as error:
            found, version = [f"{type(error).__name__}: {error}"], last
        if version < last:
            found.append(f"version {version} after {last}")
        reads, last = reads + 1, version
        slowest = max(slowest, time.monotonic() - begun)
        versions.add(version)
        for each in found:
            print(json.dumps({"finding": each, "version": version}), flush=True)
        time.sleep(PAUSE)
    print(json.dumps({"reads": reads, "versions": len(versions), "slowest": slowest}), flush=True)


if __name__ == "__main__":
    main()
