"""The sample lake in source_data: made by `python -m consumption_datamart.simulation.sample OUT`.

Ninety days of thirty customers. Telemetry comes as CSV first and as Parquet later, as it does when
a source learns a better format; invoices and entitlements stay CSV.
"""

import shutil
import sys
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from .lake import simulate

DAYS, END = 90, date(2026, 9, 30)
PARQUET_SINCE = END - timedelta(29)


def write_sample(out: Path) -> None:
    """Write the sample lake into the folder out."""
    with TemporaryDirectory() as folder:
        for format in ("csv", "parquet"):
            simulate(
                Path(folder, format),
                days=DAYS,
                customers=30,
                products=6,
                rows_per_day=200,
                end=END,
                seed=27,
                format=format,
                dirt=0.005,
            )
        for table in ("invoices", "entitlements", "telemetry"):
            (out / table).mkdir(parents=True, exist_ok=True)
            for day in (END - timedelta(age) for age in range(DAYS)):
                as_parquet = table == "telemetry" and day >= PARQUET_SINCE
                format = "parquet" if as_parquet else "csv"
                shutil.copyfile(
                    Path(folder, format, table, f"{day}.{format}"), out / table / f"{day}.{format}"
                )


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
